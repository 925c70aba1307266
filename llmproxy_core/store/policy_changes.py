"""Changes of the policies that the table holds, one audit event each."""

import json
from typing import Any

from llmproxy_core.config import PolicyConfig
from llmproxy_core.errors import StoreError
from llmproxy_core.sections.policies import Mode
from llmproxy_core.store import audit
from llmproxy_core.store.guard_rows import SecurityPolicy
from llmproxy_core.store.security_policies import (
    DATABASE,
    PgConnection,
    checked,
    find,
    settings,
    told,
    where,
)
from llmproxy_core.store.values import clean

DEFAULT_NAMESPACE = 1
LOCKED = 0x6C6C6D08
KEY_PRIORITY = 100_000
"""A key that is blocked is so before anything else is asked."""

LOCK = "SELECT pg_advisory_xact_lock(%s)"
STORE = """
INSERT INTO security_policies AS p (
    name, expression, action, mode, priority, settings, origin, home, created_by, updated_by
) VALUES (
    %(name)s, %(expression)s, %(action)s, %(mode)s, %(priority)s, %(settings)s::jsonb, %(origin)s,
    %(home)s, %(actor)s, %(actor)s
) ON CONFLICT (name) DO UPDATE SET
    expression = excluded.expression, action = excluded.action, mode = excluded.mode,
    priority = excluded.priority, settings = excluded.settings, origin = excluded.origin,
    home = excluded.home, updated_by = excluded.updated_by, updated_at = now(),
    since = CASE WHEN p.expression = excluded.expression THEN p.since ELSE now() END
"""
REMOVE = "DELETE FROM security_policies WHERE name = %s"


def add(connection: PgConnection, policy: PolicyConfig, actor: str) -> None:
    """Raises StoreError: there is one of this name."""
    with connection.transaction():
        lock(connection)
        if (other := find(connection, policy.name)) is not None:
            raise StoreError(
                f"There is a policy {policy.name} already, in {where(other)}. "
                f"Change it with `llmproxy policies set {policy.name}`."
            )
        store(connection, policy, DATABASE, None, actor)
        tell(connection, actor, "policy add", policy.name, told(policy))


def change(connection: PgConnection, policy: PolicyConfig, actor: str) -> None:
    """Put another policy in the place of the one of this name.

    Raises:
        StoreError: there is none, or a `mitm.toml` has it.
    """
    with connection.transaction():
        lock(connection)
        before = own(connection, policy.name)
        store(connection, policy, DATABASE, None, actor)
        now = told(policy)
        tell(connection, actor, "policy change", policy.name, {"before": _was(before), "now": now})


def set_mode(connection: PgConnection, name: str, mode: Mode, actor: str) -> None:
    """Switch a policy of the table on or off, or let it only say what it would do.

    Raises:
        StoreError: as `change`.
        ConfigError: what the table has of it is no policy.
    """
    with connection.transaction():
        lock(connection)
        before = own(connection, name)
        if before.mode != mode:
            change(connection, checked(before.table() | {"mode": mode}, f"policy {name}"), actor)


def remove(connection: PgConnection, name: str, actor: str) -> None:
    """What it has decided stays. Raises StoreError as `change`."""
    with connection.transaction():
        lock(connection)
        before = own(connection, name)
        connection.execute(REMOVE, [name])
        tell(connection, actor, "policy remove", name, _was(before))


def block_key(connection: PgConnection, fingerprint: str, actor: str, why: str = "") -> str:
    """Refuse every call with a provider's key; the name of the policy that does so.

    Raises:
        ConfigError: that is no fingerprint.
        StoreError: a `mitm.toml` has a policy of that name.
    """
    policy = checked(
        {
            "name": key_policy(fingerprint),
            "when": f'key.fingerprint == "{fingerprint}"',
            "action": "block",
            "priority": KEY_PRIORITY,
            "message": why or "This key is blocked.",
        },
        f"the key {fingerprint}",
    )
    with connection.transaction():
        lock(connection)
        before = find(connection, policy.name)
        if before is None:
            add(connection, policy, actor)
        elif before.origin != DATABASE or _was(before) != told(policy):
            change(connection, policy, actor)
    return policy.name


def key_policy(fingerprint: str) -> str:
    """The name of the policy that blocks a key."""
    return f"block-{fingerprint}"


def own(connection: PgConnection, name: str) -> SecurityPolicy:
    """Raises StoreError: there is none of this name, or a `mitm.toml` has it."""
    found = find(connection, name)
    if found is None:
        raise StoreError(f"There is no policy {name!r}. `llmproxy policies list` has all.")
    if found.origin != DATABASE:
        raise StoreError(f"{name} is in {where(found)}. Change it there.")
    return found


def lock(connection: PgConnection) -> None:
    """Nobody else changes policies until the transaction ends."""
    connection.execute(LOCK, [LOCKED])


def store(
    connection: PgConnection, policy: PolicyConfig, origin: str, home: str | None, actor: str
) -> None:
    values = {
        "name": policy.name,
        "expression": policy.when,
        "action": policy.action,
        "mode": policy.mode,
        "priority": policy.priority,
        "settings": json.dumps(settings(policy)),
        "origin": origin,
        "home": home,
        "actor": clean(actor),
    }
    connection.execute(STORE, values)


def _was(policy: SecurityPolicy) -> dict[str, Any]:
    return {key: value for key, value in policy.table().items() if key != "name"}


def tell(
    connection: PgConnection, actor: str, action: str, name: str, facts: dict[str, Any]
) -> None:
    audit.append(connection, DEFAULT_NAMESPACE, actor, action, name, facts)
