from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from llmproxy_core.errors import StoreError
from llmproxy_core.store import approvals, audit
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, an_approval, new_id

NOW = datetime.now(UTC)


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def test_the_most_urgent_comes_first(database: Database, writer: Writer) -> None:
    calls = [a_request() for _ in range(3)]
    ends = (NOW + timedelta(hours=2), NOW + timedelta(hours=1), NOW - timedelta(seconds=1))
    rows = [an_approval(call, expires_at=end) for call, end in zip(calls, ends, strict=True)]
    writer.write(Batch(requests=calls, approvals=rows))
    with database.connect() as connection:
        waiting = approvals.waiting(connection)
        everything = approvals.newest(connection)
    assert [row.request_id for row in waiting] == [calls[1].id, calls[0].id]
    assert [(row.request_id, row.state) for row in everything] == [
        (calls[2].id, "expired"), (calls[1].id, "waiting"), (calls[0].id, "waiting"),
    ]  # fmt: skip


def test_a_decision_is_kept_and_audited(database: Database, writer: Writer) -> None:
    call = a_request()
    writer.write(Batch(requests=[call], approvals=[an_approval(call, tool="bash")]))
    with database.raw() as connection:
        approvals.decide(connection, call.id, "denied", "anna", "not here")
        event = audit.newest(connection)[0][1]
    with database.connect() as opened:
        (row,) = approvals.of_flow(opened, call.id)
        assert approvals.waiting(opened) == []
    assert (row.state, row.decided_by, row.why, row.tool) == ("denied", "anna", "not here", "bash")
    assert (event.action, event.target) == ("call denied", str(call.id))
    assert event.detail == '{"policy":"ask-first","tool":"bash","why":"not here"}'


def test_what_is_decided_or_over_cannot_be_decided(database: Database, writer: Writer) -> None:
    decided, late, gone = (a_request() for _ in range(3))
    rows = [
        an_approval(decided),
        an_approval(late, expires_at=NOW - timedelta(seconds=1)),
        an_approval(gone, state="expired"),
    ]
    writer.write(Batch(requests=[decided, late, gone], approvals=rows))
    with database.raw() as connection:
        approvals.decide(connection, decided.id, "approved", "anna")
        with pytest.raises(StoreError, match="anna has approved it already"):
            approvals.decide(connection, decided.id, "denied", "bert")
        for call in (late, gone):
            with pytest.raises(StoreError, match="time is over"):
                approvals.decide(connection, call.id, "approved", "bert")
        with pytest.raises(StoreError, match="Nothing waits"):
            approvals.decide(connection, new_id(), "approved", "bert")
        assert len(audit.newest(connection)) == 1


def test_a_call_of_a_tool_is_decided_apart_from_its_request(
    database: Database, writer: Writer
) -> None:
    call = a_request()
    writer.write(Batch(requests=[call], approvals=[an_approval(call)]))
    with database.raw() as connection:
        approvals.decide(connection, call.id, "approved", "anna")
    writer.write(Batch(approvals=[an_approval(call, tool="bash")]))
    with database.connect() as opened:
        assert [row.tool for row in approvals.waiting(opened)] == ["bash"]
    with database.raw() as connection:
        approvals.decide(connection, call.id, "denied", "bert")
        assert approvals.decided(connection) == {
            call.id.hex: {"decision": "approved", "by": "anna"},
            f"{call.id.hex}:tool": {"decision": "denied", "by": "bert"},
        }
        with pytest.raises(StoreError, match="bert has denied it already"):
            approvals.decide(connection, call.id, "approved", "anna")
