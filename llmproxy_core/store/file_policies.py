"""The `[[policies]]` of a home's `mitm.toml`, shown in the table, and where the two clash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import uuid_utils.compat

from llmproxy_core.config import PolicyConfig
from llmproxy_core.model import Json
from llmproxy_core.store import audit, policy_changes
from llmproxy_core.store.guard_rows import SecurityPolicy
from llmproxy_core.store.rows import EventRow
from llmproxy_core.store.security_policies import (
    DATABASE,
    MITM_TOML,
    PgConnection,
    policies,
    settings,
    told,
)

ACTOR = "worker"
EVENT = "policy_clash"


@dataclass(frozen=True, slots=True)
class Clash:
    """The file counts: the policy of the table has made way for it."""

    policy: str

    def event(self) -> EventRow:
        id, at = uuid_utils.compat.uuid7(), datetime.now(UTC)
        namespace = policy_changes.DEFAULT_NAMESPACE
        return EventRow(namespace, id, at, EVENT, None, {"policy": self.policy})

    def __str__(self) -> str:
        return (
            f"mitm.toml has a policy {self.policy}: the one in the database has made way for it, "
            "`llmproxy audit list` tells what it was"
        )


def bring(connection: PgConnection, home: str, written: Sequence[PolicyConfig]) -> list[Clash]:
    """Show the policies of a home's file in the table, in place of those that it had before."""
    clashes = []
    with connection.transaction():
        policy_changes.lock(connection)
        known = {policy.name: policy for policy in policies(connection)}
        for policy in written:
            before = known.pop(policy.name, None)
            if before is not None and _is_same(before, policy):
                continue
            if before is not None and before.origin == DATABASE:
                clashes.append(Clash(policy.name))
            policy_changes.store(connection, policy, MITM_TOML, home, ACTOR)
            _tell(connection, home, policy.name, policy, before)
        for gone in known.values():
            if gone.origin == MITM_TOML and gone.home == home:
                connection.execute(policy_changes.REMOVE, [gone.name])
                _tell(connection, home, gone.name, None, gone)
    return clashes


def _is_same(before: SecurityPolicy, policy: PolicyConfig) -> bool:
    """Also where the file of another home says the same."""
    return before.origin == MITM_TOML and (
        before.expression,
        before.action,
        before.mode,
        before.priority,
        before.settings,
    ) == (policy.when, policy.action, policy.mode, policy.priority, settings(policy))


def _tell(
    connection: PgConnection,
    home: str,
    name: str,
    now: PolicyConfig | None,
    before: SecurityPolicy | None,
) -> None:
    facts: dict[str, Json] = {"home": home, "now": told(now) if now else None}
    if before is not None:
        facts["before"] = {key: value for key, value in before.table().items() if key != "name"}
    audit.append(
        connection, policy_changes.DEFAULT_NAMESPACE, ACTOR, "policy of mitm.toml", name, facts
    )
