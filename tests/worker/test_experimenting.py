"""Experiments are judged by what is stored, and what follows is done by itself."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from llmproxy_core.config import LearningConfig
from llmproxy_core.enhancements.enhancement import Suggestion, candidate
from llmproxy_core.experiments import life
from llmproxy_core.experiments.experiment import Experiment
from llmproxy_core.experiments.tally import Tally
from llmproxy_core.hashing import content_hash
from llmproxy_core.records import Enhanced
from llmproxy_core.store import (
    enhancement_changes,
    enhancements,
    experiment_changes,
    experiment_steps,
    experiments,
)
from llmproxy_core.store.changing import writing
from llmproxy_core.worker.experimenting import Experimenting
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.learning import Learning
from tests.worker.school_bench import Bench, asking, cut, weather
from tests.worker.traffic import NOON, SECOND, Call

EDIT = ({"op": "append_system", "text": "Answer with the name of the town alone."},)
THEN = datetime.fromtimestamp(NOON / 1e9 + 200, UTC)
"""After the conversations of `traffic`, and before those of `since`."""
LATER = datetime.fromtimestamp(NOON / 1e9, UTC) + timedelta(days=3)


@pytest.fixture
def bench(config, home, storage, journal) -> Bench:
    own = config.model_copy(update={"learning": LearningConfig()})
    learning = Learning(own, home)
    intake = Intake(home.spool, storage, learning=learning)
    return Bench(own, home, storage, journal, learning, intake)


@pytest.fixture
def begun(bench) -> tuple[UUID, Experiment]:
    """An approved enhancement of a pattern, and its experiment."""
    bench.run(*(weather(n) for n in range(30)))
    [(pattern,)] = bench.rows("SELECT id FROM prompt_patterns WHERE kind = 'user'")
    suggestion = Suggestion("clarification", EDIT, 0.9, "They are cut.", "built-in:test")
    made = candidate(suggestion, str(UUID(int=7)), str(pattern), datetime.now(UTC))
    with writing(bench.storage.database()) as connection:
        assert enhancement_changes.add(connection, 1, made)
        experiment = experiment_changes.approve(connection, UUID(made.id), "ann")
    assert experiment is not None
    return UUID(made.id), experiment


def conversation(one: Experiment, n: int, arm: str, *, good: bool, **more: Any) -> list[Any]:
    """The records of one with a single call, 1,000 of them in a minute."""
    call = Call(
        10_000 + n,
        NOON + n * SECOND // 17,
        hints={"messages": [{"role": "user", "content": f"Which town is it, {n}?"}]},
        answer=None if good else cut("It is"),
    )
    opened, body = call.opened()
    root = content_hash(b"%d" % n)
    done = Enhanced(arms=[(one.id, arm)], root=root, kept=0.5, **more)
    return [(msgspec.structs.replace(opened, enhanced=done), body), call.closed()]


def traffic(
    bench: Bench, one: Experiment, conversations: int, control: float, variant: float
) -> None:
    """So many conversations in each arm, with these rates of success."""
    for n in range(conversations):
        for at, (arm, rate) in enumerate((("control", control), ("enhanced", variant))):
            good = (n * 7 % 10) / 10 < rate - 1e-9
            bench.append(*conversation(one, 2 * n + at, arm, good=good))
    bench.run()


def rounds(bench: Bench, **settings: Any) -> None:
    judging = Experimenting(LearningConfig(**settings))
    while judging.round(bench.storage.database(), LATER):
        pass


def status(bench: Bench, enhancement: UUID, one: Experiment) -> tuple[str, str]:
    with bench.storage.database().connect() as connection:
        [stored] = experiments.by_id(connection, [UUID(one.id)])
        [suggested] = enhancements.by_id(connection, [enhancement])
    return stored.one.status, suggested.one.status


def test_what_the_proxy_did_is_stored_with_the_conversation(bench, begun):
    _, one = begun
    bench.append(*conversation(one, 1, "enhanced", good=True, applied=["short"]))
    bench.run()
    assert bench.rows("SELECT kind, name, arm, kept FROM applied ORDER BY kind") == [
        ("experiment", one.id, "enhanced", 0.5),
        ("transformation", "short", None, 0.5),
    ]
    assert bench.rows(
        "SELECT arm, calls, success, errors, cost_usd > 0, judged_at FROM experiment_units"
    ) == [("enhanced", 1, None, 0, True, None)]


def test_a_variant_that_is_better_wins_and_waits_for_a_person(bench, begun):
    enhancement, one = begun
    traffic(bench, one, 300, 0.5, 0.9)
    rounds(bench)
    assert status(bench, enhancement, one) == ("won", "experimenting")
    [(judged, good)] = bench.rows(
        "SELECT count(judged_at)::int, sum(success)::int FROM experiment_units WHERE arm = 'enhanced'"
    )
    assert (judged, good) == (300, 270)


def test_where_nobody_is_to_be_asked_the_winner_is_promoted(bench, begun):
    enhancement, one = begun
    traffic(bench, one, 300, 0.5, 0.9)
    rounds(bench, auto_experiment=True)
    assert status(bench, enhancement, one) == ("promoted", "promoted")
    [(score,)] = bench.rows("SELECT effectiveness_score FROM enhancements")
    assert score == pytest.approx(0.8, abs=0.05)
    assert bench.rows("SELECT origin FROM transformations") == [(f"experiment:{one.id}",)]


def test_what_harms_is_rolled_back_by_itself(bench, begun):
    enhancement, one = begun
    traffic(bench, one, 150, 0.9, 0.5)
    rounds(bench)
    assert status(bench, enhancement, one) == ("rolled_back", "rolled_back")
    assert bench.rows("SELECT effectiveness_score < 0 FROM enhancements") == [(True,)]


def test_a_restart_between_conversations_changes_no_verdict(bench, begun):
    enhancement, one = begun
    traffic(bench, one, 100, 0.9, 0.3)
    bench.start_again()
    rounds(bench)
    rounds(bench)
    assert status(bench, enhancement, one) == ("rolled_back", "rolled_back")
    assert bench.rows("SELECT tally -> 'control' ->> 'good' FROM experiments") == [("90",)]


def test_a_conversation_is_judged_by_what_happened_in_its_time(bench, begun):
    _, one = begun
    bench.append(*conversation(one, 1, "control", good=True))
    bench.run()
    late = Call(99_999, NOON + 2 * 3600 * SECOND, answer=cut("It is"))
    opened, body = late.opened()
    done = Enhanced(arms=[(one.id, "control")], root=content_hash(b"1"))
    bench.append((msgspec.structs.replace(opened, enhanced=done), body), late.closed())
    bench.run()
    rounds(bench)
    assert bench.rows("SELECT success FROM experiment_units") == [(1,)]


def test_calls_that_a_variant_has_changed_are_not_mined(bench, begun):
    _, one = begun
    before = bench.rows("SELECT kind, calls FROM prompt_patterns")
    system = {"role": "system", "content": "Answer with the name of the town alone.\nAnd be brief."}
    for n in range(30):
        call = asking(
            500 + n, "", hints={"messages": [system, {"role": "user", "content": f"A{n}"}]}
        )
        opened, body = call.opened()
        done = Enhanced(arms=[(one.id, "enhanced")], root=content_hash(b"%d" % n))
        bench.append((msgspec.structs.replace(opened, enhanced=done), body), call.closed())
    bench.run()
    assert bench.rows("SELECT kind, calls FROM prompt_patterns") == before


def test_a_pattern_that_the_proxy_knew_is_that_of_the_call(bench, begun):
    _, one = begun
    [(pattern,)] = bench.rows("SELECT id FROM prompt_patterns")
    opened, body = asking(900, "Something else, as the variant has it").opened()
    done = Enhanced(arms=[(one.id, "enhanced")], root=content_hash(b"1"), user=str(pattern))
    call = asking(900, "").closed()
    bench.append((msgspec.structs.replace(opened, enhanced=done), body), call)
    bench.run()
    assert bench.rows("SELECT calls::int FROM prompt_patterns") == [(31,)]


def promoted(bench: Bench, one: Experiment) -> Experiment:
    """It has won, and a person has promoted it."""
    traffic(bench, one, 300, 0.5, 0.9)
    rounds(bench)
    with writing(bench.storage.database()) as connection:
        return experiment_steps.step(
            connection,
            UUID(one.id),
            lambda won, at: life.promoted(won, at, "ann", "proven"),
            at=THEN,
        )


def since(bench: Bench, one: Experiment, conversations: int, held_out: float, rate: float) -> None:
    """Conversations after the promotion, every twentieth of them held out."""
    for n in range(conversations):
        arm, rated = ("holdout", held_out) if n % 20 == 0 else ("enhanced", rate)
        good = (n // 20 * 7 % 10) / 10 < rated - 1e-9
        bench.append(*conversation(one, 5_000 + n, arm, good=good))
    bench.run()


def probation(bench: Bench) -> Any:
    with bench.storage.database().connect() as connection:
        (stored,) = experiments.experiments(connection)
    return stored.probation


def test_what_was_promoted_is_measured_beside_the_holdout(bench, begun):
    enhancement, one = begun
    assert promoted(bench, one).holdout == 0.05
    since(bench, one, 400, 0.5, 0.9)
    rounds(bench)
    assert status(bench, enhancement, one) == ("promoted", "promoted")
    found = probation(bench)
    assert (found.tally.arm("holdout").judged, found.tally.arm("holdout").good) == (20, 10)
    assert found.tally.arm("enhanced").good == 342
    assert "holdout in 50.0 % of 20" in found.verdict["why"]
    assert bench.rows("SELECT tally ? 'holdout' FROM experiments") == [(False,)]
    with bench.storage.database().connect() as connection:
        assert len(experiments.judged(connection, 1, UUID(one.id))) == 600


def test_what_harms_after_it_was_promoted_is_rolled_back_by_itself(bench, begun):
    enhancement, one = begun
    promoted(bench, one)
    since(bench, one, 500, 0.9, 0.2)
    rounds(bench)
    assert status(bench, enhancement, one) == ("rolled_back", "rolled_back")
    assert bench.rows("SELECT name FROM transformations") == []
    assert bench.rows("SELECT effectiveness_score < 0, was_applied FROM enhancements") == [
        (True, True)
    ]
    [(why,)] = bench.rows(
        "SELECT detail::jsonb ->> 'why' FROM audit_events WHERE action = 'experiment rolled back'"
    )
    assert why.startswith("Since it was promoted: 'enhanced' succeeded in 24.0 % of 475")


def test_the_sums_of_the_store_are_those_of_the_outcomes(bench, begun):
    _, one = begun
    traffic(bench, one, 40, 0.5, 0.9)
    rounds(bench)
    with bench.storage.database().connect() as connection:
        counted = experiments.counted(connection, 1, UUID(one.id))
        units = experiments.judged(connection, 1, UUID(one.id))
    of = Tally.of(unit.outcome for unit in units)
    assert counted.arms.keys() == of.arms.keys() == {"control", "enhanced"}
    for name, arm in counted.arms.items():
        other = of.arm(name)
        assert (arm.good, arm.bad, arm.unknown) == (other.good, other.bad, other.unknown)
        assert (arm.failed, arm.answered) == (other.failed, other.answered)
        for metric, moments in arm.moments.items():
            assert astuple(moments) == pytest.approx(astuple(other.moments[metric])), metric
