import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from llmproxy_core.errors import DatabaseUnavailable, SchemaError
from llmproxy_core.store import reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import Contribution, OffsetRow, StreamDelta
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.store.writer import Writer
from tests.store.flows import (
    AT,
    HASH,
    SESSION,
    a_call,
    a_request,
    a_response,
    a_session,
    an_event,
    whole,
)


def stored(database: Database, id: UUID) -> FlowDetail:
    with database.connect() as connection:
        found = reads.flow(connection, id)
    assert found is not None
    return found


def count(database: Database, table: str) -> int:
    with database.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def nested(depth: int) -> list[Any]:
    deep: list[Any] = []
    for _ in range(depth):
        deep = [deep]
    return deep


@pytest.fixture
def writer(database: Database):
    writer = Writer(database)
    yield writer
    writer.close()


def test_an_exchange_is_read_as_it_was_written(database: Database, writer: Writer) -> None:
    request = a_request(body=b'{"a": 1}' * 100, parameters={"stop": ["x"], "n": None})
    response = a_response(
        request,
        usage={"z": 1, "a": {"b": [1, 2.5, None]}},
        cost_usd=Decimal("0.000012345678901234567890"),
        trailers=[("X-Checksum", "1")],
        upload_bytes=7,
        upload_hash_in=b"a" * 16,
        upload_hash_out=b"b" * 16,
        refusal="No",
        reasoning="because",
    )
    call = a_call(request)
    writer.write(Batch(requests=[request], responses=[response], tool_calls=[call]))
    found = stored(database, request.id)
    assert (found.request, found.response, found.tool_calls) == (request, response, [call])
    assert list(found.response.usage) == ["z", "a"]  # type: ignore[arg-type,union-attr]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\0b", "a�b"),
        ("\ud800 alone", "� alone"),
        ("pair \U0001f600 whole", "pair \U0001f600 whole"),
        ("ünïcödé \0", "ünïcödé �"),
        ("\\u0000 spelled out", "\\u0000 spelled out"),
    ],
)
def test_text_that_postgres_refuses_is_replaced(
    database: Database, writer: Writer, given: str, kept: str
) -> None:
    request = a_request(
        preview=given, headers=[("x", given)], parameters={given: [given]}, tool_names=[given]
    )
    response = a_response(request, text=given, error=given, usage={"note": given})
    event = an_event(data={"why": given})
    writer.write(Batch([request], [response], [a_call(request, arguments=given)], events=[event]))
    found = stored(database, request.id)
    assert found.request.preview == kept
    assert found.request.headers == [("x", kept)]
    assert found.request.parameters == {kept: [kept]}
    assert found.request.tool_names == [kept]
    assert found.tool_calls[0].arguments == kept
    assert found.response is not None
    assert (found.response.text, found.response.error) == (kept, kept)
    assert found.response.usage == {"note": given}
    with database.connect() as connection:
        assert reads.events(connection)[0].data == {"why": kept}


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"a" * 127, b"a" * 128, bytes(range(256)) * 20_000, b"\0\xff\xfe" * 43],
    ids=["empty", "one byte", "below zstd", "zstd", "5 MB", "not text"],
)
def test_a_body_comes_back_byte_for_byte(database: Database, writer: Writer, body: bytes) -> None:
    request = a_request(body=body)
    writer.write(whole(request, body=body))
    found = stored(database, request.id)
    assert found.request.body == body
    assert found.response is not None
    assert found.response.body == body


def test_a_session_adds_up_over_batches(database: Database, writer: Writer) -> None:
    later = AT + timedelta(minutes=5)
    turn = a_session(requests=1, input_tokens=10, cost_usd=Decimal("0.1"))
    writer.write(Batch(sessions=[replace(turn, title=""), turn]))
    writer.write(Batch(sessions=[replace(turn, title="Other", model="gpt-5", at=later)]))
    with database.connect() as connection:
        found = reads.session(connection, SESSION)
    assert found is not None
    assert (found.requests, found.input_tokens, found.cost_usd) == (3, 30, Decimal("0.3"))
    assert (found.title, found.model) == ("Hello", "gpt-5")
    assert (found.started_at, found.last_at) == (AT, later)


def test_offsets_are_kept_by_writer(writer: Writer) -> None:
    one, two = OffsetRow("one", 1, 100, 1, 50), OffsetRow("two", 3, 7, 2, 8)
    writer.write(Batch(offsets=[one, two]))
    moved = replace(one, offset=200)
    writer.write(Batch(offsets=[one, moved]))
    assert writer.offsets() == {"one": moved, "two": two}
    writer.write(Batch(finished_writers=["one"]))
    assert writer.offsets() == {"two": two}


def test_streamed_text_is_there_until_its_answer_is(database: Database, writer: Writer) -> None:
    request = a_request(stream=True)
    pieces = [StreamDelta(1, request.id, seq, "text", f"{seq}\0") for seq in range(3)]
    assert writer.write(Batch(requests=[request], deltas=pieces[:2])).streamed == [request.id]
    writer.write(Batch(deltas=pieces))
    live = stored(database, request.id).live
    assert [(piece.seq, piece.text) for piece in live] == [(0, "0�"), (1, "1�"), (2, "2�")]
    last = StreamDelta(1, request.id, 3, "text", "late")
    change = writer.write(Batch(responses=[a_response(request)], deltas=[last]))
    assert (change.streamed, change.ended) == ([], [request.id])
    assert count(database, "stream_deltas") == 0


def test_a_namespace_is_made_once(database: Database, writer: Writer) -> None:
    assert writer.namespace("default") == 1
    mine = writer.namespace("mine")
    assert mine == 2
    other = Writer(database)
    assert other.namespace("mine") == mine
    other.close()


def test_a_refused_row_does_not_hold_up_the_others(database: Database, writer: Writer) -> None:
    good, bad = a_request(), a_request(parameters={"deep": nested(100_000)}, body=b"kept")
    answer = a_response(bad, input_tokens=2**70, error_type="x")
    offset = OffsetRow("w", 1, 2, 1, 2)
    change = writer.write(
        Batch([good, bad], [a_response(good), answer], [a_call(bad)], offsets=[offset])
    )
    kept = stored(database, bad.id)
    assert kept.request.body == b"kept"
    assert "not stored whole" in (kept.request.parse_error or "")
    assert kept.flow.state == "complete"
    assert stored(database, good.id).response == a_response(good)
    assert writer.offsets() == {"w": offset}
    with database.connect() as connection:
        told = reads.events(connection, kind="row_refused")
    assert {event.data["table"] for event in told} == {"requests", "responses"}
    assert [event.request_id for event in told] == [bad.id, bad.id]
    assert set(change.events) == {event.id for event in told}


def test_sums_that_do_not_fit_do_not_hold_up_the_calls(database: Database, writer: Writer) -> None:
    requests = [a_request(), a_request()]
    sums = [
        Contribution(row.ns_id, row.id, AT, "openai", "m", "c", input_tokens=2**62)
        for row in requests
    ]
    offset = OffsetRow("w", 1, 2, 1, 2)
    writer.write(
        Batch(requests, [a_response(row) for row in requests], rollups=sums, offsets=[offset])
    )
    later = a_request()
    good = Contribution(later.ns_id, later.id, AT, "openai", "m", "c", input_tokens=5)
    writer.write(Batch([later], [a_response(later)], rollups=[good]))

    assert writer.offsets() == {"w": offset}
    with database.connect() as connection:
        assert len(reads.flows(connection)) == 3
        assert [e.data["table"] for e in reads.events(connection, kind="row_refused")] == [
            "rollups, search"
        ]
        assert connection.scalar(text("SELECT sum(input_tokens) FROM rollups")) == 5


@pytest.mark.parametrize(("hash_out", "told"), [(HASH, 0), (HASH[::-1], 1)])
def test_a_row_that_is_there_already_is_left_alone_and_told_if_it_differs(
    database: Database, writer: Writer, hash_out: bytes, told: int
) -> None:
    request = a_request()
    writer.write(whole(request))
    again = replace(request, preview="second", hash_out=hash_out)
    writer.write(Batch(requests=[again, other := a_request()]))
    assert stored(database, request.id).request.preview == "Hello"
    assert stored(database, other.id).request == other
    assert count(database, "analytics_events") == told


def test_a_broken_connection_leaves_nothing_behind(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the connection after the rows were sent and before the offsets are."""
    from llmproxy_core.store import statements

    request = a_request()
    real = statements.store_offsets

    def killed(connection: psycopg.Connection, batch: Batch) -> None:
        with database.raw() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        real(connection, batch)

    monkeypatch.setattr(statements, "store_offsets", killed)
    batch = whole(request)
    batch.offsets = [OffsetRow("w", 1, 2, 1, 2)]
    with pytest.raises(DatabaseUnavailable):
        writer.write(batch)
    monkeypatch.undo()
    assert (count(database, "requests"), writer.offsets()) == (0, {})
    writer.write(batch)
    assert (count(database, "requests"), len(writer.offsets())) == (1, 1)


def test_two_writers_do_not_deadlock(database: Database) -> None:
    ids = [SESSION, UUID(int=1), UUID(int=2), UUID(int=3)]
    failures: list[Exception] = []

    def work(order: list[UUID]) -> None:
        writer = Writer(database)
        try:
            for _ in range(20):
                writer.write(Batch(sessions=[a_session(id=id, requests=1) for id in order]))
        except Exception as exc:
            failures.append(exc)
        writer.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.connect() as connection:
        assert [row.requests for row in reads.sessions(connection)] == [40] * 4


def test_a_missing_table_says_what_to_do(database: Database, writer: Writer) -> None:
    with database.raw() as connection:
        connection.execute("DROP TABLE requests")
    with pytest.raises(SchemaError, match="llmproxy db upgrade"):
        writer.write(Batch(requests=[a_request()]))
