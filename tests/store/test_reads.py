from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import text

from llmproxy_core.store import filters, reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.partitions import epoch_now
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, a_call, a_request, a_response, a_session, an_event, new_id, whole
from tests.store.statements import statements_of


@pytest.fixture
def writer(database: Database):
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.fixture
def ids(writer: Writer) -> list[UUID]:
    """Twelve flows in two namespaces, the newest first."""
    other = writer.namespace("other")
    requests = [a_request(ns_id=(1, other)[number % 2]) for number in range(12)]
    writer.write(Batch(requests=requests, responses=[a_response(row) for row in requests[:6]]))
    return [row.id for row in reversed(requests)]


def test_the_newest_flows_of_all_namespaces_come_first(database: Database, ids: list[UUID]) -> None:
    with database.connect() as connection:
        found = reads.flows(connection, limit=5)
    assert [flow.id for flow in found] == ids[:5]
    assert {flow.namespace for flow in found} == {"default", "other"}


def test_one_can_page_back_and_catch_up(database: Database, ids: list[UUID]) -> None:
    with database.connect() as connection:
        older = reads.flows(connection, limit=3, before=ids[4])
        newer = reads.flows(connection, after=ids[4])
    assert [flow.id for flow in older] == ids[5:8]
    assert [flow.id for flow in newer] == ids[:4]


def test_flows_of_a_session(database: Database, writer: Writer, ids: list[UUID]) -> None:
    mine = a_request(session_id=new_id())
    writer.write(Batch(requests=[mine]))
    with database.connect() as connection:
        assert [flow.id for flow in reads.flows(connection, session=mine.session_id)] == [mine.id]


def test_flows_by_id_leaves_out_what_is_not_there(database: Database, ids: list[UUID]) -> None:
    with database.connect() as connection:
        found = reads.flows_by_id(connection, [ids[7], new_id(), ids[2]])
        assert reads.flows_by_id(connection, []) == []
    assert [flow.id for flow in found] == [ids[2], ids[7]]


def test_a_flow_without_an_answer_is_open(database: Database, writer: Writer) -> None:
    writer.write(Batch(requests=[request := a_request()]))
    with database.connect() as connection:
        flow = reads.flows_by_id(connection, [request.id])[0]
    assert (flow.state, flow.status, flow.text_start, flow.tool_names) == ("open", None, "", [])
    assert (flow.model, flow.request_changed, flow.response_changed) == ("gpt-4o", False, False)


def test_a_line_of_the_feed_says_what_matters(database: Database, writer: Writer) -> None:
    request = a_request(hash_out=b"x" * 16)
    response = a_response(request, text="One\n two " * 100, cost_usd=Decimal("0.5"))
    calls = [a_call(request, 0), a_call(request, 1, name="write")]
    writer.write(Batch([request], [response], calls))
    with database.connect() as connection:
        flow = reads.flows_by_id(connection, [request.id])[0]
    assert flow.text_start == ("One two " * 100)[:120]
    assert (flow.n_tool_calls, flow.tool_names) == (2, ["search", "write"])
    assert (flow.model, flow.request_model) == ("gpt-4o-2024-11-20", "gpt-4o")
    assert (flow.request_changed, flow.response_changed) == (True, False)


def test_a_large_upload_counts_as_what_it_turned_out_to_be(
    database: Database, writer: Writer
) -> None:
    request = a_request()
    response = a_response(
        request, upload_bytes=10**9, upload_hash_in=b"a" * 16, upload_hash_out=b"b" * 16
    )
    writer.write(Batch([request], [response]))
    with database.connect() as connection:
        flow = reads.flows_by_id(connection, [request.id])[0]
    assert (flow.body_bytes, flow.request_changed) == (10**9, True)


def test_the_request_before_is_the_one_in_the_same_session(
    database: Database, writer: Writer
) -> None:
    session = new_id()
    first, other, second = a_request(session_id=session), a_request(), a_request(session_id=session)
    writer.write(Batch(requests=[first, other, second]))
    with database.connect() as connection:
        found = [reads.flow(connection, row.id) for row in (first, second)]
        assert reads.flow(connection, new_id()) is None
    assert [detail.previous_id for detail in found if detail] == [None, first.id]


def test_an_id_is_found_by_its_beginning_or_end(database: Database, ids: list[UUID]) -> None:
    with database.connect() as connection:
        assert reads.find_ids(connection, ids[0].hex[-8:].upper()) == [ids[0]]
        assert reads.find_ids(connection, str(ids[0])) == [ids[0]]
        assert set(ids) >= set(reads.find_ids(connection, str(ids[0])[:10])) >= {ids[0]}
        for wrong in ("", "xyz", "0" * 33, "%"):
            assert reads.find_ids(connection, wrong) == []


def test_sessions_last_active_come_first(database: Database, writer: Writer) -> None:
    rows = [a_session(id=new_id(), at=AT + timedelta(minutes=number)) for number in range(4)]
    writer.write(Batch(sessions=rows))
    with database.connect() as connection:
        found = reads.sessions(connection, limit=2)
        rest = reads.sessions(connection, before=found[-1].last_at)
    assert [row.id for row in found + rest] == [row.id for row in reversed(rows)]


def test_events_can_be_asked_for_by_kind(database: Database, writer: Writer) -> None:
    gap, fault = an_event(), an_event(kind="fault", data={"addon": "capture"})
    writer.write(Batch(events=[gap, fault]))
    with database.connect() as connection:
        assert reads.events(connection) == [fault, gap]
        assert reads.events(connection, kind="gap") == [gap]


def test_the_summary_counts(database: Database, writer: Writer) -> None:
    answered, waiting = a_request(), a_request()
    batch = whole(answered)
    batch.requests.append(waiting)
    batch.events = [an_event(), an_event(), an_event(kind="row_refused", data={})]
    batch.events.append(an_event(data={"records": 0, "bodies": 4, "reason": "max_bytes"}))
    counts = {"requests": 2, "responses": 1, "input_tokens": 7, "cost_usd": Decimal("0.5")}
    batch.sessions = [a_session(at=datetime.now(UTC), **counts)]
    writer.write(batch)
    with database.connect() as connection:
        found = reads.summary(connection)
    assert (found.requests, found.responses, found.sessions) == (2, 1, 1)
    assert (found.open, found.refused_rows) == (1, 1)
    assert (found.lost_records, found.lost_bodies) == (6, 4)
    assert (found.input_tokens, found.cost_usd) == (7, Decimal("0.5"))


def test_an_empty_store_can_be_read(database: Database) -> None:
    with database.connect() as connection:
        assert not reads.flows(connection)
        assert not reads.sessions(connection)
        assert not reads.events(connection)
        assert reads.summary(connection).requests == 0


@pytest.mark.parametrize("line", ["", "status:200", "model:gpt -is:error", "state:complete"])
def test_the_feed_goes_down_the_primary_key(database: Database, writer: Writer, line: str) -> None:
    for _ in range(4):
        rows = [a_request() for _ in range(500)]
        writer.write(Batch(requests=rows, responses=[a_response(row) for row in rows]))
    with database.connect() as connection:
        connection.execute(text("ANALYZE"))
        with statements_of(connection) as statements:
            reads.flows(connection, where=filters.parse(line))
        assert len(statements) == 1 + ("model:" in line)  # the names of models are asked for first
        sql, parameters = statements[-1]
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {sql}", parameters).scalars())
    week = epoch_now()
    assert f"Index Scan Backward using requests_w{week}_pkey" in plan
    assert f"using responses_w{week}_pkey" in plan
    assert "Seq Scan on requests" not in plan
    assert plan.index(f"requests_w{week + 1}") < plan.index(f"requests_w{week}")


def test_a_flow_takes_few_queries(database: Database, ids: list[UUID]) -> None:
    with database.connect() as connection, statements_of(connection) as statements:
        reads.flow(connection, ids[-1])
    assert len(statements) == 7


def test_ids_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert all(one < two for one, two in pairwise(made))
