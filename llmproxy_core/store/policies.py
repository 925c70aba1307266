"""Who may see what: the three group roles, and which namespaces a role may read.

`llmproxy_reader` reads the namespaces that `namespace_members` gives it or a role that it is a
member of; `llmproxy_writer` adds rows to all; `llmproxy_admin` may do both. The owner of the
tables is not restricted. Row-level security holds it, whatever program asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from llmproxy_core.errors import StoreError
from llmproxy_core.store import audit

type PgConnection = psycopg.Connection[Any]

READER, WRITER, ADMIN = "llmproxy_reader", "llmproxy_writer", "llmproxy_admin"
ROLES = (READER, WRITER, ADMIN)

FOUND = "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)"
PROTECT = "SELECT llmproxy_protect(), llmproxy_grant_functions()"
RESTRICTED = "SELECT row_security_active(to_regclass('requests')::oid)"
NAMESPACE = "SELECT ns_id FROM namespaces WHERE name = %s"
JOIN = "INSERT INTO namespace_members (ns_id, role_name) VALUES (%s, %s) ON CONFLICT DO NOTHING"
LEAVE = "DELETE FROM namespace_members WHERE ns_id = %s AND role_name = %s"
MEMBERS = """
SELECT m.role_name, n.name FROM namespace_members m JOIN namespaces n USING (ns_id)
ORDER BY m.role_name, n.name
"""
GRANTED = "SELECT pg_has_role(%s, %s, 'USAGE')"


@dataclass(frozen=True, slots=True)
class Roles:
    """`missing`: group roles that do not exist. `sql`: what an administrator has to run for them."""

    missing: list[str]
    members: list[tuple[str, str]]
    """(role, namespace)."""

    @property
    def sql(self) -> str:
        return "\n".join(f"CREATE ROLE {name} NOLOGIN;" for name in self.missing)


def restricted(connection: PgConnection) -> bool:
    """Does row-level security apply to this login? Then COPY FROM is refused by Postgres, too."""
    row = connection.execute(RESTRICTED).fetchone()
    return bool(row and row[0])


def roles(connection: PgConnection) -> Roles:
    """Which there are, and who reads what."""
    found = {name for (name,) in connection.execute(FOUND, [list(ROLES)])}
    members = connection.execute(MEMBERS).fetchall()
    missing = [name for name in ROLES if name not in found]
    return Roles(missing, [(role, namespace) for role, namespace in members])


def make_roles(connection: PgConnection) -> Roles:
    """Make the group roles, as far as this login may, and give all that there are their rights.

    Raises:
        StoreError: this login does not own the tables.
    """
    for name in roles(connection).missing:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.DuplicateObject):
            continue  # `missing` tells
    with _owner_only(), connection.transaction():
        connection.execute(PROTECT)
    return roles(connection)


def grant(connection: PgConnection, role: str, namespace: str, actor: str) -> str | None:
    """Let a role read a namespace. What an administrator still has to run, if anything.

    Raises:
        StoreError: there is no such role or namespace, or this login may not grant.
    """
    ns_id = _ns_id(connection, namespace)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        raise StoreError(
            f"There is no role {role!r} in this server. Make it: CREATE ROLE ... LOGIN."
        )
    with _owner_only(), connection.transaction():
        connection.execute(JOIN, [ns_id, role])
        audit.append(connection, ns_id, actor, "grant", role, {"namespace": namespace})
    return _join_readers(connection, role)


def revoke(connection: PgConnection, role: str, namespace: str, actor: str) -> bool:
    """Take it back; False if the role could not read the namespace anyway."""
    ns_id = _ns_id(connection, namespace)
    with _owner_only(), connection.transaction():
        if not connection.execute(LEAVE, [ns_id, role]).rowcount:
            return False
        audit.append(connection, ns_id, actor, "revoke", role, {"namespace": namespace})
    return True


def _join_readers(connection: PgConnection, role: str) -> str | None:
    """Make it a member of the readers; the statement for an administrator where we may not."""
    statement = sql.SQL("GRANT {} TO {}").format(sql.Identifier(READER), sql.Identifier(role))
    try:
        with connection.transaction():
            granted = connection.execute(GRANTED, [role, READER]).fetchone()
            if not (granted and granted[0]):
                connection.execute(statement)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
        return statement.as_string(connection) + ";"
    return None


def _ns_id(connection: PgConnection, namespace: str) -> int:
    row = connection.execute(NAMESPACE, [namespace]).fetchone()
    if row is None:
        raise StoreError(f"There is no namespace {namespace!r}.")
    return int(row[0])


@contextmanager
def _owner_only() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as exc:
        raise StoreError(
            f"This login may not do that: {exc.diag.message_primary}. "
            "Name the owner of the tables in database.url, or a member of llmproxy_admin."
        ) from exc
