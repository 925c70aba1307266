"""What the worker writes of what it learns."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from llmproxy_core.store import unlearnt
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import NEWS, Lessons, UnlearntRow
from llmproxy_core.store.notify import Change
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_request, new_id, whole
from tests.store.lessons import (
    a_change,
    a_pattern,
    a_signal,
    a_sum,
    a_unit,
    a_version,
    an_event_of,
    of_pattern,
)

HOME = "/home/ann/.llmproxy"


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def learn(writer: Writer, **rows: Any) -> Change:
    return writer.write(Batch(lessons=Lessons(**rows)))


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_everything_that_was_learnt_is_stored_in_one_batch(
    database: Database, writer: Writer
) -> None:
    request, pattern = a_request(), a_pattern(name="a \x00 name")
    change = writer.write(
        Batch(
            requests=[request],
            lessons=Lessons(
                applied=[a_change(request, root=b"1" * 16)],
                patterns=[pattern],
                versions=[a_version(pattern)],
                history=[an_event_of(pattern)],
                calls=[of_pattern(request, pattern)],
                signals=[a_signal(request)],
                sums=[a_sum(pattern)],
                units=[a_unit(new_id())],
            ),
        )
    )
    counts = {
        table: rows(database, f"SELECT count(*) FROM {table}")[0][0]
        for table in (
            "applied", "prompt_patterns", "pattern_versions", "pattern_history", "pattern_calls",
            "signals", "pattern_days", "experiment_units",
        )
    }  # fmt: skip
    assert set(counts.values()) == {1}
    assert rows(database, "SELECT name FROM prompt_patterns") == [("a � name",)]
    assert pattern.id in change.learning


def test_a_batch_that_is_written_twice_counts_once(database: Database, writer: Writer) -> None:
    request, pattern = a_request(), a_pattern()
    asked = Lessons(unlearnt=[UnlearntRow(1, request.id, HOME)])
    writer.write(Batch(requests=[request], lessons=asked))
    with database.connect() as connection:
        assert unlearnt.oldest(connection, HOME, 10) == asked.unlearnt
    lessons: dict[str, Any] = {
        "learnt": [(1, request.id)],
        "patterns": [pattern],
        "calls": [of_pattern(request, pattern)],
        "signals": [a_signal(request)],
        "sums": [a_sum(pattern, request)],
    }
    learn(writer, **lessons)
    learn(writer, **lessons)
    assert rows(database, "SELECT sum(calls), count(*) FROM pattern_days") == [(1, 1)]
    assert rows(database, "SELECT count(*) FROM signals") == [(1,)]
    with database.connect() as connection:
        assert unlearnt.oldest(connection, HOME, 10) == []


def test_a_journal_that_is_read_again_is_not_learnt_from_again(
    database: Database, writer: Writer
) -> None:
    request, pattern = a_request(), a_pattern()
    batch = whole(request)
    batch.lessons = Lessons(
        unlearnt=[UnlearntRow(1, request.id, HOME)], sums=[a_sum(pattern, request)]
    )
    writer.write(batch)
    learn(writer, learnt=[(1, request.id)])
    writer.write(batch)
    assert rows(database, "SELECT sum(calls) FROM pattern_days") == [(1,)]
    assert rows(database, "SELECT count(*) FROM unlearnt") == [(0,)]


def test_sums_grow_in_the_rows_of_their_writer(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    learn(writer, sums=[a_sum(pattern), a_sum(pattern, duration_ms=900.0)])
    learn(writer, sums=[a_sum(pattern, calls=0, judged=0, good=-1, bad={"correction": 1})])
    other = Writer(database)
    learn(other, sums=[a_sum(pattern, judged=0, good=0)])
    other.close()
    told = "SELECT sum(calls), sum(judged), sum(good), count(*) FROM pattern_days"
    assert rows(database, told) == [(3 + 1 - 1, 2, 1, 2)]
    assert rows(database, "SELECT bad FROM pattern_days WHERE bad <> '{}'") == [
        ({"correction": 1},)
    ]


def test_a_batch_that_fails_counts_nothing(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    learn(writer, sums=[a_sum(pattern)])
    learn(writer, sums=[a_sum(pattern)], units=[a_unit(new_id(), arm=None)])
    learn(writer, sums=[a_sum(pattern)])
    assert rows(database, "SELECT sum(calls) FROM pattern_days") == [(3,)]
    (refused,) = rows(database, "SELECT data FROM analytics_events WHERE kind = 'row_refused'")
    assert refused[0]["table"] == "units"


def test_a_pattern_is_stored_over_what_it_was(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    learn(writer, patterns=[pattern])
    later = AT + timedelta(days=1)
    learn(writer, patterns=[a_pattern(id=pattern.id, calls=9, first_seen=later, last_seen=later)])
    told = "SELECT calls, first_seen, last_seen FROM prompt_patterns"
    assert rows(database, told) == [(9, AT, later)]


def test_what_a_row_leaves_out_is_not_lost_in_the_batch_that_has_it(
    database: Database, writer: Writer
) -> None:
    pattern = a_pattern()
    version = a_version(pattern)
    brief = replace(pattern, pieces=[], state={}, calls=9)
    again = replace(version, text="", text_hash=bytes(16), calls=9)
    learn(writer, patterns=[pattern, brief], versions=[version, again])
    known = rows(database, "SELECT pieces, state, calls FROM prompt_patterns")
    assert known == [(pattern.pieces, pattern.state, 9)]
    told = rows(database, "SELECT text, text_hash, calls FROM pattern_versions")
    assert told == [(version.text, UUID(bytes=version.text_hash), 9)]


def test_the_name_that_a_person_gave_stays(database: Database, writer: Writer) -> None:
    pattern = a_pattern()
    learn(writer, patterns=[pattern])
    with database.raw() as connection:
        connection.execute("UPDATE prompt_patterns SET name = 'triage', named_by = 'ann'")
    learn(writer, patterns=[pattern])
    assert rows(database, "SELECT name FROM prompt_patterns") == [("triage",)]


def test_what_was_merged_goes_where_its_heir_goes(database: Database, writer: Writer) -> None:
    first, second, third = (a_pattern() for _ in range(3))
    learn(writer, patterns=[first, second, third])
    first.merged_into = second.id
    learn(writer, patterns=[first])
    second.merged_into = third.id
    learn(writer, patterns=[second])
    first.merged_into = None
    learn(writer, patterns=[first])
    told = "SELECT DISTINCT merged_into FROM prompt_patterns WHERE merged_into IS NOT NULL"
    assert rows(database, told) == [(third.id,)]


def test_a_late_signal_is_a_row_beside_the_others(database: Database, writer: Writer) -> None:
    request = a_request()
    learn(writer, signals=[a_signal(request), a_signal(request)])
    later = a_signal(request, at=AT + timedelta(minutes=1), verdict="bad", told_by=new_id())
    learn(writer, signals=[later])
    assert rows(database, "SELECT verdict FROM signals ORDER BY at") == [(1,), (-1,)]


def test_a_conversation_of_an_experiment_is_stored_over_what_it_was(
    database: Database, writer: Writer
) -> None:
    experiment = new_id()
    learn(writer, units=[a_unit(experiment), a_unit(experiment, calls=2, success=False)])
    learn(writer, units=[a_unit(experiment, calls=3, success=True)])
    assert rows(database, "SELECT calls, success FROM experiment_units") == [(3, 1)]


def test_of_many_patterns_a_change_tells_only_that_there_is_news(writer: Writer) -> None:
    change = learn(writer, patterns=[a_pattern() for _ in range(60)])
    assert change.learning == [NEWS]
