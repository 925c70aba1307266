"""What people say of anomalies: seen, dealt with, or never one. Each change is an audit event."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import audit, notify, statements
from llmproxy_core.store.findings import add_anomalies
from llmproxy_core.store.guard_rows import Anomaly, AnomalyRow, Status
from llmproxy_core.store.notify import Change
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]

ACTIONS: dict[Status, str] = {
    "detected": "anomaly reopen",
    "acknowledged": "anomaly acknowledge",
    "resolved": "anomaly resolve",
    "false_positive": "anomaly false positive",
}
LOCKED = """
SELECT ns_id, id, detector, status FROM anomalies WHERE id = ANY (%s) AND status <> %s
ORDER BY ns_id, text_hash, detector, evidence FOR UPDATE
"""
"""In the order in which the writer locks them."""
SET = """
UPDATE anomalies SET status = %s, status_by = %s, status_why = %s, status_at = now()
WHERE ns_id = %s AND id = %s
"""


RESTORE = """
UPDATE anomalies SET times = greatest(times, %s), last_at = greatest(last_at, %s),
    last_request_id = greatest(last_request_id, %s),
    status = CASE WHEN status_at IS NULL THEN %s ELSE status END,
    status_by = CASE WHEN status_at IS NULL THEN %s ELSE status_by END,
    status_why = CASE WHEN status_at IS NULL THEN %s ELSE status_why END,
    status_at = coalesce(status_at, %s)
WHERE ns_id = %s AND id = %s
"""


def judge(
    connection: PgConnection, ids: Sequence[UUID], status: Status, actor: str, why: str = ""
) -> list[UUID]:
    """Give anomalies a status; which of them had another.

    Raises:
        psycopg.errors.InsufficientPrivilege: this login may only read.
    """
    actor, why = clean(actor), clean(why)
    with connection.transaction():
        found = connection.execute(LOCKED, [list(ids), status]).fetchall()
        for ns_id, id, _, _ in found:
            connection.execute(SET, [status, actor, why or None, ns_id, id])
        changed = [id for _, id, _, _ in found]
        if changed:
            told = notify.encode(Change(anomalies=changed))
            connection.execute(statements.NOTIFY, [notify.CHANNEL, told])
        for ns_id, id, detector, before in found:
            facts = {"detector": detector, "before": before} | ({"why": why} if why else {})
            audit.append(connection, ns_id, actor, ACTIONS[status], str(id), dict(facts))
    return changed


def restore(connection: PgConnection, told: Sequence[tuple[int, Anomaly]], actor: str) -> None:
    """Store anomalies that were exported, each in the namespace of this store that has its `ns_id`.

    What is there already stays one, and keeps what somebody has said of it here.
    """
    rows = [_row(ns_id, one) for ns_id, one in told]
    with connection.transaction():
        stored = add_anomalies(connection, rows)
        for ns_id, one in told:
            verdict = one.status, one.status_by, one.status_why, one.status_at
            values = [one.times, one.last_at, one.last_request_id, *verdict]
            connection.execute(RESTORE, [*values, ns_id, stored[one.id]])
        changed = notify.encode(Change(anomalies=list(dict.fromkeys(stored.values()))))
        connection.execute(statements.NOTIFY, [notify.CHANNEL, changed])
        for ns_id, number in sorted(Counter(row.ns_id for row in rows).items()):
            audit.append(connection, ns_id, actor, "anomaly import", "", {"anomalies": number})


def _row(ns_id: int, one: Anomaly) -> AnomalyRow:
    names = (field.name for field in fields(AnomalyRow) if field.name not in ("ns_id", "text_hash"))
    return AnomalyRow(
        ns_id=ns_id, text_hash=one.text_hash.bytes, **{name: getattr(one, name) for name in names}
    )
