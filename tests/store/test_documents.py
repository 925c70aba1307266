"""Bodies that are stored as edits of each other, and read back."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from llmproxy_core.errors import StoreError
from llmproxy_core.hashing import content_hash
from llmproxy_core.store import detail, reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, a_response, a_session
from tests.store.statements import statements_of

WORDS = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 4


@pytest.fixture
def writer(database: Database):
    found = Writer(database)
    yield found
    found.close()


def turn(n: int, parent: RequestRow | None = None, **changes: Any) -> RequestRow:
    """The n-th request of a conversation that sends all of it again."""
    said = [{"role": "user", "content": f"{k} {WORDS}"} for k in range(n + 1)]
    body = json.dumps({"model": "m", "system": f"at {n}", "messages": said}).encode()
    return a_request(
        body=body, body_bytes=len(body), hash_in=content_hash(body), hash_out=content_hash(body),
        parent_id=parent.id if parent else None, **changes,
    )  # fmt: skip


def answer(request: RequestRow, body: bytes) -> ResponseRow:
    digest = content_hash(body)
    return a_response(
        request, body=body, body_bytes=len(body), hash_in=digest, hash_out=digest, headers=[("a", "b")]
    )  # fmt: skip


def body_of(database: Database, id: UUID) -> bytes:
    with database.connect() as connection:
        found = reads.flow(connection, id)
    assert found is not None
    return found.request.body


def count(database: Database, query: str) -> int:
    with database.connect() as connection:
        return int(connection.scalar(text(query)) or 0)


def test_every_turn_of_a_long_conversation_comes_back(database: Database, writer: Writer) -> None:
    turns = [turn(0)]
    for n in range(1, 70):
        turns.append(turn(n, turns[-1]))
    for row in turns:
        writer.write(Batch([row], [answer(row, b'{"text": "%d"}' % turns.index(row))]))
    for n, row in enumerate(turns):
        with database.connect() as connection:
            found = reads.flow(connection, row.id)
        assert found is not None
        assert (found.request.body, found.request.headers) == (row.body, row.headers)
        assert found.response is not None
        assert (found.response.body, found.response.headers) == (
            b'{"text": "%d"}' % n,
            [("a", "b")],
        )
    assert count(database, "SELECT count(*) FROM blobs") <= 70
    assert (
        count(database, "SELECT max(length(body)) FROM requests WHERE base_id IS NOT NULL") < 1500
    )


def test_the_documents_of_a_page_are_read_in_few_statements(
    database: Database, writer: Writer
) -> None:
    turns = [turn(0)]
    for n in range(1, 40):
        turns.append(turn(n, turns[-1]))
    writer.write(Batch(turns, [answer(row, b'{"text": "%d"}' % n) for n, row in enumerate(turns)]))
    keys = [(row.ns_id, row.id) for row in turns[::-2]]
    with database.connect() as connection, statements_of(connection) as statements:
        found = detail.unread(connection, keys)
    assert list(found) == keys
    by_id = {row.id: row.body for row in turns}
    assert all(request.body == by_id[id] for (_, id), (request, _) in found.items())
    assert {response.body for _, response in found.values() if response} == {
        b'{"text": "%d"}' % n for n in range(1, 40, 2)
    }
    assert len(statements) <= 8


def test_of_a_page_the_damaged_document_is_named(database: Database, writer: Writer) -> None:
    sound, damaged = turn(3), turn(4, session_id=UUID(int=7))
    writer.write(Batch([sound, damaged]))
    with database.connect() as connection:
        query = text("UPDATE requests SET body = '\\x00' WHERE id = :id")
        connection.execute(query, {"id": damaged.id})
        with pytest.raises(StoreError, match=f"request of flow {damaged.id} cannot be read back"):
            detail.unread(connection, [(1, sound.id), (1, damaged.id)])
        assert (1, sound.id) in detail.unread(connection, [(1, sound.id)])


def test_two_conversations_share_their_pieces(database: Database, writer: Writer) -> None:
    writer.write(Batch([turn(20)]))
    before = count(database, "SELECT count(*) FROM blobs")
    other = turn(20, session_id=UUID(int=5))
    second = Writer(database)
    second.write(Batch([other]))
    second.close()
    assert count(database, "SELECT count(*) FROM blobs") == before
    assert body_of(database, other.id) == other.body


def test_a_batch_that_failed_is_not_built_upon(database: Database, writer: Writer) -> None:
    first = turn(20)
    with database.connect() as connection:
        connection.execute(text("ALTER TABLE sessions RENAME TO gone"))
        connection.commit()
        with pytest.raises(StoreError):
            writer.write(Batch([first], sessions=[a_session()]))
        connection.execute(text("ALTER TABLE gone RENAME TO sessions"))
        connection.commit()
    second = turn(21, first)
    writer.write(Batch([second]))
    assert body_of(database, second.id) == second.body


def test_a_row_that_is_refused_takes_no_other_with_it(database: Database, writer: Writer) -> None:
    first = turn(20)
    second, third = replace(turn(21, first), port=2**40), turn(22, first)
    writer.write(Batch([first, second, third]))
    for row in (first, third):
        assert body_of(database, row.id) == row.body


def test_a_damaged_body_is_told_with_its_flow(database: Database, writer: Writer) -> None:
    first = turn(20)
    writer.write(Batch([first, other := turn(1, session_id=UUID(int=7))]))
    with database.connect() as connection:
        connection.execute(
            text("UPDATE requests SET body = '\\x00' WHERE id = :id"), {"id": first.id}
        )
        connection.commit()
        with pytest.raises(StoreError, match=f"request of flow {first.id} cannot be read back"):
            reads.flow(connection, first.id)
    assert body_of(database, other.id) == other.body


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM blobs", "piece [0-9a-f]{32} is missing"),
        ("UPDATE requests SET base_id = id", "builds on"),
        ("UPDATE blobs SET data = '\\x0041'", "it is not what passed"),
    ],
)
def test_what_is_missing_or_changed_is_told(
    database: Database, writer: Writer, damage: str, told: str
) -> None:
    row = turn(20)
    writer.write(Batch([row]))
    with database.connect() as connection:
        connection.execute(text(damage))
        connection.commit()
        with pytest.raises(StoreError, match=told):
            reads.flow(connection, row.id)


def test_a_body_that_was_changed_before_it_was_kept_comes_back_as_kept(
    database: Database, writer: Writer
) -> None:
    row = a_request(body=b"redacted", hash_out=content_hash(b"the secret"))
    writer.write(Batch([row]))
    assert body_of(database, row.id) == b"redacted"


def test_a_small_call_alone_needs_no_row_but_its_own(database: Database, writer: Writer) -> None:
    for _ in range(3):
        row = turn(2)
        writer.write(Batch([row], [answer(row, b'{"text": "' + b"x" * 900 + b'"}')]))
    assert count(database, "SELECT count(*) FROM blobs") == 0
    assert body_of(database, row.id) == row.body


def test_rows_from_before_there_were_documents_are_read(database: Database, writer: Writer) -> None:
    row = a_request()
    writer.write(Batch([row]))
    with database.connect() as connection:
        connection.execute(
            text(
                "UPDATE requests SET base_id = NULL, body_encoding = 'identity', body = 'old', "
                """headers = '[["a", "b"]]'"""
            )
        )
        connection.commit()
        found = reads.flow(connection, row.id)
    assert found is not None
    assert (found.request.body, found.request.headers) == (b"old", [("a", "b")])
