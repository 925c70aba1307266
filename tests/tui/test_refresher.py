"""When a screen reads again."""

import asyncio

import pytest
from textual.app import App
from textual.screen import Screen

from llmproxy_core.tui import refresher
from llmproxy_core.tui.refresher import LONGEST, SHARE, Refresher
from tests.tui.stage import until

READ_SECONDS = 0.02


class Clock:
    """Time passes as the test has it, however slow the machine is."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(refresher, "time", clock)
    return clock


class Reads(Screen[None]):
    """Each read takes `seconds` of the clock, and waits while the `gate` is closed."""

    def __init__(self, clock: Clock, poll: float = 0.0) -> None:
        super().__init__()
        self.refresher = Refresher(self, self._read, poll)
        self.clock = clock
        self.begun = self.done = 0
        self.seconds = READ_SECONDS
        self.gate = asyncio.Event()
        self.gate.set()

    async def _read(self) -> None:
        self.begun += 1
        self.clock.now += self.seconds
        await self.gate.wait()
        self.done += 1


async def test_news_is_read_and_a_flood_of_it_leaves_time_for_others(clock: Clock) -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads(clock)
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.done == 1)
        began = clock.now
        for _ in range(100):
            screen.refresher.news()
            await pilot.pause()
            clock.now += 0.005
        assert 2 < screen.done <= 2 + (clock.now - began) / (SHARE * READ_SECONDS)
        before = screen.done
        screen.refresher.news()
        clock.now += LONGEST
        await until(lambda: screen.done > before)


async def test_one_slow_read_does_not_put_the_next_one_off(clock: Clock) -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads(clock)
        screen.seconds = 0.6
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.done == 1)
        screen.refresher.news()
        await until(lambda: screen.done == 2)


async def test_however_slow_reads_are_news_is_read(clock: Clock) -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads(clock)
        screen.seconds = 3.0
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        for many in (1, 2, 3):
            await until(lambda many=many: screen.done == many)  # type: ignore[misc]
            clock.now += LONGEST
            screen.refresher.news()


async def test_what_a_person_did_is_read_at_once_and_what_was_read_before_is_dropped(
    clock: Clock,
) -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads(clock)
        screen.gate.clear()
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.begun == 1)
        screen.refresher.again()
        await until(lambda: screen.begun == 2)
        screen.gate.set()
        await until(lambda: screen.done == 1)
        await pilot.pause(0.1)
        assert (screen.begun, screen.done) == (2, 1)


async def test_without_news_it_is_read_now_and_then_but_not_below_another_screen(
    clock: Clock,
) -> None:
    async with App[None]().run_test() as pilot:
        screen = Reads(clock, poll=0.1)
        await pilot.app.push_screen(screen)
        screen.refresher.start()
        await until(lambda: screen.done == 1)
        clock.now += 100
        await until(lambda: screen.done == 2)
        await pilot.app.push_screen(Screen())
        await pilot.pause(0.1)
        before = screen.done
        screen.refresher.news()
        clock.now += 100
        await asyncio.sleep(0.5)
        assert screen.done == before
