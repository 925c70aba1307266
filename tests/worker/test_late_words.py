"""Conversations of experiments are judged when all is stored that belongs to them; what people say of
them later counts as long as nothing is decided."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from llmproxy_core.config import LearningConfig
from llmproxy_core.hashing import content_hash
from llmproxy_core.records import Enhanced
from llmproxy_core.store import experiments, feedback
from llmproxy_core.store.changing import writing
from llmproxy_core.worker.counsel import Counsel
from llmproxy_core.worker.studying import Studying
from tests.worker.school_bench import cut
from tests.worker.test_experimenting import (
    LATER,
    begun,
    bench,
    conversation,
    rounds,
    status,
    traffic,
)
from tests.worker.traffic import NOON, SECOND, Call

__all__ = ["begun", "bench"]
ONE = UUID(bytes=Call(10_000 + 1, NOON + SECOND // 17).id)
"""The call of the first conversation."""
UNITS = "SELECT success, judged_at IS NOT NULL FROM experiment_units"


def say(bench, word, call=ONE):
    with writing(bench.storage.database()) as connection:
        return feedback.give(connection, call, word, "ann")


def facts(bench):
    rows = bench.rows("SELECT detail FROM audit_events WHERE action = 'feedback'")
    return [json.loads(detail) for (detail,) in rows]


def in_conversation(one, number, at, answer=None, pieces=None):
    """A later call of the first conversation."""
    call = Call(number, at, answer=answer, pieces=pieces)
    opened, body = call.opened()
    done = Enhanced(arms=[(one.id, "control")], root=content_hash(b"1"))
    rest = call.records()[1:]
    return [(msgspec.structs.replace(opened, enhanced=done), body), *rest]


def test_what_a_person_says_after_a_conversation_was_counted_is_counted_while_nothing_is_decided(
    bench, begun
):
    _, one = begun
    bench.append(*conversation(one, 1, "control", good=True))
    bench.run()
    rounds(bench)
    assert bench.rows(UNITS) == [(1, True)]
    say(bench, "bad")
    assert bench.rows(UNITS) == [(1, False)]
    rounds(bench)
    assert bench.rows(UNITS) == [(0, True)]
    say(bench, "good")
    rounds(bench)
    assert bench.rows(UNITS) == [(1, True)]
    assert all("too_late_for" not in told for told in facts(bench))


def test_what_a_person_says_after_the_verdict_changes_it_no_more(bench, begun):
    enhancement, one = begun
    traffic(bench, one, 300, 0.5, 0.9)
    rounds(bench)
    assert status(bench, enhancement, one)[0] == "won"
    before = bench.rows("SELECT success, judged_at FROM experiment_units ORDER BY root")
    assert say(bench, "bad") == [one.name]
    rounds(bench)
    assert bench.rows("SELECT success, judged_at FROM experiment_units ORDER BY root") == before
    [told] = facts(bench)
    assert told["too_late_for"] == [one.name]
    assert bench.rows("SELECT verdict FROM signals WHERE name = 'feedback'") == [(-1,)]


def test_a_call_that_goes_on_after_the_time_of_its_conversation_is_none_of_it(bench, begun):
    _, one = begun
    bench.append(*conversation(one, 1, "control", good=True))
    hour = 3600 * SECOND
    bench.append(*in_conversation(one, 50_000, NOON + hour // 2, cut("It is")))
    bench.run()
    rounds(bench)
    assert bench.rows("SELECT success, calls FROM experiment_units") == [(0, 2)]


def test_how_a_conversation_is_judged_does_not_depend_on_when(bench, begun):
    """A call begins in its time and ends after it: it is not counted, whether it is stored or not."""
    _, one = begun
    bench.append(*conversation(one, 1, "control", good=True))
    begins = NOON + 3600 * SECOND
    late = in_conversation(one, 50_000, begins - SECOND // 10, cut("It is"))
    bench.append(*late)
    bench.run()
    rounds(bench)
    assert bench.rows("SELECT success FROM experiment_units") == [(1,)]


def test_a_conversation_waits_for_what_is_not_stored_yet(bench, begun):
    _, one = begun
    bench.append(*conversation(one, 1, "control", good=True))
    bench.run()
    studying = Studying(bench.config, Counsel(bench.config, bench.home))
    studying.round(bench.storage.database())
    assert bench.rows(UNITS) == [(None, False)]  # nobody has said yet how far all is stored
    noon = datetime.fromtimestamp(NOON / 1e9, UTC)
    studying.stored(noon + timedelta(minutes=59))
    studying.round(bench.storage.database())
    assert bench.rows(UNITS) == [(None, False)]
    bench.append(*in_conversation(one, 50_000, NOON + 1800 * SECOND, cut("It is")))
    bench.run()
    studying.stored(LATER)
    studying.round(bench.storage.database())
    assert bench.rows(UNITS) == [(0, True)]


def test_feedback_before_anything_was_judged_needs_nothing_else(bench, begun):
    _, one = begun
    bench.append(*conversation(one, 1, "control", good=True))
    bench.run()
    say(bench, "bad")
    rounds(bench)
    assert bench.rows(UNITS) == [(0, True)]
    with bench.storage.database().connect() as connection:
        [unit] = experiments.units(connection, 1, UUID(one.id))
    assert unit.calls == 1
    assert LearningConfig().judged_after_seconds == 3600
