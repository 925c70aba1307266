import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from llmproxy_core.store import audit
from llmproxy_core.store.database import Database

type Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def chain(connection: Connection) -> list[audit.AuditEvent]:
    return [
        audit.append(connection, 1, "anna", "block", f"rule {number}", {"n": number, "text": "ä\0"})
        for number in range(5)
    ]


def tamper(connection: Connection, statement: str) -> None:
    """As the owner, who may switch triggers off."""
    for table in ("audit_events", "audit_heads"):
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    connection.execute(statement)


def test_events_follow_one_another(connection: Connection, chain: list[audit.AuditEvent]) -> None:
    assert [event.seq for event in chain] == [1, 2, 3, 4, 5]
    assert chain[0].prev_hash == bytes(32)
    assert all(one.hash == two.prev_hash for one, two in pairwise(chain))
    assert [event for _, event in audit.newest(connection)] == chain[::-1]


def test_a_whole_chain_is_found_whole(
    connection: Connection, chain: list[audit.AuditEvent]
) -> None:
    head = f"5:{chain[-1].hash.hex()}"
    assert audit.verify(connection) == [audit.Verdict("default", 5, head)]
    assert audit.contains(connection, "default", head)
    assert not audit.contains(connection, "default", head[:-1] + "x")
    assert not audit.contains(connection, "default", "no head")


def test_a_store_without_events_is_in_order(connection: Connection) -> None:
    assert audit.verify(connection) == [audit.Verdict("default", 0, "")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor = 'x'",
        "UPDATE audit_events SET actor = 'x' WHERE seq = 99",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "UPDATE audit_heads SET seq = 2",
        "UPDATE audit_heads SET seq = seq + 2",
    ],
)
@pytest.mark.usefixtures("chain")
def test_even_the_owner_cannot_change_events(connection: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)
    assert audit.verify(connection)[0].broken_at is None


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit_events SET actor = 'x' WHERE seq = 3", 3),
        ("UPDATE audit_events SET detail = '{}' WHERE seq = 1", 1),
        ("UPDATE audit_events SET at = at + interval '1 us' WHERE seq = 2", 2),
        ("UPDATE audit_events SET prev_hash = '' WHERE seq = 4", 4),
        ("UPDATE audit_events SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 5", 5),
        ("DELETE FROM audit_events WHERE seq = 1", 1),
        ("DELETE FROM audit_events WHERE seq = 3", 3),
        ("DELETE FROM audit_events WHERE seq > 3", 4),
        ("DELETE FROM audit_events", 1),
        ("DELETE FROM audit_heads", 5),
        ("UPDATE audit_heads SET hash = ''", 5),
    ],
)
@pytest.mark.usefixtures("chain")
def test_the_first_broken_event_is_named(
    connection: Connection, statement: str, broken_at: int
) -> None:
    tamper(connection, statement)
    verdict = audit.verify(connection)[0]
    assert (verdict.broken_at, bool(verdict.reason)) == (broken_at, True)


def test_a_tail_cut_off_everywhere_is_told_by_a_noted_head(
    connection: Connection, chain: list[audit.AuditEvent]
) -> None:
    noted = audit.verify(connection)[0].head
    digest = chain[2].hash.hex()
    tamper(
        connection,
        "DELETE FROM audit_events WHERE seq > 3;"
        f"UPDATE audit_heads SET seq = 3, hash = decode('{digest}', 'hex')",
    )
    assert audit.verify(connection)[0].broken_at is None
    assert not audit.contains(connection, "default", noted)


@pytest.mark.parametrize("heads_too", [False, True])
def test_the_chain_of_a_namespace_that_was_deleted_is_still_read(
    connection: Connection, heads_too: bool
) -> None:
    connection.execute("INSERT INTO namespaces (ns_id, name) VALUES (2, 'other')")
    for number in range(3):
        audit.append(connection, 2, "anna", "block", f"rule {number}")
    connection.execute("DELETE FROM namespaces WHERE ns_id = 2")
    assert [verdict.namespace for verdict in audit.verify(connection)] == ["default", "#2"]
    assert [name for name, _ in audit.newest(connection)] == ["#2"] * 3

    tamper(connection, "UPDATE audit_events SET actor = 'x' WHERE ns_id = 2 AND seq = 2")
    if heads_too:
        connection.execute("DELETE FROM audit_heads")
    assert audit.verify(connection, "#2")[0].broken_at == 2


def test_an_event_shares_the_fate_of_its_transaction(connection: Connection) -> None:
    connection.execute("BEGIN")
    audit.append(connection, 1, "anna", "block", "x")
    connection.execute("ROLLBACK")
    assert audit.append(connection, 1, "anna", "block", "y").seq == 1


def test_many_may_append_at_once(database: Database) -> None:
    def work(number: int) -> None:
        with database.raw() as opened:
            opened.autocommit = True
            for _ in range(20):
                audit.append(opened, 1, f"thread {number}", "act", "x")

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.raw() as opened:
        verdict = audit.verify(opened)[0]
    assert (verdict.events, verdict.broken_at) == (80, None)


def test_the_hash_is_as_documented(connection: Connection) -> None:
    event = audit.append(connection, 1, "anna", "block", "x", {"b": 1, "a": [None]})
    assert event.detail == '{"a":[null],"b":1}'
    stored = audit.newest(connection)[0][1]
    assert stored == event
    assert stored.hash == stored.expected_hash
