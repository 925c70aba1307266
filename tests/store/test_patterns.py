"""Patterns as they are read, and what people do to them."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from llmproxy_core.errors import StoreError
from llmproxy_core.store import (
    audit,
    call_lessons,
    experiment_changes,
    feedback,
    pattern_changes,
    pattern_detail,
    patterns,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons, PatternRow
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_request, a_response, new_id
from tests.store.lessons import (
    a_change,
    a_pattern,
    a_signal,
    a_sum,
    a_version,
    an_event_of,
    an_experiment,
    of_pattern,
)

type Connection = psycopg.Connection[Any]

TODAY = AT.date()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def learn(writer: Writer, **rows: Any) -> None:
    writer.write(Batch(lessons=Lessons(**rows)))


def asked(writer: Writer, pattern: PatternRow, *verdicts: str, **changes: Any) -> list[RequestRow]:
    """Calls of a pattern, each with a signal of this verdict."""
    found = [a_request() for _ in verdicts]
    pairs = list(zip(found, verdicts, strict=True))
    writer.write(
        Batch(
            requests=found,
            responses=[a_response(one) for one in found],
            lessons=Lessons(
                patterns=[pattern],
                calls=[of_pattern(one, pattern, **changes) for one in found],
                signals=[a_signal(one, verdict=said) for one, said in pairs],
                sums=[a_sum(pattern, good=int(said == "good")) for _, said in pairs],
            ),
        )
    )
    return found


def listed(database: Database, **wanted: Any) -> list[patterns.PatternLine]:
    with database.connect() as conn:
        return patterns.patterns(conn, today=TODAY, **wanted)


def test_a_line_has_the_sums_of_the_last_days(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    yesterday, old = TODAY - timedelta(days=1), TODAY - timedelta(days=patterns.DAYS)
    learn(
        writer,
        patterns=[pattern],
        sums=[
            a_sum(pattern, cost_usd=Decimal("0.5")),
            a_sum(pattern, good=0, model="gpt-5"),
            a_sum(pattern, day=yesterday),
            a_sum(pattern, day=old),
        ],
    )
    (line,) = listed(database)
    assert (line.id, line.name, line.type, line.given) == (
        pattern.id, "classify this ticket", "classification", False,
    )  # fmt: skip
    assert (line.sums.calls, line.sums.good, line.sums.cost_usd) == (3, 2, Decimal("0.5"))
    assert line.days == (*[0] * (patterns.DAYS - 2), 1, 2)
    assert line.sums.rate.rate == pytest.approx(2 / 3)


def test_those_with_most_calls_come_first_and_others_can_be_asked_for(
    database: Database, writer: Writer
) -> None:
    rare = a_pattern(calls=1, last_seen=AT + timedelta(days=1), type="chat")
    often, system = a_pattern(calls=9), a_pattern(kind="system")
    learn(writer, patterns=[rare, often, system])
    assert [one.id for one in listed(database)] == [often.id, rare.id]
    assert [one.id for one in listed(database, order="newest")] == [rare.id, often.id]
    assert [one.id for one in listed(database, type="chat")] == [rare.id]
    assert [one.id for one in listed(database, kinds=["system", "tools"])] == [system.id]
    assert listed(database, namespace="other") == []


def test_those_that_go_worst_or_cost_most_come_first(database: Database, writer: Writer) -> None:
    fine, bad = a_pattern(calls=9), a_pattern(calls=5)
    hardly_known, never_judged = a_pattern(calls=2), a_pattern(calls=7)
    sums = [a_sum(fine, cost_usd=Decimal(1)) for _ in range(20)]
    sums += [a_sum(bad, good=0, cost_usd=Decimal(3)) for _ in range(5)]
    sums += [a_sum(hardly_known, good=0, cost_usd=Decimal(90))]
    learn(writer, patterns=[fine, bad, hardly_known, never_judged], sums=sums)
    worst = [one.id for one in listed(database, order="success")]
    assert worst == [bad.id, hardly_known.id, fine.id, never_judged.id]
    dearest = listed(database, order="cost", limit=2)
    assert [one.id for one in dearest] == [hardly_known.id, fine.id]


def test_a_merged_pattern_counts_for_its_heir(database: Database, writer: Writer) -> None:
    heir, gone = a_pattern(), a_pattern()
    (first,) = asked(writer, heir, "good")
    (second,) = asked(writer, gone, "bad")
    gone.merged_into = heir.id
    learn(writer, patterns=[gone])
    (line,) = listed(database)
    assert (line.id, line.sums.calls, line.sums.good) == (heir.id, 2, 1)
    with database.connect() as conn:
        calls = pattern_detail.calls(conn, 1, heir.id)
        assert patterns.by_id(conn, [heir.id, gone.id], TODAY) == [line]
        assert call_lessons.of_call(conn, second.id).patterns[0].id == heir.id
    assert [one.request_id for one in calls] == [second.id, first.id]


def test_models_have_times_and_signals_of_their_own(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    learn(
        writer,
        patterns=[pattern],
        sums=[
            a_sum(pattern, duration_ms=100.0),
            a_sum(pattern, duration_ms=1000.0, good=0, bad={"truncated": 1}),
            a_sum(pattern, model="gpt-5", duration_ms=None, calls=0, bad={"refusal": 2}),
            a_sum(pattern, model="gpt-5", duration_ms=None, calls=0, bad={"refusal": -2}),
        ],
    )
    with database.connect() as conn:
        models = patterns.by_model(conn, 1, pattern.id, TODAY)
        total = patterns.total(conn, 1, pattern.id, TODAY)
        nothing = patterns.total(conn, 1, new_id(), TODAY)
    assert list(models) == ["gpt-4o", "gpt-5"]
    assert models["gpt-4o"].p50_ms == pytest.approx(100, rel=0.03)
    assert (models["gpt-4o"].bad, models["gpt-5"].bad) == ({"truncated": 1}, {})
    assert (total.calls, total.bad) == (2, {"truncated": 1})
    assert nothing == patterns.Sums()


def test_a_pattern_is_found_by_name_id_or_a_part_of_its_name(
    database: Database, writer: Writer
) -> None:
    triage, mail = a_pattern(name="Support triage"), a_pattern(name="mail")
    learn(writer, patterns=[triage, mail, a_pattern(name="mail of customers")])
    with database.connect() as conn:
        assert patterns.find_ids(conn, "mail") == [mail.id]
        assert patterns.find_ids(conn, "support") == [triage.id]
        assert patterns.find_ids(conn, triage.id.hex[-8:]) == [triage.id]
        assert patterns.find_ids(conn, "nothing") == []


def test_calls_tell_what_was_bad_of_them(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    good, bad = asked(writer, pattern, "good", "bad")
    learn(writer, signals=[a_signal(good, name="correction", verdict="bad", weight=0.4)])
    with database.connect() as conn:
        newest, older = pattern_detail.calls(conn, 1, pattern.id)
        assert pattern_detail.calls(conn, 1, pattern.id, limit=1, before=bad.id) == [older]
    assert (newest.request_id, newest.verdict, newest.bad) == (
        bad.id,
        "bad",
        frozenset({"answered"}),
    )
    assert (older.request_id, older.verdict, older.bad) == (good.id, "good", frozenset())
    assert [one.name for one in older.signals] == ["answered", "correction"]


def test_versions_are_told_apart_by_their_calls(database: Database, writer: Writer) -> None:
    now = AT.__class__.now(AT.tzinfo)
    pattern = a_pattern(kind="system")
    span = {"first_seen": now - timedelta(hours=1), "last_seen": now + timedelta(minutes=5)}
    learn(writer, versions=[a_version(pattern, number, **span) for number in (1, 2)])
    asked(writer, pattern, "good", "good", version=1)
    asked(writer, pattern, "good", "bad", version=2)
    with database.connect() as conn:
        second, first = pattern_detail.versions(conn, 1, pattern.id)
    assert (first.number, first.sums.rate.rate, second.sums.rate.rate) == (1, 1.0, 0.5)
    assert (second.sums.bad, second.text) == ({"answered": 1}, "You triage tickets.")


def test_the_nearest_are_those_with_most_words_in_common(
    database: Database, writer: Writer
) -> None:
    one = a_pattern(pieces=["Classify this support ticket: ", None])
    near = a_pattern(name="near", pieces=["Classify this ticket: ", None, " Answer."])
    far = a_pattern(name="far", pieces=["Translate into French: ", None])
    learn(writer, patterns=[one, near, far])
    with database.connect() as conn:
        assert pattern_detail.nearest(conn, 1, one.id, "user") == [(near.id, "near")]
        found = pattern_detail.about(conn, 1, one.id)
        assert found is not None
        assert found.pieces == one.pieces
        assert pattern_detail.about(conn, 1, new_id()) is None


def test_a_name_that_a_person_gives_is_kept_and_told(
    database: Database, writer: Writer, connection: Connection
) -> None:
    pattern, other = a_pattern(), a_pattern(name="mail")
    learn(writer, patterns=[pattern, other], history=[an_event_of(pattern)])
    since = AT
    assert pattern_changes.rename(connection, 1, pattern.id, " support  triage ", "ann")
    assert not pattern_changes.rename(connection, 1, pattern.id, "support triage", "ann")
    with pytest.raises(StoreError, match="Another pattern"):
        pattern_changes.rename(connection, 1, pattern.id, "mail", "ann")
    with pytest.raises(StoreError, match="characters"):
        pattern_changes.rename(connection, 1, pattern.id, " ", "ann")
    (changed,) = pattern_changes.changed(connection, since)
    assert (changed.id, changed.name, changed.named_by) == (pattern.id, "support triage", "ann")
    assert pattern_changes.changed(connection, changed.changed_at) == []
    with database.connect() as conn:
        latest, _ = pattern_detail.history(conn, 1, pattern.id)
    assert (latest.what, latest.actor, latest.why) == (
        "renamed",
        "ann",
        "was 'classify this ticket'",
    )
    assert [one.action for _, one in audit.newest(connection)] == ["pattern rename"]


def test_two_patterns_of_a_kind_can_be_merged(
    database: Database, writer: Writer, connection: Connection
) -> None:
    first, second, system = a_pattern(), a_pattern(name="mail"), a_pattern(kind="system")
    learn(writer, patterns=[first, second, system])
    with pytest.raises(StoreError, match="two of a kind"):
        pattern_changes.merge(connection, 1, first.id, system.id, "ann")
    pattern_changes.merge(connection, 1, first.id, second.id, "ann")
    with pytest.raises(StoreError, match="was merged before"):
        pattern_changes.merge(connection, 1, second.id, first.id, "ann")
    learn(writer, patterns=[first])
    assert [one.id for one in listed(database)] == [second.id]
    (changed,) = pattern_changes.changed(connection, AT)
    assert (changed.id, changed.merged_into) == (first.id, second.id)
    with database.connect() as conn:
        assert [one.what for one in pattern_detail.history(conn, 1, second.id)] == ["merged"]


def test_a_pattern_with_an_experiment_is_not_merged(writer: Writer, connection: Connection) -> None:
    first, second = a_pattern(), a_pattern(name="mail")
    learn(writer, patterns=[first, second])
    one = an_experiment(first.id)
    experiment_changes.add(connection, 1, one, "ann")
    experiment_changes.start(connection, UUID(one.id), "ann")
    with pytest.raises(StoreError, match="'brief' is about"):
        pattern_changes.merge(connection, 1, first.id, second.id, "ann")


def test_the_worker_hears_that_the_advisor_is_wanted(
    writer: Writer, connection: Connection
) -> None:
    pattern = a_pattern()
    learn(writer, patterns=[pattern])
    pattern_changes.want_advice(connection, 1, pattern.id, "ann")
    assert pattern_changes.wanted(connection) == [(1, pattern.id, "ann")]
    pattern_changes.was_asked(connection, 1, pattern.id)
    assert pattern_changes.wanted(connection) == []
    with pytest.raises(StoreError, match="There is no pattern"):
        pattern_changes.want_advice(connection, 1, new_id(), "ann")


def test_what_a_person_says_outweighs_the_rest_and_counts_in_the_sums(
    database: Database, writer: Writer, connection: Connection
) -> None:
    pattern = a_pattern(last_seen=AT)
    (request,) = asked(writer, pattern, "bad")
    day = AT.__class__.now(AT.tzinfo).date()
    learn(writer, sums=[a_sum(pattern, day=day, good=0, bad={"answered": 1})])

    def counted() -> tuple[int, int, dict[str, int]]:
        with database.connect() as conn:
            found = patterns.total(conn, 1, pattern.id, day)
        return found.judged, found.good, found.bad

    assert counted() == (1, 0, {"answered": 1})
    feedback.give(connection, request.id, "good", "ann", "it was fine")
    assert counted() == (1, 1, {"answered": 1})
    feedback.give(connection, request.id, "bad", "ann")
    assert counted() == (1, 0, {"answered": 1, "feedback": 1})
    feedback.give(connection, request.id, "good", "bert")
    assert counted() == (1, 1, {"answered": 1})
    with database.connect() as conn:
        told = call_lessons.of_call(conn, request.id).signals
    assert [(one.name, one.verdict) for one in told] == [("answered", "bad"), ("feedback", "good")]
    assert [one.action for _, one in audit.newest(connection)] == ["feedback"] * 3
    with pytest.raises(StoreError, match="There is no call"):
        feedback.give(connection, new_id(), "good", "ann")


def test_of_a_call_it_is_told_what_was_done_to_it(
    database: Database, writer: Writer, connection: Connection
) -> None:
    request = a_request()
    one = an_experiment()
    experiment_changes.add(connection, 1, one, "ann")
    tried = a_change(request, one.id, kind="experiment", arm="short", root=b"1" * 16, kept=0.5)
    done = [a_change(request, "brief", why="it is signed"), tried]
    writer.write(Batch(requests=[request], lessons=Lessons(applied=done)))
    with database.connect() as conn:
        found = call_lessons.of_call(conn, request.id)
        assert call_lessons.of_call(conn, new_id()) == call_lessons.CallLessons()
    rule, trial = found.applied
    assert (rule.name, rule.why, rule.arm) == ("brief", "it is signed", None)
    assert (trial.name, trial.arm, trial.kept) == ("brief", "short", 0.5)
