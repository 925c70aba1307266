"""Stars: sessions that survive any retention."""

from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import audit, statements

type PgConnection = psycopg.Connection[Any]

STAR = "UPDATE sessions SET starred = %s WHERE id = %s AND starred <> %s RETURNING ns_id, title"
FIND = """
SELECT id FROM sessions, replace(id::text, '-', '') AS digits
WHERE starts_with(digits, %(digits)s) OR right(digits, length(%(digits)s)) = %(digits)s
    OR external_id = %(text)s
ORDER BY id DESC LIMIT 20
"""
SESSION_OF = """
SELECT r.session_id FROM namespaces n JOIN requests r ON r.ns_id = n.ns_id AND r.id = %s
"""


def star(connection: PgConnection, session: UUID, actor: str, *, starred: bool = True) -> bool:
    """Star a session, or take its star away; False if nothing changed. Written to the audit."""
    with connection.transaction():
        connection.execute(statements.AM_STARRING)
        row = connection.execute(STAR, [starred, session, starred]).fetchone()
        if row is None:
            return False
        action = "star" if starred else "unstar"
        audit.append(connection, row[0], actor, action, str(session), {"title": row[1]})
    return True


def find(connection: PgConnection, text: str) -> list[UUID]:
    """Sessions by the start or end of their id, or by the client's own id; newest first."""
    digits = text.strip().replace("-", "").lower()
    if not digits:
        return []
    rows = connection.execute(FIND, {"digits": digits, "text": text.strip()}).fetchall()
    return [id for (id,) in rows]


def session_of(connection: PgConnection, request: UUID) -> UUID | None:
    row = connection.execute(SESSION_OF, [request]).fetchone()
    return row[0] if row else None
