"""Policies and verdicts on their way: mitm.toml -> table, table -> rulebook and `approvals`."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from llmproxy_core import rulebook
from llmproxy_core.anomaly.learning import NOTHING
from llmproxy_core.config import Config, DatabaseConfig, PolicyConfig
from llmproxy_core.home import Home
from llmproxy_core.policies.approvals import read
from llmproxy_core.store import (
    anomaly_changes,
    approvals,
    policy_changes,
    reads,
    security_policies,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.writer import Writer
from llmproxy_core.worker import guard_rules, rules
from llmproxy_core.worker.rules import RuleKeeper
from tests.store.flows import a_decision, a_request, an_anomaly, an_approval
from tests.worker.test_rules import write

KEYS = PolicyConfig(name="no-keys", when='finding.family == "secret"', action="block")
FILE = """
[[policies]]
name = "no-keys"
when = 'finding.family == "secret"'
action = "hold"
"""


@pytest.fixture
def settings(home: Home, database: Database) -> Config:
    return Config(source=home.path / "mitm.toml", database=DatabaseConfig(url=database.url))


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


@pytest.fixture
def look(
    settings: Config,
    home: Home,
    database: Database,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], None]:
    monkeypatch.setattr(rules, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(guard_rules, "WEIGH_SECONDS", 0.0)
    assert settings.source is not None
    write(settings.source, "")
    keeper = RuleKeeper(settings, home, writer.write)
    return lambda: keeper.look(database)


def add(database: Database, policy: PolicyConfig) -> None:
    with database.raw() as connection:
        policy_changes.add(connection, policy, "anna")


def test_policies_of_the_table_are_handed_to_the_proxies(
    look: Callable[[], None], database: Database, home: Home
) -> None:
    look()
    assert not home.rulebook.exists()
    add(database, KEYS)
    look()
    assert rulebook.read(home.rulebook).policies == [KEYS]
    with database.raw() as connection:
        policy_changes.remove(connection, "no-keys", "anna")
    look()
    assert rulebook.read(home.rulebook).policies == []


def test_policies_of_the_file_are_shown_in_the_table_alone(
    look: Callable[[], None], settings: Config, database: Database, home: Home
) -> None:
    add(database, KEYS)
    assert settings.source is not None
    write(settings.source, FILE)
    look()
    with database.raw() as connection:
        (shown,) = security_policies.policies(connection)
    assert (shown.origin, shown.action) == ("mitm.toml", "hold")
    assert not home.rulebook.exists()
    with database.connect() as opened:
        (event,) = reads.events(opened, kind="policy_clash")
    assert event.data == {"policy": "no-keys"}


def test_a_policy_that_is_none_is_left_out_and_told_once(
    look: Callable[[], None], database: Database, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    add(database, KEYS)
    with database.raw() as connection:
        connection.execute("UPDATE security_policies SET action = 'explode'")
    look()
    look()
    assert caplog.text.count("policy no-keys") == 1
    assert not home.rulebook.exists()


def test_a_policy_is_proven_by_what_people_found_right(
    look: Callable[[], None], database: Database, home: Home, writer: Writer
) -> None:
    add(database, KEYS.model_copy(update={"max_false_positive_rate": 0.1}))
    look()
    assert rulebook.read(home.rulebook).proven == frozenset()
    ids = []
    for n in range(29):  # 0 of 29: at most 9.8 %
        request = a_request()
        row = an_anomaly(request, text_hash=bytes([n]) * 16)
        decided = a_decision(
            request, findings=[row.id], mode="shadow", at=datetime.now(UTC) + timedelta(1)
        )
        writer.write(Batch(requests=[request], anomalies=[row], decisions=[decided]))
        ids.append(row.id)
    with database.raw() as connection:
        anomaly_changes.judge(connection, ids[:28], "resolved", "anna")
    look()
    assert rulebook.read(home.rulebook).proven == frozenset()
    with database.raw() as connection:
        anomaly_changes.judge(connection, ids[28:], "resolved", "anna")
    look()
    assert rulebook.read(home.rulebook).proven == {"no-keys"}
    with database.raw() as connection:
        anomaly_changes.judge(connection, ids[:1], "false_positive", "anna")
    look()
    assert rulebook.read(home.rulebook).proven == frozenset()


def test_what_people_say_is_learned(
    look: Callable[[], None], database: Database, home: Home, writer: Writer
) -> None:
    request = a_request()
    row = an_anomaly(request)
    writer.write(Batch(requests=[request], anomalies=[row]))
    look()
    assert not home.rulebook.exists()
    with database.raw() as connection:
        anomaly_changes.judge(connection, [row.id], "false_positive", "anna")
    look()
    learned = rulebook.read(home.rulebook).learned
    assert learned != NOTHING
    assert not learned.tells("default", "secrets", 0.9, row.text_hash)


def test_what_was_decided_of_a_call_is_handed_to_its_proxy(
    look: Callable[[], None], database: Database, home: Home, writer: Writer
) -> None:
    request, other = a_request(), a_request()
    writer.write(
        Batch(requests=[request, other], approvals=[an_approval(request), an_approval(other)])
    )
    look()
    assert not home.approvals.exists()
    with database.raw() as connection:
        approvals.decide(connection, request.id, "approved", "anna", "fine")
        approvals.decide(connection, other.id, "denied", "bert")
    look()
    assert json.loads(home.approvals.read_bytes()) == {
        request.id.hex: {"decision": "approved", "by": "anna", "why": "fine"},
        other.id.hex: {"decision": "denied", "by": "bert"},
    }
    assert read(home.approvals)[request.id.hex].told == "approved by anna: fine"
    before = home.approvals.stat().st_ino
    look()
    assert home.approvals.stat().st_ino == before


def test_a_decision_is_forgotten_when_it_is_old(
    look: Callable[[], None], database: Database, home: Home, writer: Writer
) -> None:
    request = a_request()
    writer.write(Batch(requests=[request], approvals=[an_approval(request)]))
    with database.raw() as connection:
        approvals.decide(connection, request.id, "approved", "anna")
    look()
    with database.raw() as connection:
        connection.execute("UPDATE approvals SET decided_at = now() - interval '25 hours'")
    look()
    assert home.approvals.read_bytes() == b"{}"
