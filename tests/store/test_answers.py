"""Calls are found by the ids of their answers, in large weeks by an index."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from llmproxy_core.store import answers, migrate
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, a_response
from tests.store.test_weeks import ONE_RESPONSE

INDEXES = "SELECT relname FROM pg_class WHERE relname LIKE 'responses%answer_idx'"
SOME = """
(SELECT id, response_id FROM responses WHERE response_id LIKE 'resp%' LIMIT 1)
UNION ALL (SELECT id, response_id FROM responses WHERE response_id LIKE 'chat%' LIMIT 1)
"""
IDS = ("resp_1", "chatcmpl-1", "msg_01", "gen-17", "0a1b2c3d")


@pytest.fixture
def calls(database: Database) -> Iterator[dict[str, RequestRow]]:
    found = {id: a_request() for id in IDS}
    writer = Writer(database)
    answered = [a_response(request, response_id=id) for id, request in found.items()]
    writer.write(Batch(requests=[*found.values()], responses=answered))
    yield found
    writer.close()


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


@pytest.mark.parametrize("id", IDS)
def test_a_call_is_found_by_the_id_of_its_answer(
    database: Database, calls: dict[str, RequestRow], id: str
) -> None:
    now = datetime.now(UTC)
    with database.connect() as conn:
        assert answers.call_of(conn, id) == calls[id].id
        assert answers.call_of(conn, id, ns_id=1, since=now - timedelta(days=1)) == calls[id].id
        assert answers.call_of(conn, id, ns_id=2) is None
        assert answers.call_of(conn, id, since=now + timedelta(days=1)) is None


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("id", ["", "resp_", "chatcmpl-", "a\x00b", "\ud800", "%", "x" * 100_000])
def test_what_is_no_answer_is_not_found(database: Database, id: str) -> None:
    with database.connect() as conn:
        assert answers.call_of(conn, id) is None


@pytest.mark.parametrize("indexed", ["before the migration", "when it grows"])
def test_a_week_that_has_grown_is_not_read_through(
    database: Database, connection: psycopg.Connection[Any], indexed: str
) -> None:
    connection.execute(ONE_RESPONSE, [1, 5_000])
    connection.execute("UPDATE responses SET response_id = 'chatcmpl-' || id")
    connection.execute(
        "UPDATE responses SET response_id = 'resp_' || id WHERE get_byte(uuid_send(id), 15) < 99"
    )
    connection.execute("SELECT llmproxy_index_weeks(0)")
    if indexed == "before the migration":
        for (name,) in connection.execute(INDEXES).fetchall():
            connection.execute(f"DROP INDEX {name}")
        connection.execute("UPDATE llmproxy_schema SET version_num = '0014'")
        migrate.upgrade(database)
    for id, answer in connection.execute(SOME).fetchall():
        query = answers.NAMED if answer.startswith("resp") else answers.OTHERS
        sql, constants = query._compiled
        values = {"answer": answer, "ns_id": 1, "low": UUID(int=0)}
        with database.connect() as conn:
            assert answers.call_of(conn, answer) == id
        plan = connection.execute(f"EXPLAIN {sql}", constants | values).fetchall()
        reads = [line for (line,) in plan if "Index Cond" in line and answer in line]
        assert len(reads) >= 1, plan
