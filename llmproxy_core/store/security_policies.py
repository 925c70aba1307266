"""Policies: those of `mitm.toml`, which are shown here (see `file_policies`), and those of the table.

The latter are written by people and handed to the proxies by the worker. Every change is audited,
in the chain of the namespace `default`: a policy is of no namespace.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from llmproxy_core import config
from llmproxy_core.config import PolicyConfig
from llmproxy_core.errors import ConfigError
from llmproxy_core.store.guard_rows import SecurityPolicy

type PgConnection = psycopg.Connection[Any]

MITM_TOML, DATABASE = "mitm.toml", "database"
OWN_COLUMNS = ("name", "when", "action", "mode", "priority")
"""Of a table `[[policies]]`; the rest is `settings`."""
COLUMNS = (
    "name, expression, action, mode, priority, settings, origin, home, since, created_at, "
    "created_by, updated_at, updated_by"
)
ALL = f"SELECT {COLUMNS} FROM security_policies ORDER BY priority DESC, name"  # noqa: S608


def policies(connection: PgConnection) -> list[SecurityPolicy]:
    """All of them, in the order in which they are asked."""
    with connection.cursor(row_factory=class_row(SecurityPolicy)) as cursor:
        return cursor.execute(ALL).fetchall()


def find(connection: PgConnection, name: str) -> SecurityPolicy | None:
    return next((policy for policy in policies(connection) if policy.name == name), None)


def fitting(policies: Iterable[SecurityPolicy]) -> tuple[list[PolicyConfig], list[str]]:
    """Those that a proxy takes, and what is wrong with the others: anybody may have written
    something else into the table."""
    found, problems = [], []
    for policy in policies:
        try:
            found.append(checked(policy.table(), f"policy {policy.name}"))
        except ConfigError as exc:
            problems.append(f"{exc}. It is left out; see `llmproxy policies set`")
    return found, problems


def checked(table: dict[str, Any], place: str = "policy") -> PolicyConfig:
    """A policy from a table `[[policies]]`.

    Raises:
        ConfigError: it is none; names the key and what is allowed.
    """
    (found,) = config.check(Path(place), {"policies": [table]}).policies
    return found


def settings(policy: PolicyConfig) -> dict[str, Any]:
    """What has no column of its own, and is not as it is if nothing is said."""
    told = policy.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in told.items() if key not in OWN_COLUMNS}


def told(policy: PolicyConfig) -> dict[str, Any]:
    """For the audit: without its name."""
    return {
        "when": policy.when,
        "action": policy.action,
        "mode": policy.mode,
        "priority": policy.priority,
        **settings(policy),
    }


def where(policy: SecurityPolicy) -> str:
    if policy.origin == MITM_TOML:
        return f"the mitm.toml of {policy.home}" if policy.home else "a mitm.toml"
    return "the database"
