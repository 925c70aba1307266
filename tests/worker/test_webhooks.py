"""Findings are told to webhooks: once, signed, and again where that is needed."""

import json
import os
import subprocess
from typing import Any

import pytest

from llmproxy_core.config import PolicyConfig, WebhookConfig
from llmproxy_core.store import deliveries
from llmproxy_core.webhooks import verify
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.judging import Judging
from llmproxy_core.worker.storage import DatabaseStorage
from llmproxy_core.worker.telling import PAUSES, Telling
from tests.mitm import BIN
from tests.worker.processes import wait_for, worker
from tests.worker.receiver import Receiver, receiver
from tests.worker.traffic import Call, append, chat

MARK = "[secret:aws-access-token:fp_0123456789ab]"
LEAK = f"The key is {MARK}, keep it."
SECRET = "a secret of more than sixteen bytes"


@pytest.fixture
def receiving(tmp_path, monkeypatch):
    folder = tmp_path / "receiver"
    folder.mkdir()
    with receiver(folder) as made:
        monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
        monkeypatch.setenv("LLMPROXY_HOOK", SECRET)
        yield made


def hook(receiving: Receiver, **more: Any) -> WebhookConfig:
    facts = {"name": "ops", "url": receiving.url, "secret_env": "LLMPROXY_HOOK"}
    return WebhookConfig.model_validate(facts | more)


@pytest.fixture
def told(config, home, journal, receiving):
    """Store and judge calls with these settings, then look once at what is due; how many were told."""
    storages: list[DatabaseStorage] = []

    def run(
        *calls: Call, webhooks: list[WebhookConfig], policies: Any = (), pauses: Any = PAUSES
    ) -> int:
        own = config.model_copy(update={"webhooks": webhooks, "policies": list(policies)})
        storage = DatabaseStorage(own, home)
        storages.append(storage)
        judging = Judging(own, home)
        judging.warm()
        intake = Intake(home.spool, storage, judging=judging)
        for call in calls:
            append(journal, call.records())
        while True:
            while intake.collect() or intake.waiting or intake.due:
                intake.commit()
            judging.work(5.0, storage)
            if judging.idle:
                break
        telling = Telling(webhooks, str(home.path), pauses)
        with deliveries.outbox(storage.database(), str(home.path)) as box:
            tried = telling.round(box)
        telling.stop()
        return tried

    yield run
    for storage in storages:
        storage.close()


def states(database: Any, home: Any) -> dict[str, int]:
    with database.raw() as connection:
        return {one.state: one.number for one in deliveries.counts(connection, str(home.path))}


def due_now(database: Any) -> None:
    with database.raw() as connection:
        connection.execute("UPDATE webhook_deliveries SET next_at = now()")
        connection.commit()


def test_a_finding_is_told_and_signed(told, receiving, database, home):
    assert told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)]) == 1
    ((headers, body),) = receiving.got
    assert verify(SECRET.encode(), headers, body)
    data = json.loads(body)["data"]
    assert (data["detector"], data["namespace"]) == ("secrets.aws-access-token", "default")
    assert data["excerpt"] == LEAK
    assert states(database, home) == {"delivered": 1}


def test_the_same_finding_again_is_not_told_again(told, receiving):
    ours = [hook(receiving)]
    told(Call(1, answer=chat(LEAK)), webhooks=ours)
    assert told(Call(2, answer=chat(LEAK)), webhooks=ours) == 0
    assert len(receiving.got) == 1


def test_each_webhook_is_told_what_it_wants(told, receiving):
    ours = [hook(receiving, severity="critical"), hook(receiving, name="chat", format="slack")]
    assert told(Call(1, answer=chat(LEAK)), webhooks=ours) == 1
    assert list(json.loads(receiving.got[0][1])) == ["text"]


def test_decisions_of_active_policies_are_told(told, receiving):
    flag = PolicyConfig(name="leaks", when='finding.family == "secret"')
    shadow = PolicyConfig(name="quiet", when='finding.family == "secret"', mode="shadow")
    ours = [hook(receiving, events=["decision"])]
    assert told(Call(1, answer=chat(LEAK)), webhooks=ours, policies=[flag, shadow]) == 1
    assert json.loads(receiving.got[0][1])["data"]["policy"] == "leaks"


def test_a_receiver_that_fails_is_tried_again_with_the_same_message(
    told, receiving, database, home, caplog
):
    receiving.answers = [503]
    ours = [hook(receiving)]
    told(Call(1, answer=chat(LEAK)), webhooks=ours)
    assert states(database, home) == {"waiting": 1}
    assert told(webhooks=ours) == 0  # not before its time
    due_now(database)
    assert told(webhooks=ours) == 1
    first, second = receiving.got
    assert (first[0]["webhook-id"], first[1]) == (second[0]["webhook-id"], second[1])
    assert states(database, home) == {"delivered": 1}
    assert "HTTP 503" in caplog.text
    assert "verysecret" not in caplog.text


def test_a_receiver_may_say_when(told, receiving, database, home):
    receiving.answers, receiving.headers = [429], {"retry-after": "1000"}
    told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)])
    with database.raw() as connection:
        (count,) = deliveries.counts(connection, str(home.path))
        (now,) = connection.execute("SELECT now()").fetchone()
    assert 900 < (count.next_at - now).total_seconds() < 1200


def test_after_the_last_try_it_is_given_up(told, receiving, database, home):
    receiving.answers = [500, 500]
    ours = [hook(receiving)]
    told(Call(1, answer=chat(LEAK)), webhooks=ours, pauses=[0.0])
    due_now(database)
    told(webhooks=ours, pauses=[0.0])
    assert states(database, home) == {"failed": 1}


def test_a_receiver_that_is_gone_is_believed(told, receiving, database, home):
    receiving.answers = [410]
    told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)])
    assert states(database, home) == {"failed": 1}


def test_nobody_there_is_told_without_the_address(told, receiving, database, home, caplog):
    nobody = hook(receiving).model_copy(update={"url": "https://localhost:1/in/verysecret"})
    told(Call(1, answer=chat(LEAK)), webhooks=[nobody])
    assert states(database, home) == {"waiting": 1}
    assert "no answer (ConnectError)" in caplog.text
    assert "verysecret" not in caplog.text


def test_a_certificate_that_nobody_signed_is_refused(told, receiving, monkeypatch, database, home):
    monkeypatch.delenv("SSL_CERT_FILE")
    told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)])
    assert (receiving.got, states(database, home)) == ([], {"waiting": 1})


def test_a_proxy_in_the_environment_is_not_used(told, receiving, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)]) == 1
    assert len(receiving.got) == 1


def test_of_a_flood_a_part_is_told_and_how_much_more_there_was(told, receiving, database, home):
    many = [Call(n, answer=chat(f"{n} {LEAK}")) for n in range(60)]
    told(*many, webhooks=[hook(receiving)])
    assert sum(states(database, home).values()) == 51


def test_what_was_not_told_is_told_by_the_next_worker(config, home, journal, receiving, database):
    """Real processes: the first one finds nobody there, and is killed."""
    receiving.answers = [500]
    (home.path / "mitm.toml").write_text(
        f'[[webhooks]]\nname = "ops"\nurl = "{receiving.url}"\nsecret_env = "LLMPROXY_HOOK"\n'
    )
    append(journal, Call(1, answer=chat(LEAK)).records())
    with worker(home, config.database.url):
        wait_for(
            lambda: states(database, home) == {"waiting": 1} and len(receiving.got) == 1, "told"
        )
    due_now(database)
    with worker(home, config.database.url):
        wait_for(lambda: states(database, home) == {"delivered": 1}, "told again")
    assert verify(SECRET.encode(), *receiving.got[-1])


def test_without_webhooks_nothing_waits_for_ever(told, receiving, database, home):
    receiving.answers = [500]
    told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)])
    Telling([], str(home.path)).start(database)
    assert states(database, home) == {}


def _command(home, database, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "LLMPROXY_HOME": str(home.path),
        "LLMPROXY_CONFIG": str(home.path / "mitm.toml"),
        "LLMPROXY_DATABASE_URL": database.url,
    }
    command = [str(BIN / "llmproxy"), "webhooks", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_a_webhook_is_tried_by_command(home, receiving, database):
    (home.path / "mitm.toml").write_text(
        f'[[webhooks]]\nname = "ops"\nurl = "{receiving.url}"\nsecret_env = "LLMPROXY_HOOK"\n'
    )
    done = _command(home, database, "test", "ops")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(": HTTP 204\n")
    assert "verysecret" not in done.stdout
    ((headers, body),) = receiving.got
    assert verify(SECRET.encode(), headers, body)
    assert json.loads(body)["data"]["test"] is True
    receiving.answers = [500]
    assert _command(home, database, "test").returncode == 1
    assert _command(home, database, "test", "other").returncode == 4


def test_what_webhooks_were_told_is_listed(told, home, receiving, database):
    told(Call(1, answer=chat(LEAK)), webhooks=[hook(receiving)])
    (home.path / "mitm.toml").write_text(
        f'[[webhooks]]\nname = "ops"\nurl = "{receiving.url}"\nsecret_env = "LLMPROXY_HOOK"\n'
    )
    (line,) = _command(home, database, "list", "--json").stdout.splitlines()
    found = json.loads(line)
    assert (found["name"], found["delivered"], found["signed"]) == ("ops", 1, True)
    assert "1 delivered" in _command(home, database, "list").stdout
