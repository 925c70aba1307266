"""Changes of the transformations that the table holds, one audit event each."""

from typing import Any

from llmproxy_core.config import TransformationConfig
from llmproxy_core.errors import StoreError
from llmproxy_core.sections.operations import plain
from llmproxy_core.store import audit, notify, statements
from llmproxy_core.store.learning_rows import NEWS
from llmproxy_core.store.notify import Change
from llmproxy_core.store.transformations import (
    DATABASE,
    MITM_TOML,
    PgConnection,
    StoredTransformation,
    find,
    told,
    where,
)
from llmproxy_core.store.values import clean, json_text

DEFAULT_NAMESPACE = 1
LOCKED = 0x6C6C6D09
LONGEST = 120
"""Characters of a name that nothing has, where it is told again."""

LOCK = "SELECT pg_advisory_xact_lock(%s)"
STORE = """
INSERT INTO transformations AS t (
    name, expression, logic, sort_order, active, origin, home, created_by, updated_by
) VALUES (
    %(name)s, %(expression)s, %(logic)s::text::jsonb, %(order)s, %(active)s, %(origin)s, %(home)s,
    %(actor)s, %(actor)s
) ON CONFLICT (name) DO UPDATE SET
    expression = excluded.expression, logic = excluded.logic, sort_order = excluded.sort_order,
    active = excluded.active, origin = excluded.origin, home = excluded.home,
    updated_by = excluded.updated_by, updated_at = now()
"""
SWITCH = """
UPDATE transformations SET active = %s, updated_by = %s, updated_at = now() WHERE name = %s
"""
REMOVE = "DELETE FROM transformations WHERE name = %s"


def add(connection: PgConnection, one: TransformationConfig, actor: str) -> None:
    """Raises StoreError: there is one of this name."""
    with connection.transaction():
        lock(connection)
        if (other := find(connection, one.name)) is not None:
            raise StoreError(
                f"There is a transformation {one.name} already, in {where(other)}. "
                f"Change it with `llmproxy transform set {one.name}`."
            )
        store(connection, one, DATABASE, None, actor)
        tell(connection, actor, "transformation add", one.name, {"now": told(one)})


def change(connection: PgConnection, one: TransformationConfig, actor: str) -> None:
    """Put another one in the place of the one of this name.

    Raises:
        StoreError: there is none, or it is not of the table.
    """
    with connection.transaction():
        lock(connection)
        before = own(connection, one.name)
        store(connection, one, DATABASE, None, actor)
        facts = {"before": _was(before), "now": told(one)}
        tell(connection, actor, "transformation change", one.name, facts)


def set_active(connection: PgConnection, name: str, actor: str, *, active: bool) -> bool:
    """Switch it on or off, also what an experiment has won; False if it was so before.

    Raises:
        StoreError: there is none, or a `mitm.toml` has it.
    """
    with connection.transaction():
        lock(connection)
        before = existing(connection, name)
        if before.origin == MITM_TOML:
            raise StoreError(f"{name} is in {where(before)}. Change it there.")
        if before.active == active:
            return False
        connection.execute(SWITCH, [active, clean(actor), name])
        facts = {"before": {"active": before.active}, "now": {"active": active}}
        tell(connection, actor, f"transformation {'on' if active else 'off'}", name, facts)
    return True


def remove(connection: PgConnection, name: str, actor: str) -> StoredTransformation:
    """As it was; what it was applied to stays on record. Raises StoreError as `change`."""
    with connection.transaction():
        lock(connection)
        before = own(connection, name)
        take_away(connection, before, actor)
    return before


def take_away(connection: PgConnection, one: StoredTransformation, actor: str) -> None:
    """Whoever has made it."""
    connection.execute(REMOVE, [one.name])
    tell(connection, actor, "transformation remove", one.name, {"before": _was(one)})


def own(connection: PgConnection, name: str) -> StoredTransformation:
    """Raises StoreError: there is none of this name, or it is not for people to change here."""
    found = existing(connection, name)
    if found.experiment:
        raise StoreError(
            f"{name} is {where(found)}. Switch it off, or take it back with "
            f"`llmproxy experiments stop {found.experiment}`."
        )
    if found.origin != DATABASE:
        raise StoreError(f"{name} is in {where(found)}. Change it there.")
    return found


def existing(connection: PgConnection, name: str) -> StoredTransformation:
    """Raises StoreError: there is none of this name."""
    found = find(connection, name)
    if found is None:
        raise StoreError(
            f"There is no transformation {name[:LONGEST]!r}. `llmproxy transform list` has all."
        )
    return found


def lock(connection: PgConnection) -> None:
    """Nobody else changes transformations until the transaction ends."""
    connection.execute(LOCK, [LOCKED])


def store(
    connection: PgConnection, one: TransformationConfig, origin: str, home: str | None, actor: str
) -> None:
    values = {
        "name": one.name,
        "expression": one.when,
        "logic": json_text(plain(one.logic)),
        "order": one.order,
        "active": one.active,
        "origin": origin,
        "home": home,
        "actor": clean(actor),
    }
    connection.execute(STORE, values)


def tell(
    connection: PgConnection, actor: str, action: str, name: str, facts: dict[str, Any]
) -> None:
    """To the screens and the audit."""
    connection.execute(statements.NOTIFY, [notify.CHANNEL, notify.encode(Change(learning=[NEWS]))])
    audit.append(connection, DEFAULT_NAMESPACE, actor, action, name, facts)


def _was(one: StoredTransformation) -> dict[str, Any]:
    return {key: value for key, value in one.table().items() if key != "name"}
