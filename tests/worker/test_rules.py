"""Rules of namespaces on their way: mitm.toml -> table, table -> rulebook."""

import json
import os
import time
from pathlib import Path

import pytest

from llmproxy_core import rulebook, watched
from llmproxy_core.config import Config, DatabaseConfig
from llmproxy_core.home import Home
from llmproxy_core.rulebook import Rulebook
from llmproxy_core.store import namespace_changes, reads
from llmproxy_core.store.database import Database
from llmproxy_core.store.namespaces import Rule, spaces
from llmproxy_core.store.writer import Writer
from llmproxy_core.worker import rules
from llmproxy_core.worker.rules import RuleKeeper
from tests.worker.processes import wait_for, worker

PAY = Rule("payments", "pay__", {"header": {"x-team": ["payments"]}})
FILE = """
[[namespaces]]
name = "payments"
prefix = "pay__"
match = { header = { "x-team" = "payments" } }
"""


@pytest.fixture
def settings(home: Home, database: Database) -> Config:
    return Config(source=home.path / "mitm.toml", database=DatabaseConfig(url=database.url))


@pytest.fixture
def writer(database: Database):
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.fixture
def look(settings, home, database, writer, monkeypatch):
    monkeypatch.setattr(rules, "LOOK_SECONDS", 0.0)
    write(settings.source, "")
    keeper = RuleKeeper(settings, home, writer.write)
    return lambda: keeper.look(database)


@pytest.fixture
def add(database):
    def add(*wanted: Rule) -> None:
        with database.raw() as connection:
            for rule in wanted:
                namespace_changes.add(connection, rule, "anna")

    return add


def write(file: Path, text: str) -> None:
    """As an editor does it, some time ago."""
    aside = file.with_suffix(".new")
    aside.write_text(text)
    before = time.time() - 1
    os.utime(aside, (before, before))
    aside.replace(file)


def shown(database: Database) -> list[tuple[str, str | None]]:
    with database.raw() as connection:
        return [(one.name, one.prefix) for one in spaces(connection) if one.source == "mitm.toml"]


def handed(home: Home) -> list[str]:
    return [rule.name for rule in rulebook.read(home.rulebook).namespaces]


def test_rules_of_the_table_are_handed_to_the_proxies(look, add, home):
    look()
    assert not home.rulebook.exists()
    add(PAY, Rule("shop", "s_", {"client": ["10.0.0.0/8"]}, ["anna"], "skip"), Rule("plain"))
    look()
    first, second, _ = [Rule.of(one) for one in rulebook.read(home.rulebook).namespaces]
    assert first == PAY
    assert second.settings() == {
        "name": "shop", "prefix": "s_", "match": {"client": ["10.0.0.0/8"]}, "reserved": ["anna"],
        "on_too_long": "skip",
    }  # fmt: skip
    assert home.rulebook.stat().st_mode & 0o777 == 0o600


def test_what_has_not_changed_is_not_written_again(look, add, home):
    add(PAY)
    look()
    before = home.rulebook.stat().st_ino
    look()
    assert home.rulebook.stat().st_ino == before


def test_a_rule_that_is_removed_is_gone_from_the_rulebook(look, add, home, database):
    add(PAY)
    look()
    with database.raw() as connection:
        namespace_changes.remove(connection, "payments", "anna")
    look()
    assert handed(home) == []


def test_a_rule_that_no_proxy_would_take_is_left_out_and_told_once(
    look, add, home, database, caplog
):
    add(PAY, Rule("shop", "s_"))
    with database.raw() as connection:
        connection.execute("UPDATE namespaces SET prefix = '1 2' WHERE name = 'payments'")
    look()
    look()
    assert handed(home) == ["shop"]
    assert caplog.text.count("Its rule is left out") == 1
    assert "namespace payments: `namespaces[0].prefix` = '1 2'" in caplog.text


def test_namespaces_of_the_file_are_shown_in_the_table(look, settings, database, home):
    write(settings.source, FILE)
    look()
    assert shown(database) == [("payments", "pay__")]
    assert not home.rulebook.exists()
    write(settings.source, FILE.replace("pay__", "p_"))
    look()
    assert shown(database) == [("payments", "p_")]
    write(settings.source, "")
    look()
    assert shown(database) == []


@pytest.mark.parametrize("text", ["[[namespaces", "[[namespaces]]\nname = 'no name'", None])
def test_a_broken_file_changes_nothing_and_is_told_once(look, settings, database, caplog, text):
    write(settings.source, FILE)
    look()
    if text is None:
        settings.source.unlink()
    else:
        write(settings.source, text)
    look()
    look()
    assert shown(database) == [("payments", "pay__")]
    assert caplog.text.count("What it said before stays in force") == 1


def test_a_file_that_is_being_written_waits(look, settings, database, monkeypatch):
    write(settings.source, FILE)
    os.utime(settings.source)
    monkeypatch.setattr(watched, "SETTLED_NS", 3600 * 10**9)
    look()
    assert shown(database) == []
    monkeypatch.setattr(watched, "SETTLED_NS", 0)
    look()
    assert shown(database) == [("payments", "pay__")]


def test_a_clash_is_told_in_the_log_and_as_an_event(look, settings, add, database, home, caplog):
    add(PAY, Rule("shop", "shop_"))
    look()
    write(settings.source, FILE.replace("pay__", "shop_"))
    look()
    look()
    assert shown(database) == [("payments", "shop_")]
    assert handed(home) == ["shop"]
    with database.connect() as connection:
        events = reads.events(connection, kind="namespace_clash")
    assert [event.data["lost"] for event in events] == ["prefix", "rule"]
    assert caplog.text.count("the one in the database has made way") == 1
    assert caplog.text.count("gives payments the prefix 'shop_', which shop had") == 1


def test_a_store_that_refuses_does_not_hold_up_the_calls(look, add, home, database, caplog):
    add(PAY)
    with database.raw() as connection:
        connection.execute("ALTER TABLE namespaces RENAME COLUMN match TO other")
    look()
    look()
    assert caplog.text.count("Namespaces, policies and the rest stay as they were") == 1
    with database.raw() as connection:
        connection.execute("ALTER TABLE namespaces RENAME COLUMN other TO match")
    look()
    assert handed(home) == ["payments"]


def test_a_running_proxy_knows_a_new_rule_within_3_seconds(home, database, add):
    complaints: list[str] = []
    proxy = Rulebook(Config(), home, complaints.append)
    with worker(home, database.url) as child:
        wait_for(lambda: "storing into" in child.log, "not started")

        def took(name: str) -> float:
            def known() -> bool:
                proxy.refresh()
                return name in {one.name for one in proxy.rules.namespaces}

            began = time.monotonic()
            add(Rule(name))
            wait_for(known, "the rule does not come")
            return time.monotonic() - began

        # the proxy itself looks once a second; a busy machine may hold up some of them
        assert min(map(took, ("one", "two", "three"))) < 3 - rulebook.SECONDS
    assert complaints == []
    assert json.loads(home.rulebook.read_bytes())["version"] == 1
