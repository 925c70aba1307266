"""Changes of the rules that the table of namespaces holds, one audit event each."""

import json
from collections.abc import Sequence

from llmproxy_core.errors import StoreError
from llmproxy_core.model import Json
from llmproxy_core.store import audit, statements
from llmproxy_core.store.namespaces import (
    DATABASE,
    DEFAULT,
    PgConnection,
    Rule,
    Space,
    detail,
    spaces,
    where,
)

INSERT = """
INSERT INTO namespaces (ns_id, name) SELECT coalesce(max(ns_id), 0) + 1, %s FROM namespaces
RETURNING ns_id
"""
SET_RULE = """
UPDATE namespaces SET prefix = %s, match = %s::jsonb, reserved = %s::jsonb, on_too_long = %s,
    plain_text = %s, capture = %s, position = %s, source = %s, home = %s
WHERE ns_id = %s
"""
MAKE_ROOM = """
UPDATE namespaces SET position = position + 1 WHERE source = 'database' AND position >= %s
"""
RENAME = """
UPDATE namespaces SET name = %(new)s,
    former_names = array_append(array_remove(former_names, %(new)s), name)
WHERE ns_id = %(ns_id)s
"""


def add(connection: PgConnection, rule: Rule, actor: str, before: str | None = None) -> None:
    """Give a namespace a rule; it is made if it is new. `before`: the one to be tried after it.

    Raises:
        StoreError: it has a rule, its name was another's, or its prefix is another's.
    """
    with connection.transaction():
        known = locked(connection)
        space = _of_name(known, rule.name)
        if space is not None and space.source is not None:
            raise StoreError(f"{_has_rule(space)} Change it with `llmproxy ns set {rule.name}`.")
        _prefix_is_free(known, rule)
        position = _position(connection, known, before)
        ns_id = space.ns_id if space else made(connection, rule.name)
        _set(connection, ns_id, rule, position)
        audit.append(connection, ns_id, actor, "namespace add", rule.name, detail(rule))


def change(connection: PgConnection, rule: Rule, actor: str, before: str | None = None) -> None:
    """Give a namespace of the table another rule. Raises StoreError, as `add`."""
    with connection.transaction():
        known = locked(connection)
        space = _with_rule(known, rule.name)
        if space.source != DATABASE:
            raise StoreError(f"{_has_rule(space)} Change it there.")
        _prefix_is_free(known, rule)
        position = space.position or 0
        if before is not None:
            position = _position(connection, [one for one in known if one != space], before)
        _set(connection, space.ns_id, rule, position)
        told: dict[str, Json] = {"before": detail(space.rule), "now": detail(rule)}
        audit.append(connection, space.ns_id, actor, "namespace change", rule.name, told)


def remove(connection: PgConnection, name: str, actor: str) -> Space:
    """Take its rule away; its calls stay. What it was before is returned.

    Raises:
        StoreError: there is no such namespace, or it has no rule.
    """
    with connection.transaction():
        space = _with_rule(locked(connection), name)
        clear(connection, space.ns_id)
        told = detail(space.rule)
        audit.append(connection, space.ns_id, actor, "namespace remove", space.name, told)
    return space


def rename(connection: PgConnection, old: str, new: str, actor: str) -> Space:
    """Call a namespace something else; records that have its old name still go there.

    Raises:
        StoreError: there is none, the new name is taken or was another's, or it is the default.
    """
    with connection.transaction():
        known = locked(connection)
        space = _there(known, old)
        if space.name == DEFAULT:
            raise StoreError(
                f"{DEFAULT} is where calls go that no rule takes: it keeps its name. "
                "Give those calls a rule with a namespace of its own."
            )
        other = next((one for one in known if one.is_called(new) and one != space), None)
        if other is not None:
            raise StoreError(_taken(other, new))
        if new != old:
            connection.execute(RENAME, {"new": new, "ns_id": space.ns_id})
            audit.append(connection, space.ns_id, actor, "namespace rename", new, {"from": old})
    return space


def clear(connection: PgConnection, ns_id: int) -> None:
    connection.execute(SET_RULE, [None] * 9 + [ns_id])


def store(
    connection: PgConnection, ns_id: int, rule: Rule, position: int, source: str, home: str | None
) -> None:
    reserved = json.dumps(rule.reserved) if rule.reserved else None
    values = [rule.prefix or None, json.dumps(rule.match), reserved, rule.on_too_long]
    capture = None if rule.capture == "full" else rule.capture
    place = [rule.plain_text or None, capture, position, source, home, ns_id]
    connection.execute(SET_RULE, [*values, *place])


def _set(connection: PgConnection, ns_id: int, rule: Rule, position: int) -> None:
    store(connection, ns_id, rule, position, DATABASE, None)


def locked(connection: PgConnection) -> list[Space]:
    """All namespaces; nobody changes them until the transaction ends."""
    connection.execute(statements.LOCK_NAMESPACES)
    return spaces(connection)


def _of_name(known: Sequence[Space], name: str) -> Space | None:
    """Raises StoreError if another one had this name."""
    space = next((one for one in known if one.is_called(name)), None)
    if space is not None and space.name != name:
        raise StoreError(_taken(space, name))
    return space


def _there(known: Sequence[Space], name: str) -> Space:
    space = _of_name(known, name)
    if space is None:
        raise StoreError(f"There is no namespace {name!r}. `llmproxy ns list` has all.")
    return space


def _with_rule(known: Sequence[Space], name: str) -> Space:
    space = _there(known, name)
    if space.source is None:
        raise StoreError(f"{name} has no rule. `llmproxy ns add {name}` gives it one.")
    return space


def _taken(other: Space, name: str) -> str:
    if other.name == name:
        return f"There is a namespace {name} already: two cannot become one."
    return f"{name} was the name of {other.name}, and records that say so still go there."


def _has_rule(space: Space) -> str:
    return f"{space.name} has a rule already, in {where(space)}."


def _prefix_is_free(known: Sequence[Space], rule: Rule) -> None:
    for other in known:
        if rule.prefix and other.prefix == rule.prefix and other.name != rule.name:
            raise StoreError(
                f"{rule.prefix!r} is the prefix of {other.name}, in {where(other)}: "
                "two namespaces cannot have one prefix."
            )


def _position(connection: PgConnection, known: Sequence[Space], before: str | None) -> int:
    """Where the rule goes: after all others, or in the place of `before`."""
    own = [space for space in known if space.source == DATABASE]
    if before is None:
        return max((space.position or 0 for space in own), default=0) + 1
    place = next((space.position or 0 for space in own if space.name == before), None)
    if place is None:
        raise StoreError(
            f"{before!r} has no rule in the database to be placed before. Those of mitm.toml "
            "always come first."
        )
    connection.execute(MAKE_ROOM, [place])
    return place


def made(connection: PgConnection, name: str) -> int:
    row = connection.execute(INSERT, [name]).fetchone()
    return int(row[0]) if row else 0
