"""What was done to the traffic, the store and the settings: a chain of events per namespace.

Every event holds the hash of the one before it, so that none can be changed, taken out or put in
between without all later ones telling. The last one is kept a second time, in `audit_heads`; who
notes that line elsewhere can also prove that no tail has been cut off together with it.

The hash: BLAKE2b, 256 bits, over the compact ASCII JSON of [ns_id, seq, at in microseconds since
1970, actor, action, target, detail, hash of the one before in hex (zeros for the first)].
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import psycopg

from llmproxy_core.model import Json
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]

CHAINS = 0x6C6C6D04
BEGINNING = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

LOCK = "SELECT pg_advisory_xact_lock(%s, %s)"
HEAD = "SELECT seq, hash FROM audit_heads WHERE ns_id = %s"
APPEND = """
INSERT INTO audit_events (ns_id, seq, at, actor, action, target, detail, prev_hash, hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
FIRST_HEAD = "INSERT INTO audit_heads (ns_id, seq, hash) VALUES (%s, %s, %s)"
NEXT_HEAD = "UPDATE audit_heads SET seq = %s, hash = %s WHERE ns_id = %s"
COLUMNS = "ns_id, seq, at, actor, action, target, detail, prev_hash, hash"
NAME = "coalesce(n.name, '#' || ns_id)"
"""A chain stays, though somebody deletes its namespace: `#2`."""
CHAIN = f"SELECT {COLUMNS} FROM audit_events WHERE ns_id = %s ORDER BY seq"  # noqa: S608
NEWEST = f"""
SELECT {NAME}, {COLUMNS} FROM audit_events LEFT JOIN namespaces n USING (ns_id)
WHERE {NAME} = coalesce(%s, {NAME}) AND action = coalesce(%s, action)
ORDER BY at DESC, ns_id, seq DESC LIMIT %s
"""  # noqa: S608
NAMESPACES = f"""
SELECT ns_id, {NAME}, h.seq, h.hash FROM (
    SELECT ns_id FROM namespaces UNION SELECT ns_id FROM audit_heads
    UNION SELECT ns_id FROM audit_events
) AS chains LEFT JOIN namespaces n USING (ns_id) LEFT JOIN audit_heads h USING (ns_id)
WHERE {NAME} = coalesce(%s, {NAME}) ORDER BY ns_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """`detail`: JSON as text, just as it was hashed."""

    ns_id: int
    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: str
    prev_hash: bytes
    hash: bytes

    @property
    def expected_hash(self) -> bytes:
        at = (self.at - EPOCH) // MICROSECOND
        facts = [self.ns_id, self.seq, at, self.actor, self.action, self.target, self.detail]
        text = json.dumps([*facts, self.prev_hash.hex()], separators=(",", ":"))
        return blake2b(text.encode(), digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one chain. `broken_at`: the first event that is not as it was written; None: all are."""

    namespace: str
    events: int
    head: str
    """`SEQ:HASH` of the last event, to be noted elsewhere; empty: there is none."""
    broken_at: int | None = None
    reason: str = ""


def append(
    connection: PgConnection,
    ns_id: int,
    actor: str,
    action: str,
    target: str,
    detail: dict[str, Json] | None = None,
) -> AuditEvent:
    """Add an event, in the transaction of the caller (or one of its own).

    The chain of the namespace is locked until that transaction ends: append last.
    """
    with connection.transaction():
        connection.execute(LOCK, [CHAINS, ns_id])
        found = connection.execute(HEAD, [ns_id]).fetchone()
        seq, before = (found[0] + 1, found[1]) if found else (1, BEGINNING)
        event = _event(ns_id, seq, (actor, action, target), detail or {}, before)
        connection.execute(APPEND, [getattr(event, name) for name in COLUMNS.split(", ")])
        if found:
            connection.execute(NEXT_HEAD, [seq, event.hash, ns_id])
        else:
            connection.execute(FIRST_HEAD, [ns_id, seq, event.hash])
    return event


def newest(
    connection: PgConnection,
    *,
    namespace: str | None = None,
    action: str | None = None,
    limit: int = 100,
) -> list[tuple[str, AuditEvent]]:
    """(namespace, event), newest first."""
    rows = connection.execute(NEWEST, [namespace, action, limit])
    return [(name, AuditEvent(*row)) for name, *row in rows]


def verify(connection: PgConnection, namespace: str | None = None) -> list[Verdict]:
    """Read every chain from its beginning; the verdict on each."""
    alone = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with connection.transaction():
        if alone:  # one view of all: events are added meanwhile
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = connection.execute(NAMESPACES, [namespace]).fetchall()
        return [_verify(connection, *row) for row in found]


def contains(connection: PgConnection, namespace: str, head: str) -> bool:
    """Is a noted `SEQ:HASH` in the chain of the namespace?"""
    seq, _, digest = head.partition(":")
    query = (
        "SELECT a.hash FROM audit_events a JOIN namespaces n USING (ns_id)"
        " WHERE n.name = %s AND a.seq = %s"
    )
    if not seq.isdecimal():
        return False
    row = connection.execute(query, [namespace, int(seq)]).fetchone()
    return row is not None and row[0].hex() == digest.strip().lower()


def _verify(
    connection: PgConnection, ns_id: int, name: str, head_seq: int | None, head_hash: bytes | None
) -> Verdict:
    last, before = 0, BEGINNING
    for event in _chain(connection, ns_id):
        if reason := _fault(event, last, before):
            return Verdict(name, last, _head(last, before), last + 1, reason)
        last, before = event.seq, event.hash
    if (head_seq or 0) > last:
        reason = f"it is missing, and all after it: the last one was {head_seq}"
        return Verdict(name, last, _head(last, before), last + 1, reason)
    if last and (head_seq, head_hash) != (last, before):
        reason = "it is not the one that audit_heads names as the last"
        return Verdict(name, last, _head(last, before), last, reason)
    return Verdict(name, last, _head(last, before))


def _fault(event: AuditEvent, last: int, before: bytes) -> str:
    if event.seq != last + 1:
        return f"it is missing: the next one there is {event.seq}"
    if event.prev_hash != before:
        return "it does not follow the one before it"
    if event.hash != event.expected_hash:
        return "its content is not what its hash was made of"
    return ""


def _chain(connection: PgConnection, ns_id: int) -> Iterator[AuditEvent]:
    with connection.cursor(name="audit_chain") as cursor:
        for row in cursor.execute(CHAIN, [ns_id]):
            yield AuditEvent(*row)


def _event(
    ns_id: int, seq: int, words: tuple[str, str, str], detail: dict[str, Json], before: bytes
) -> AuditEvent:
    actor, action, target = map(clean, words)
    text = json.dumps(detail, separators=(",", ":"), sort_keys=True)
    event = AuditEvent(ns_id, seq, datetime.now(UTC), actor, action, target, text, before, b"")
    return replace(event, hash=event.expected_hash)


def _head(seq: int, digest: bytes) -> str:
    return f"{seq}:{digest.hex()}" if seq else ""
