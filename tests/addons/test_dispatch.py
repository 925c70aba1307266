import asyncio

import pytest
from mitmproxy import addonmanager, exceptions, hooks
from mitmproxy.test import taddons

from addons import dispatch
from addons.dispatch import Remembering


class Seen:
    def __init__(self, name, log, *, error=None):
        self.name, self.log, self.error = name, log, error

    def running(self):
        self.log.append(self.name)
        if self.error:
            raise self.error


class SeenLater(Seen):
    async def running(self):
        await asyncio.sleep(0)
        super().running()


class Parent:
    def __init__(self, name, addons):
        self.name, self.addons = name, addons


class Silent:
    name = "silent"


def test_the_code_that_is_replaced_is_the_one_it_was_written_for():
    assert dispatch.fingerprint() == dispatch.KNOWN


async def order(addons, *, fast):
    with taddons.context(loadcore=False) as context:
        manager = addonmanager.AddonManager(context.master)
        manager.chain = addons
        if fast:
            vars(manager)["trigger_event"] = Remembering(manager)
        for _ in range(2):
            await manager.trigger_event(hooks.RunningHook())


@pytest.mark.parametrize("fast", [False, True])
async def test_addons_are_asked_in_the_same_order_as_by_mitmproxy(fast):
    log: list[str] = []
    addons = [
        Seen("a", log),
        Silent(),
        Parent("p", [SeenLater("p1", log), Parent("q", [Seen("q1", log)])]),
        SeenLater("b", log),
    ]

    await order(addons, fast=fast)

    assert log == ["a", "p1", "q1", "b"] * 2


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("error", "left"),
    [(ValueError("x"), ["a", "b", "c"]), (exceptions.AddonHalt(), ["a", "b"])],
)
async def test_an_error_is_handled_as_by_mitmproxy(fast, error, left, caplog):
    log: list[str] = []
    addons = [Seen("a", log), Seen("b", log, error=error), Seen("c", log)]

    await order(addons, fast=fast)

    assert log == left * 2
    assert ("Addon error: x" in caplog.text) == isinstance(error, ValueError)


@pytest.mark.parametrize("fast", [False, True])
async def test_an_options_error_goes_through(fast):
    with pytest.raises(exceptions.OptionsError):
        await order([Seen("a", [], error=exceptions.OptionsError("no"))], fast=fast)


async def test_addons_that_come_and_go_are_noticed():
    log: list[str] = []
    with taddons.context(loadcore=False) as context:
        manager = addonmanager.AddonManager(context.master)
        vars(manager)["trigger_event"] = Remembering(manager)
        parent = Parent("p", [Seen("p1", log)])
        manager.chain = [parent]
        await manager.trigger_event(hooks.RunningHook())
        parent.addons = [Seen("p2", log)]
        manager.chain.append(Seen("z", log))
        await manager.trigger_event(hooks.RunningHook())

    assert log == ["p1", "p2", "z"]
