"""The `[[policies]]` of a home's `mitm.toml`, shown in the table."""

from collections.abc import Sequence

from llmproxy_core.config import PolicyConfig
from llmproxy_core.store import policy_changes
from llmproxy_core.store.file_mirror import Clash, Mirror
from llmproxy_core.store.guard_rows import SecurityPolicy
from llmproxy_core.store.security_policies import PgConnection, policies, settings, told


def bring(connection: PgConnection, home: str, written: Sequence[PolicyConfig]) -> list[Clash]:
    """In place of those that the home had before."""
    return MIRROR.bring(connection, home, written)


def _is_same(before: SecurityPolicy, policy: PolicyConfig) -> bool:
    return (
        before.expression,
        before.action,
        before.mode,
        before.priority,
        before.settings,
    ) == (policy.when, policy.action, policy.mode, policy.priority, settings(policy))


MIRROR = Mirror(
    "policy",
    policy_changes.lock,
    policies,
    policy_changes.store,
    policy_changes.REMOVE,
    _is_same,
    told,
    policy_changes.tell,
)
