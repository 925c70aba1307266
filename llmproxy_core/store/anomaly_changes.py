"""What people say of anomalies: seen, dealt with, or never one. Each change is an audit event."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import audit, notify, statements
from llmproxy_core.store.guard_rows import Status
from llmproxy_core.store.rows import Change
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]

ACTIONS: dict[Status, str] = {
    "detected": "anomaly reopen",
    "acknowledged": "anomaly acknowledge",
    "resolved": "anomaly resolve",
    "false_positive": "anomaly false positive",
}
LOCKED = """
SELECT ns_id, id, detector, status FROM anomalies
WHERE id = ANY (%s) AND status <> %s ORDER BY ns_id, id FOR UPDATE
"""
SET = """
UPDATE anomalies SET status = %s, status_by = %s, status_why = %s, status_at = now()
WHERE ns_id = %s AND id = %s
"""


def judge(
    connection: PgConnection, ids: Sequence[UUID], status: Status, actor: str, why: str = ""
) -> list[UUID]:
    """Give anomalies a status; which of them had another, newest last.

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
