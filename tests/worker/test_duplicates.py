"""Exactly once, also where a journal is there twice, or is read from its beginning again."""

import shutil
from typing import Any

import pytest
import uuid_utils

from llmproxy_core.spool import SpoolWriter
from llmproxy_core.store import reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.worker.intake import Intake
from tests.worker.traffic import NOON, SECOND, Call, Recorded, append, chat_stream, response

COUNTED = ("requests", "responses", "tool_calls", "analytics_events", "stream_deltas", "search")


def copied(journal: SpoolWriter) -> None:
    """The journal as a backup brings it back: under another name, with nobody who writes."""
    twin = journal.folder.with_name(uuid_utils.uuid7().hex)
    shutil.copytree(journal.folder, twin)


def traffic() -> list[Recorded]:
    calls = [Call(n, NOON + n * SECOND) for n in range(5)]
    calls.append(Call(5, NOON + 5 * SECOND, pieces=chat_stream("Hello", " world")))
    calls.append(
        Call(
            6,
            NOON + 6 * SECOND,
            wire="openai.responses",
            path="/v1/responses",
            answer=response("r"),
        )
    )
    calls.append(
        Call(7, NOON + 7 * SECOND, status=429, answer=b'{"error":{"message":"slow down"}}')
    )
    return [record for call in calls for record in call.records()]


@pytest.fixture
def content(database):
    """All that is counted in the store."""

    def look() -> dict[str, Any]:
        found: dict[str, Any] = {}
        with database.raw() as connection:
            for table in COUNTED:
                (found[table],) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            sums = "sum(requests), sum(responses), sum(errors), sum(input_tokens), sum(cost_usd)"
            found["sessions"] = connection.execute(f"SELECT {sums} FROM sessions").fetchone()
            sums = "sum(requests), sum(errors), sum(input_tokens), sum(cost_usd)"
            found["rollups"] = connection.execute(f"SELECT {sums} FROM rollups").fetchone()
            kinds = "SELECT kind, count(*) FROM analytics_events GROUP BY kind"
            found["kinds"] = dict(connection.execute(kinds).fetchall())
        return found

    return look


def drain(home, storage, max_records: int = 500) -> None:
    intake = Intake(home.spool, storage, max_records)
    while intake.collect() or intake.waiting or intake.due:
        intake.commit()


@pytest.mark.parametrize("max_records", [3, 500])
def test_a_copy_of_a_journal_changes_nothing(home, journal, storage, content, max_records):
    append(journal, traffic())
    drain(home, storage, max_records)
    once = content()
    assert (once["requests"], once["responses"]) == (8, 8)
    copied(journal)
    copied(journal)
    drain(home, storage, max_records)
    assert content() == once


@pytest.mark.parametrize("max_records", [3, 500])
def test_copies_that_are_read_together_count_once(home, journal, storage, content, max_records):
    append(journal, traffic())
    copied(journal)
    drain(home, storage, max_records)
    twice = content()
    assert (twice["requests"], twice["responses"], twice["kinds"]) == (8, 8, {})
    assert twice["sessions"][:3] == (8, 8, 1)
    assert twice["rollups"][:2] == (8, 1)


def test_a_journal_whose_place_was_forgotten_is_read_again(
    home, journal, storage, content, database
):
    call = Call(9, pieces=chat_stream("Hello", " world"))
    append(journal, [*traffic(), *call.records()[:4]])
    drain(home, storage)
    once = content()
    with database.raw() as connection:
        connection.execute("DELETE FROM spool_offsets")
    drain(home, storage)
    assert content() == once
    append(journal, call.records()[4:])
    drain(home, storage)
    assert content()["responses"] == once["responses"] + 1
    assert content()["stream_deltas"] == 0


def test_the_answer_is_stored_to_a_request_that_was(home, journal, storage, content):
    call = Call(1)
    append(journal, [call.opened()])
    drain(home, storage)
    append(journal, [call.closed()])
    copied(journal)
    shutil.rmtree(journal.folder)
    drain(home, storage)
    found = content()
    assert (found["requests"], found["responses"], found["kinds"]) == (1, 1, {})
    assert found["sessions"][:2] == (1, 1)


def test_a_call_under_way_is_not_ended_by_a_copy_of_its_journal(
    home, journal, storage, content, database
):
    call = Call(1, pieces=chat_stream("Hello", " world"))
    append(journal, call.records()[:4])
    copied(journal)
    drain(home, storage)
    assert content()["responses"] == 0
    append(journal, call.records()[4:])
    drain(home, storage)
    with database.connect() as connection:
        (flow,) = reads.flows(connection)
    assert (flow.state, flow.text_start) == ("complete", "Hello world")
    assert content()["kinds"] == {}


def test_another_content_under_the_same_id_is_told(home, journal, storage, content):
    append(journal, Call(1).records())
    drain(home, storage)
    other = SpoolWriter(home.spool)
    append(other, [*Call(1, answer=b'{"other": 1}').records(), *Call(2).records()])
    drain(home, storage)
    other.close()
    found = content()
    assert (found["requests"], found["responses"]) == (2, 2)
    assert found["kinds"] == {"row_refused": 1}
    assert found["sessions"][:2] == (2, 2)


def test_an_answer_is_not_missed_a_request_that_was_stored_and_removed(
    home, journal, storage, content
):
    call = Call(1)
    append(journal, call.records())
    drain(home, storage)
    once = content()
    rest = SpoolWriter(home.spool)
    append(rest, [call.closed()])
    drain(home, storage)
    rest.close()
    assert content() == once


def test_an_empty_batch_is_written_as_before(storage):
    storage.write(Batch())


def test_a_copy_that_ends_before_the_call_did_does_not_count(home, journal, storage, content):
    call = Call(1, pieces=chat_stream("Hello", " world"))
    append(journal, call.records()[:4])
    copied(journal)
    append(journal, call.records()[4:])
    drain(home, storage)
    found = content()
    assert (found["requests"], found["responses"], found["kinds"]) == (1, 1, {})
    assert found["sessions"][:3] == (1, 1, 0)
    assert found["rollups"][:2] == (1, 0)
