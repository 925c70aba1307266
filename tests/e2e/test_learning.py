"""What fails is found, a change is suggested, approved, tried, and kept only where it helps.

Nothing is simulated but the provider, which copes badly with four of fifty prompts, and the advisor,
a server that speaks OpenRouter's wire. The tests are one story, told in order.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from functools import partial
from itertools import count
from uuid import UUID

import pytest

from llmproxy_core.config import Config
from llmproxy_core.enhancements.enhancement import Status
from llmproxy_core.simulator import Controls, Simulator
from llmproxy_core.simulator.quality import WEAKNESSES
from llmproxy_core.simulator.routines import ORDERS, ROUTINES, TRIAGE, Routine, calls
from llmproxy_core.store import enhancements, experiments, patterns, transformations
from llmproxy_core.store.database import driver
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.store.experiments import StoredExperiment
from llmproxy_core.store.migrate import open_store
from llmproxy_core.store.patterns import PatternLine
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.screens.enhancements import EnhancementsScreen
from llmproxy_core.tui.source import StoreSource
from tests.e2e.office import Store, repeated, work
from tests.mitm import Mitmdump, wait_for
from tests.tui.stage import PATIENCE, Stage, ready, until

pytestmark = pytest.mark.system

CONFIG = """
[advisor]
enabled = true
base_url = "{url}/api/v1"
[learning]
suggest = "advisor"
min_calls = 30
judged_after_seconds = 1
"""
EACH, MORE = 8, 40
"""Calls of each of the fifty prompts, and of the two that the story is about."""
BATCH, LONGEST = 40, 600
"""Conversations that begin before it is looked whether the experiment is over, and for how long (s)."""
MINUTES = 180.0
"""Seconds to wait for what is sure to come, on a machine that has much else to do."""
SIZE = (150, 45)
ADVICE = {one.name: one.advice for one in WEAKNESSES}


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    wanted = Controls(quality=True, caching=True)
    with Simulator(default=wanted, keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    with Mitmdump(
        tmp_path_factory.mktemp("learning"),
        simulator=provider,
        worker=True,
        config=CONFIG.format(url=provider.http_url),
        environment={"OPENROUTER_API_KEY": "not-a-key"},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def store(proxy: Mitmdump) -> Iterator[Store]:
    """With the calls of an office in it."""
    found = Store(proxy)
    assert work(proxy, calls(EACH * len(ROUTINES), seed=1)) == EACH * len(ROUTINES)
    for routine in (TRIAGE, ORDERS):
        work(proxy, repeated(routine, MORE, seed=2))
    yield found
    found.database.close()


@asynccontextmanager
async def watching(proxy: Mitmdump) -> AsyncIterator[Stage]:
    app = LlmproxyApp(
        StoreSource(lambda: open_store(Config(), proxy.home, "test")), proxy.home, zone=UTC
    )
    try:
        async with app.run_test(size=SIZE) as pilot:
            await until(lambda: app.hub.feed.link == "up", 60)
            await ready(pilot)
            yield Stage(app, pilot)
    finally:
        await asyncio.to_thread(app.hub.feed.join, PATIENCE)


def pattern_of(store: Store, routine: Routine) -> PatternLine:
    """By the words of its prompt, which its name is made of."""
    lines = store.read(lambda connection: patterns.patterns(connection, limit=500))
    found = [line for line in lines if line.name and line.name.split("\n")[0] in routine.prompt]
    assert len(found) == 1, (routine.name, [line.name for line in lines])
    return found[0]


def known(store: Store, routine: Routine, least: int) -> PatternLine | None:
    line = pattern_of(store, routine)
    return line if line.calls >= least else None


def suggested(store: Store, routine: Routine, *statuses: Status) -> StoredEnhancement | None:
    """What the advisor wants of a prompt, once it is there and of one of these statuses."""
    advice = ADVICE[routine.weakness]
    for one in store.read(lambda connection: enhancements.enhancements(connection, statuses)):
        if any(advice in str(operation.get("text")) for operation in one.one.edit):
            return one
    return None


def experiment_of(store: Store, one: StoredEnhancement) -> StoredExperiment | None:
    found = store.read(lambda connection: experiments.experiments(connection))
    return next((each for each in found if each.enhancement_id == one.id), None)


def tried(
    proxy: Mitmdump, store: Store, routine: Routine, one: StoredEnhancement
) -> StoredExperiment:
    """Conversations begin until the experiment is over."""
    found_in(store, one)
    deadline = time.monotonic() + LONGEST
    for seed in count(100):
        work(proxy, repeated(routine, BATCH, seed))
        wait_for(lambda: is_over(found_in(store, one)) or not unjudged(store, one), MINUTES)
        if is_over(found := found_in(store, one)):
            break
        assert time.monotonic() < deadline, (found.one.status, found.tally)
    return found


def found_in(store: Store, one: StoredEnhancement) -> StoredExperiment:
    return wait_for(lambda: experiment_of(store, one))


def is_over(found: StoredExperiment) -> bool:
    return found.one.status not in ("draft", "running")


def unjudged(store: Store, one: StoredEnhancement) -> int:
    """Conversations that are in the experiment and not counted yet; none, until proxies know of it."""
    found = found_in(store, one)
    arms = store.read(lambda connection: experiments.arms(connection, found.ns_id, found.id))
    return sum(arm.conversations - arm.judged for arm in arms.values())


def listed(stage: Stage) -> list[UUID]:
    """The suggestions that are on screen."""
    screen = stage.app.screen
    return [row.id for row in screen.rows or []] if isinstance(screen, EnhancementsScreen) else []


async def approve(stage: Stage, one: StoredEnhancement) -> None:
    await stage.press("8")
    await until(lambda: one.id in listed(stage), 60)
    await stage.press("home")
    for _ in listed(stage):
        if stage.current().id == one.id:
            break
        await stage.press("down")
    assert stage.current().id == one.id
    await stage.press("y")
    await stage.is_told("pproved")


def test_patterns_are_found_and_named(store: Store) -> None:
    def enough(connection: object) -> bool | None:
        found = patterns.patterns(connection, limit=500)  # type: ignore[arg-type]
        return len(found) >= 0.8 * len(ROUTINES) or None

    store.soon(enough, MINUTES)
    for routine in (TRIAGE, ORDERS):
        line = wait_for(partial(known, store, routine, EACH + MORE), MINUTES)
        assert line.sums.judged >= 0.9 * (EACH + MORE)
        assert line.sums.good / line.sums.judged < 0.7


def test_a_change_is_suggested_for_what_fails(store: Store) -> None:
    one = wait_for(lambda: suggested(store, TRIAGE, "candidate"), MINUTES)
    assert one.pattern == pattern_of(store, TRIAGE).name
    assert one.one.source_engine.startswith("advisor:")
    assert not one.one.was_applied


async def test_what_helps_is_approved_tried_and_promoted(
    proxy: Mitmdump, provider: Simulator, store: Store
) -> None:
    one = wait_for(lambda: suggested(store, TRIAGE, "candidate"), MINUTES)
    async with watching(proxy) as stage:
        await approve(stage, one)
        ended = await asyncio.to_thread(tried, proxy, store, TRIAGE, one)
        assert ended.one.status == "won", (ended.one.status, ended.verdict)
        await stage.press("9")
        await stage.sees("won")
        await stage.press("p")
        await stage.sees("Promote")
        await stage.press("enter")
        await stage.is_told("promoted")
    after = wait_for(lambda: suggested(store, TRIAGE, "promoted"))
    assert after.one.was_applied
    assert (after.one.effectiveness_score or 0) > 0.5
    rules = store.read(lambda connection: transformations.transformations(driver(connection)))
    assert [rule.experiment for rule in rules if rule.active] == [str(ended.id)]
    seeds = count(1000)
    wait_for(lambda: _have(proxy, provider, next(seeds)) >= 0.7 * BATCH or None, MINUTES)
    wait_for(lambda: _measured_since(store, one), MINUTES)


def _have(proxy: Mitmdump, provider: Simulator, seed: int) -> int:
    """How many new conversations get the change; a few are held out."""
    work(proxy, repeated(TRIAGE, BATCH, seed))
    asked = [one.body for one in list(provider.seen)[-BATCH:]]
    return sum(ADVICE[TRIAGE.weakness] in json.dumps(json.loads(body)) for body in asked)


def _measured_since(store: Store, one: StoredEnhancement) -> bool:
    """What was promoted is measured on."""
    found = experiment_of(store, one)
    assert found is not None
    return found.probation is not None and found.probation.tally.judged > 0


async def test_what_harms_is_rolled_back_by_itself(proxy: Mitmdump, store: Store) -> None:
    one = wait_for(lambda: suggested(store, ORDERS, "candidate"), MINUTES)
    async with watching(proxy) as stage:
        await approve(stage, one)
        ended = await asyncio.to_thread(tried, proxy, store, ORDERS, one)
    assert ended.one.status == "rolled_back"
    assert ended.ended_by == "llmproxy"
    after = wait_for(lambda: suggested(store, ORDERS, "rolled_back"))
    assert (after.one.effectiveness_score or 0) < 0
    rules = store.read(lambda connection: transformations.transformations(driver(connection)))
    assert str(ended.id) not in [rule.experiment for rule in rules]


def test_all_of_it_is_in_the_audit(proxy: Mitmdump, store: Store) -> None:
    def told(connection: object) -> set[str]:
        rows = driver(connection).execute("SELECT action FROM audit_events").fetchall()  # type: ignore[arg-type]
        return {action for (action,) in rows}

    assert {"enhancement approved", "experiment promoted", "experiment harmful"} <= store.read(told)
