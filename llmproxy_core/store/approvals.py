"""Calls that wait for a person: who asks, and what was decided. Every decision is audited."""

import time
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text

from llmproxy_core.errors import StoreError
from llmproxy_core.policies.approvals import entry
from llmproxy_core.store import audit, notify, statements
from llmproxy_core.store.guard_rows import Approval
from llmproxy_core.store.notify import Change
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.values import clean

type PgConnection = psycopg.Connection[Any]
type Said = Literal["approved", "denied"]

LASTS = timedelta(days=1)
"""So long a decision is handed to the proxies: a program may ask again for the same tool call."""

LONGEST = timedelta(days=2)
"""No call waits longer, as `timeout_seconds` is a day at most, nor is told of as decided."""

COLUMNS = """
a.ns_id, n.name, a.request_id, a.policy, a.asked_at, a.expires_at, a.said, a.tool,
CASE WHEN a.state = 'waiting' AND a.expires_at <= now() THEN 'expired' ELSE a.state END,
a.decided_by, a.why, a.decided_at
"""
"""Nobody has to write down that a time is over."""
WAITING = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n JOIN approvals a ON a.ns_id = n.ns_id
WHERE a.state = 'waiting' AND a.expires_at > now() AND a.request_id >= :low
ORDER BY a.expires_at, a.request_id
""")  # noqa: S608
)
NEWEST = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n CROSS JOIN LATERAL (
    SELECT * FROM approvals o WHERE o.ns_id = n.ns_id ORDER BY o.request_id DESC LIMIT :limit
) AS a ORDER BY a.request_id DESC LIMIT :limit
""")  # noqa: S608
)
OF_FLOW = Prepared(
    text(f"""
SELECT {COLUMNS} FROM namespaces n JOIN approvals a ON a.ns_id = n.ns_id
WHERE a.request_id = :flow ORDER BY a.asked_at
""")  # noqa: S608
)
LOCKED = """
SELECT ns_id, policy, tool, state, expires_at > now(), decided_by FROM approvals
WHERE request_id = %s
ORDER BY state = 'waiting' AND expires_at > now() DESC, asked_at DESC LIMIT 1 FOR UPDATE
"""
DECIDE = """
UPDATE approvals SET state = %s, decided_by = %s, why = %s, decided_at = now()
WHERE ns_id = %s AND request_id = %s AND tool = %s
"""
HANDED = """
SELECT a.request_id, a.tool, a.state, a.decided_by, a.why
FROM namespaces n JOIN approvals a ON a.ns_id = n.ns_id AND a.state IN ('approved', 'denied')
    AND a.request_id >= %s
WHERE a.decided_at > now() - %s ORDER BY a.request_id, a.tool
"""


def waiting(conn: Connection) -> list[Approval]:
    """Those that somebody has to decide, the most urgent first."""
    return [Approval(*row) for row in WAITING.rows(conn, low=_oldest())]


def newest(conn: Connection, *, limit: int = 100) -> list[Approval]:
    """All, those of the newest calls first."""
    return [Approval(*row) for row in NEWEST.rows(conn, limit=limit)]


def of_flow(conn: Connection, flow: UUID) -> list[Approval]:
    """That of the request, then of a call of a tool in its answer, as far as they were asked for."""
    return [Approval(*row) for row in OF_FLOW.rows(conn, flow=flow)]


def decide(connection: PgConnection, flow: UUID, said: Said, actor: str, why: str = "") -> None:
    """Let a call go on, or not: the request while it waits, later the call of a tool in its answer.

    Raises:
        StoreError: there is no such call, it does not wait any more, or somebody was faster.
    """
    with connection.transaction():
        row = connection.execute(LOCKED, [flow]).fetchone()
        if row is None:
            raise StoreError(f"Nothing waits under {flow}. `llmproxy approvals list` has all.")
        ns_id, policy, tool, state, in_time, who = row
        if state in ("approved", "denied"):
            raise StoreError(f"{who or 'somebody'} has {state} it already.")
        if state != "waiting" or not in_time:
            raise StoreError("Its time is over: the call has been answered.")
        connection.execute(DECIDE, [said, clean(actor), clean(why) or None, ns_id, flow, tool])
        connection.execute(
            statements.NOTIFY, [notify.CHANNEL, notify.encode(Change(approvals=[flow]))]
        )
        facts = {"tool": tool, "why": clean(why)}
        told = {"policy": policy} | {key: value for key, value in facts.items() if value}
        audit.append(connection, ns_id, actor, f"call {said}", str(flow), dict(told))


def decided(connection: PgConnection) -> dict[str, dict[str, str]]:
    """What proxies have to know, as `policies.approvals.read` reads it: `decision`, `by`, `why`."""
    rows = connection.execute(HANDED, [_oldest(), LASTS])
    return {
        entry(id.bytes, tool=bool(tool)): {"decision": state, "by": who or ""}
        | ({"why": why} if why else {})
        for id, tool, state, who, why in rows
    }


def _oldest() -> UUID:
    """The first id of a call that may wait still: older ones are not looked at."""
    at = time.time_ns() // 1_000_000 - LONGEST // timedelta(milliseconds=1)
    return UUID(int=at << 80)
