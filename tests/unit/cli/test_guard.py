"""`anomalies`, `policies`, `approvals` and `keys` on a real database."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core.store import audit
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import AnomalyRow
from llmproxy_core.store.writer import Writer
from tests.postgres import drop_database, new_database, opened
from tests.store.flows import a_decision, a_request, an_anomaly, an_approval
from tests.unit.cli.command import Command

pytestmark = pytest.mark.system

FILE = """
[[policies]]
name = "written"
when = 'finding.family == "pii"'
action = "flag"
"""
SECRET = 'finding.family == "secret"'


@pytest.fixture
def llmproxy(tmp_path: Path, database: Database) -> Command:
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


@pytest.fixture
def call(writer: Writer) -> RequestRow:
    request = a_request()
    writer.write(Batch(requests=[request]))
    return request


@pytest.fixture
def found(writer: Writer, call: RequestRow) -> list[AnomalyRow]:
    """A secret, which a policy blocked, then a mail address."""
    rows = [
        an_anomaly(call),
        an_anomaly(
            call, family="pii", detector="pii.mail", severity="low", text_hash=b"2" * 16,
            said="A mail address", excerpt="",
        ),
    ]  # fmt: skip
    decided = a_decision(call, findings=[rows[0].id])
    writer.write(Batch(anomalies=rows, decisions=[decided]))
    return rows


def objects(llmproxy: Command, *arguments: str) -> Any:
    return json.loads(llmproxy(*arguments, "--json").stdout)


def test_the_queue_is_listed_with_the_newest_at_the_end(
    llmproxy: Command, found: list[AnomalyRow]
) -> None:
    heading, *lines = llmproxy("anomalies", "list").stdout.splitlines()
    assert heading.split()[:4] == ["id", "time", "severity", "score"]
    assert [line.split()[0] for line in lines] == [row.id.hex[-8:] for row in found]
    assert "A key of AWS" in lines[0]
    told = objects(llmproxy, "anomalies", "list", "--severity", "medium", "--since", "2020-01-01")
    assert [one["id"] for one in told] == [str(found[0].id)]
    assert objects(llmproxy, "anomalies", "list", "--family", "jailbreak") == []


def test_an_anomaly_is_shown_with_its_evidence(llmproxy: Command, found: list[AnomalyRow]) -> None:
    shown = llmproxy("anomalies", "show", found[0].id.hex[-8:])
    assert ">>>[secret:aws:fp_0123]<<< ok" in shown.stdout
    assert "high secret, by secrets, score 0.90" in shown.stdout
    assert llmproxy("anomalies", "show", found[1].id.hex[:30]).returncode == 0
    missing = llmproxy("anomalies", "show", "ffffffff")
    assert (missing.returncode, "no anomaly 'ffffffff'" in missing.stderr) == (4, True)


def test_a_verdict_takes_it_out_of_the_queue(
    llmproxy: Command, found: list[AnomalyRow], database: Database
) -> None:
    ids = [row.id.hex[-8:] for row in found]
    done = llmproxy("anomalies", "false-positive", *ids, "--why", "an example")
    assert done.stdout.splitlines() == [
        f"{ids[0]}: false positive: A key of AWS",
        f"{ids[1]}: false positive: A mail address",
    ]
    assert llmproxy("anomalies", "list").stdout == "Nothing is open.\n"
    again = llmproxy("anomalies", "false-positive", ids[0])
    assert "false positive already" in again.stdout
    assert "false positive by" in llmproxy("anomalies", "show", ids[0]).stdout
    llmproxy("anomalies", "reopen", ids[0])
    llmproxy("anomalies", "ack", ids[0])
    llmproxy("anomalies", "resolve", ids[0])
    with database.raw() as connection:
        events = [event.action for _, event in audit.newest(connection)]
    assert events == [
        "anomaly resolve", "anomaly acknowledge", "anomaly reopen",
        "anomaly false positive", "anomaly false positive",
    ]  # fmt: skip


def test_anomalies_go_to_another_store_and_back(
    llmproxy: Command, found: list[AnomalyRow], postgres_home: Any, tmp_path: Path
) -> None:
    llmproxy("anomalies", "resolve", found[0].id.hex[-8:], "--why", "replaced")
    file = tmp_path / "anomalies.jsonl"
    assert "2 anomalies" in llmproxy("anomalies", "export", "-o", str(file)).stderr
    name = new_database(postgres_home)
    with opened(postgres_home, name) as other:
        there = Command(tmp_path, {"LLMPROXY_DATABASE_URL": other.url})
        for _ in range(2):
            assert there("anomalies", "import", str(file)).stdout == "2 anomalies\n"
        assert objects(there, "anomalies", "list", "--status", "all") == objects(
            llmproxy, "anomalies", "list", "--status", "all"
        )
        wrong = tmp_path / "wrong.jsonl"
        wrong.write_text('{"id": 3}\n')
        refused = there("anomalies", "import", str(wrong))
        assert (refused.returncode, "line 1 is not an anomaly" in refused.stderr) == (1, True)
        missing = there("anomalies", "import", "nowhere.jsonl")
        assert (missing.returncode, missing.stderr) == (
            1, "llmproxy: cannot read nowhere.jsonl: No such file or directory\n",
        )  # fmt: skip
    drop_database(postgres_home, name)


def test_a_policy_is_added_changed_and_removed(llmproxy: Command) -> None:
    done = llmproxy("policies", "add", "no-keys", "--when", SECRET, "--action", "block")
    assert done.stdout == (
        f"no-keys: block when {SECRET}\n"
        "No worker runs in this home: its proxies know it as soon as one does.\n"
    )
    llmproxy(
        "policies", "set", "no-keys", "--action", "hold", "--timeout", "60", "--mode", "shadow"
    )
    llmproxy(
        "policies", "add", "few", "--when", "true", "--action", "throttle", "--per-minute", "9"
    )
    llmproxy("policies", "set", "few", "--action", "flag", "--priority", "3")
    told = objects(llmproxy, "policies", "list")
    assert [(one["name"], one["action"], one["mode"]) for one in told] == [
        ("few", "flag", "active"), ("no-keys", "hold", "shadow"),
    ]  # fmt: skip
    assert told[1]["timeout_seconds"] == 60
    assert "per_minute" not in told[0]
    assert "no policy any more" in llmproxy("policies", "remove", "few").stdout
    assert "no-keys" in llmproxy("policies", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["add", "x", "--when", "model =="], "an expression"),
        (["add", "x", "--when", "true", "--action", "throttle"], "value: allowed is `per_minute`"),
        (["add", "-x-", "--when", "true"], "No such option"),
        (["add", "x y", "--when", "true"], "letters, digits"),
        (["set", "nobody", "--mode", "off"], "no policy 'nobody'"),
        (["remove", "nobody"], "no policy 'nobody'"),
        (["test", "nobody"], "no policy 'nobody'"),
        (["show", "nobody"], "no policy 'nobody'"),
    ],
)
def test_what_is_no_policy_is_told(llmproxy: Command, arguments: list[str], problem: str) -> None:
    done = llmproxy("policies", *arguments)
    assert done.returncode == (1 if "nobody" in arguments else 2)
    assert problem in " ".join(done.stderr.replace("│", "").split())


def test_another_expression_that_is_wrong_is_told_by_its_own_name(llmproxy: Command) -> None:
    llmproxy("policies", "add", "no-keys", "--when", SECRET)
    done = llmproxy("policies", "test", "no-keys", "--when", 'model = "x"')
    assert (done.returncode, "policies[0]" in done.stderr) == (2, False)
    assert "write == to compare" in done.stderr


def test_policies_of_the_file_are_changed_there(
    llmproxy: Command, tmp_path: Path, database: Database
) -> None:
    (tmp_path / "mitm.toml").write_text(FILE)
    assert "listed here as soon as a worker" in llmproxy("policies", "list").stderr
    for arguments in (["add", "written", "--when", "true"], ["remove", "written"]):
        done = llmproxy("policies", *arguments)
        assert (done.returncode, "change it there" in done.stderr) == (2, True)


def test_a_policy_is_shown_with_what_it_decided(
    llmproxy: Command, found: list[AnomalyRow], call: RequestRow
) -> None:
    llmproxy("policies", "add", "no-keys", "--when", SECRET, "--max-false-positive-rate", "0.1")
    shown = llmproxy("policies", "show", "no-keys").stdout
    assert f"{call.id.hex[-8:]} default blocked a key of AWS" in shown
    (line,) = llmproxy("policies", "list").stdout.splitlines()[1:]
    assert line.split()[:6] == ["no-keys", "unproven", "flag", "0", "1", "1"]


def test_a_key_is_blocked_and_let_in_again(llmproxy: Command) -> None:
    key = "fp_0123456789ab"
    assert "is blocked" in llmproxy("keys", "block", key, "--why", "It leaked.").stdout
    (blocked,) = objects(llmproxy, "keys", "list")
    assert (blocked["key"], blocked["why"], blocked["blocked"]) == (key, "It leaked.", True)
    (policy,) = objects(llmproxy, "policies", "list")
    assert policy["when"] == f'key.fingerprint == "{key}"'
    assert "may be used again" in llmproxy("keys", "unblock", key).stdout
    assert llmproxy("keys", "list").stdout == "No key is blocked.\n"
    again = llmproxy("keys", "unblock", key)
    assert (again.returncode, f"{key} is not blocked" in again.stderr) == (1, True)


def test_a_key_itself_is_not_repeated(llmproxy: Command) -> None:
    done = llmproxy("keys", "block", "sk-live-a-real-key")
    assert done.returncode == 2
    assert "sk-live" not in done.stderr


def test_calls_that_wait_are_listed_and_decided(llmproxy: Command, writer: Writer) -> None:
    calls = [a_request(), a_request()]
    rows = [an_approval(calls[0]), an_approval(calls[1], tool="bash", said="rm -rf \x1b[2J")]
    writer.write(Batch(requests=calls, approvals=rows))
    heading, *lines = llmproxy("approvals", "list").stdout.splitlines()
    assert heading.split()[:4] == ["call", "asked", "left", "state"]
    assert [line.split()[0] for line in lines] == [one.id.hex[-8:] for one in calls]
    assert lines[1].endswith("bash: rm -rf")
    done = llmproxy("approvals", "approve", str(calls[0].id))
    assert done.stdout == f"{calls[0].id.hex[-8:]}: approved\n"
    assert "no worker runs" in done.stderr
    llmproxy("approvals", "deny", calls[1].id.hex[-8:], "--why", "no")
    assert llmproxy("approvals", "list").stdout == "Nothing waits.\n"
    told = objects(llmproxy, "approvals", "list", "--all")
    assert [(one["state"], one["why"]) for one in told] == [("denied", "no"), ("approved", None)]
    again = llmproxy("approvals", "approve", calls[1].id.hex[-8:])
    assert (again.returncode, "denied it already" in again.stderr) == (1, True)
    missing = llmproxy("approvals", "deny", "ffffffff")
    assert (missing.returncode, "no call 'ffffffff' waits" in missing.stderr) == (4, True)


def test_calls_are_told_as_they_come_to_wait(llmproxy: Command, writer: Writer) -> None:
    first, second = a_request(), a_request()
    writer.write(Batch(requests=[first], approvals=[an_approval(first)]))
    process = llmproxy.start("approvals", "list", "--follow", "--json")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["request_id"] == str(first.id)
        time.sleep(0.2)
        writer.write(Batch(requests=[second], approvals=[an_approval(second)]))
        assert json.loads(process.stdout.readline())["request_id"] == str(second.id)
    finally:
        process.kill()
        process.communicate()
