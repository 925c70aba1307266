"""The law of test_exactly_once, in Postgres; and what the store remembers for the worker."""

import random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from llmproxy_core.spool import SpoolWriter, readers
from llmproxy_core.store import reads
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.moments import moment, nanoseconds
from llmproxy_core.worker.sessions import GAP
from llmproxy_core.worker.storage import DatabaseStorage
from tests.worker.ledger import Ledger
from tests.worker.traffic import (
    NOON,
    SECOND,
    Call,
    append,
    chat_stream,
    response,
    response_stream,
)


def drain(intake: Intake) -> None:
    while intake.collect() or intake.waiting:
        intake.commit()


def calls() -> list[Call]:
    """Sessions of all kinds, within and beyond the gap."""
    found = []
    for n in range(30):
        at = NOON + n * 130 * SECOND
        if n % 3 == 0:
            hints = {"previous_response_id": f"resp_{n - 3}"} if n else {}
            found.append(Call(n, at, wire="openai.responses", hints=hints, **_answered(n)))
        elif n % 5 == 0:
            found.append(Call(n, at, pieces=chat_stream("a", "b\0c")[: n % 4 + 1]))
        else:
            found.append(Call(n, at, credential=f"fp_{n % 2}"))
    return found


def _answered(n: int) -> dict[str, Any]:
    name = f"resp_{n}"
    return {"pieces": response_stream(name)} if n % 2 else {"answer": response(name)}


@pytest.mark.parametrize("seed", range(6))
def test_crashes_change_nothing_in_postgres(config, home, database, seed):
    dice = random.Random(seed)
    ledger, journal = Ledger(), SpoolWriter(home.spool, segment_bytes=4000)
    storage = DatabaseStorage(config, home)
    intake = Intake(home.spool, storage, 7)
    for call in calls():
        for record in call.records():
            append(journal, [record])
            if dice.random() < 0.4:
                intake.collect()
            if dice.random() < 0.3:
                intake.collect()
                intake.commit()
            if dice.random() < 0.1:
                storage.close()
                storage = DatabaseStorage(config, home)
                intake = Intake(home.spool, storage, 7)
    journal.close()
    with SpoolCopy(home.spool.parent / "copy") as copy:
        for call in calls():
            append(copy, call.records())
        copy.close()
        drain(Intake(copy.folder.parent, ledger))
    drain(intake)
    assert readers(home.spool) == []
    with database.connect() as connection:
        flows = reads.flows(connection, limit=100)
        sessions = reads.sessions(connection, limit=100)
        assert connection.scalar(text("SELECT count(*) FROM spool_offsets")) == 0
    storage.close()
    assert {flow.id: (flow.session_id, flow.state) for flow in flows} == {
        id: (ledger.requests[id].session_id, row.state) for id, row in ledger.responses.items()
    }
    for session in sessions:
        theirs = ledger.sessions[session.id]
        for name in ("requests", "responses", "errors", "input_tokens", "cost_usd", "title"):
            assert getattr(session, name) == theirs[name]
        assert (session.started_at, session.last_at) == (theirs["started_at"], theirs["last_at"])
    assert len(sessions) == len(ledger.sessions)


class SpoolCopy(SpoolWriter):
    def __enter__(self) -> "SpoolCopy":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def test_the_store_knows_the_session_of_an_answer(home, journal, storage):
    append(journal, Call(1, wire="openai.responses", answer=response("resp_1")).records())
    intake = Intake(home.spool, storage)
    drain(intake)
    (span,) = storage.sessions_of_requests([(1, _id(Call(1)))]).values()
    assert storage.node_of_response(1, "resp_1").session == span.id
    assert storage.node_of_response(2, "resp_1") is None
    assert storage.node_of_response(1, "resp_\0") is None
    assert storage.node_of_response(1, "chatcmpl-1") is None


def _id(call: Call) -> UUID:
    return UUID(bytes=call.id)


def test_looking_for_an_answer_uses_the_index(database):
    with database.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        plan = connection.execute(
            text(
                "EXPLAIN SELECT id FROM responses WHERE ns_id = 1 AND response_id = 'resp_1'"
                " AND response_id LIKE 'resp%'"
            )
        ).scalars()
        assert "ns_id_response_id_idx" in " ".join(plan)


def test_the_store_knows_the_sessions_that_went_on_at_a_time(home, journal, storage):
    for n in range(3):
        call = Call(n, NOON + n * 2 * GAP, wire="openai.embeddings")
        append(journal, call.records())
    drain(Intake(home.spool, storage))
    found = storage.recent_sessions(1, "gap", NOON + GAP)
    assert sorted(span.begin for span in found) == [NOON + 2 * GAP, NOON + 4 * GAP]
    assert storage.recent_sessions(1, "x-session-id", NOON) == []


def test_another_namespace_is_made_when_it_is_met(storage):
    assert storage.namespace("default") == 1
    assert storage.namespace("team") == storage.namespace("team") == 2


@pytest.mark.parametrize("at", [0, 1, 999, 1_795_000_000_123_456_789])
def test_moments_keep_microseconds(at):
    assert nanoseconds(moment(at)) == at // 1000 * 1000
