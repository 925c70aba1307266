import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from llmproxy_core.config import PolicyConfig
from llmproxy_core.errors import ConfigError, StoreError
from llmproxy_core.store import audit, file_policies, policies, policy_changes
from llmproxy_core.store.database import Database
from llmproxy_core.store.security_policies import checked, find, fitting
from llmproxy_core.store.security_policies import policies as all_policies

HERE, THERE = "host:/home", "other:/home"
KEYS = PolicyConfig(name="no-keys", when='finding.family == "secret"', action="block")
SLOW = PolicyConfig(
    name="slow", when='client.user == "bot"', action="throttle", per_minute=3, priority=7
)


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


def told(connection: psycopg.Connection[Any]) -> list[tuple[str, str, str]]:
    return [(one.actor, one.action, one.target) for _, one in audit.newest(connection)]


def test_a_policy_comes_back_as_it_was_written(connection: psycopg.Connection[Any]) -> None:
    for policy in (KEYS, SLOW):
        policy_changes.add(connection, policy, "anna")
    found = all_policies(connection)
    assert [policy.name for policy in found] == ["slow", "no-keys"]
    assert fitting(found) == ([SLOW, KEYS], [])
    assert (found[0].settings, found[0].created_by) == ({"per_minute": 3}, "anna")
    assert told(connection)[0] == ("anna", "policy add", "slow")


def test_two_policies_cannot_have_one_name(connection: psycopg.Connection[Any]) -> None:
    policy_changes.add(connection, KEYS, "anna")
    with pytest.raises(StoreError, match="in the database"):
        policy_changes.add(connection, KEYS, "anna")


def test_a_change_is_told_with_what_was_before(connection: psycopg.Connection[Any]) -> None:
    policy_changes.add(connection, KEYS, "anna")
    policy_changes.set_mode(connection, "no-keys", "shadow", "bert")
    policy_changes.set_mode(connection, "no-keys", "shadow", "bert")
    found = find(connection, "no-keys")
    assert found is not None
    assert (found.mode, found.created_by, found.updated_by) == ("shadow", "anna", "bert")
    event = audit.newest(connection)[0][1]
    assert event.actor == "bert"
    detail = json.loads(event.detail)
    assert (detail["before"]["mode"], detail["now"]["mode"]) == ("active", "shadow")
    assert len(told(connection)) == 2


def test_only_another_expression_makes_it_another_policy(
    connection: psycopg.Connection[Any],
) -> None:
    policy_changes.add(connection, KEYS, "anna")
    since = find(connection, "no-keys").since  # type: ignore[union-attr]
    policy_changes.set_mode(connection, "no-keys", "shadow", "anna")
    assert find(connection, "no-keys").since == since  # type: ignore[union-attr]
    changed = KEYS.model_copy(update={"when": "finding.score > 0.5"})
    policy_changes.change(connection, changed, "anna")
    assert find(connection, "no-keys").since > since  # type: ignore[union-attr]


def test_what_is_not_there_or_in_a_file_cannot_be_changed(
    connection: psycopg.Connection[Any],
) -> None:
    file_policies.bring(connection, HERE, [SLOW])
    with pytest.raises(StoreError, match="no policy 'no-keys'"):
        policy_changes.remove(connection, "no-keys", "anna")
    with pytest.raises(StoreError, match=r"mitm\.toml of host:/home"):
        policy_changes.set_mode(connection, "slow", "off", "anna")


def test_policies_of_a_file_come_and_go_with_it(connection: psycopg.Connection[Any]) -> None:
    assert file_policies.bring(connection, HERE, [KEYS, SLOW]) == []
    file_policies.bring(connection, THERE, [SLOW])
    assert len(told(connection)) == 2
    file_policies.bring(connection, HERE, [KEYS.model_copy(update={"mode": "off"})])
    found = all_policies(connection)
    assert [(one.name, one.mode, one.origin, one.home) for one in found] == [
        ("no-keys", "off", "mitm.toml", HERE)
    ]
    assert len(told(connection)) == 4


def test_the_file_comes_before_the_table(connection: psycopg.Connection[Any]) -> None:
    policy_changes.add(connection, KEYS.model_copy(update={"priority": 3}), "anna")
    (clash,) = file_policies.bring(connection, HERE, [KEYS])
    assert "no-keys" in str(clash)
    assert clash.event().data == {"policy": "no-keys"}
    assert find(connection, "no-keys").origin == "mitm.toml"  # type: ignore[union-attr]
    detail = json.loads(audit.newest(connection)[0][1].detail)
    assert detail["before"]["priority"] == 3


def test_what_somebody_else_wrote_into_the_table_is_left_out(
    connection: psycopg.Connection[Any],
) -> None:
    policy_changes.add(connection, KEYS, "anna")
    policy_changes.add(connection, SLOW, "anna")
    connection.execute("UPDATE security_policies SET expression = 'x ==' WHERE name = 'slow'")
    found, problems = fitting(all_policies(connection))
    assert found == [KEYS]
    assert "slow" in problems[0]
    assert "an expression" in problems[0]


def test_a_blocked_key_is_a_policy(connection: psycopg.Connection[Any]) -> None:
    name = policy_changes.block_key(connection, "fp_0123456789ab", "anna", "it leaked")
    assert policy_changes.block_key(connection, "fp_0123456789ab", "anna", "it leaked") == name
    assert len(told(connection)) == 1
    policy_changes.set_mode(connection, name, "off", "anna")
    policy_changes.block_key(connection, "fp_0123456789ab", "anna")
    (policy,) = fitting(all_policies(connection))[0]
    assert (policy.when, policy.mode) == ('key.fingerprint == "fp_0123456789ab"', "active")
    with pytest.raises(ConfigError, match="letters, digits"):
        policy_changes.block_key(connection, 'fp" or true or "', "anna")


def test_a_policy_is_checked_before_it_is_written() -> None:
    with pytest.raises(ConfigError, match="per_minute"):
        checked({"name": "slow", "when": "true", "action": "throttle"})


def test_the_worker_may_change_policies_and_a_reader_may_only_see_them(
    database: Database, connection: psycopg.Connection[Any]
) -> None:
    policy_changes.add(connection, KEYS, "anna")
    rights = {
        (role, right): connection.execute(
            "SELECT has_table_privilege(%s, 'security_policies', %s)", [role, right]
        ).fetchone()
        for role in policies.ROLES
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }
    refused = {key for key, granted in rights.items() if granted != (True,)}
    assert refused == {(policies.READER, right) for right in ("INSERT", "UPDATE", "DELETE")}
