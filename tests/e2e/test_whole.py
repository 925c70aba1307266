"""All of it together: a program's SDK, the proxy, the worker, the embedded Postgres, the CLI."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mitm import BIN, Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
SDK_CALLS = Path(__file__).with_name("sdk_calls.py")


@pytest.fixture(scope="module")
def suite(tmp_path_factory, simulator):
    with Mitmdump(tmp_path_factory.mktemp("suite"), simulator=simulator, worker=True) as proxy:
        yield proxy


def llmproxy(proxy: Mitmdump, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(BIN / "llmproxy"), *arguments],
        env=proxy.environment,
        capture_output=True,
        check=False,
        timeout=120,
    )


def flows(proxy: Mitmdump, words: str) -> list[dict[str, Any]]:
    done = llmproxy(proxy, "flows", "--json", "--filter", words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ended(proxy: Mitmdump, words: str, count: int = 1) -> list[dict[str, Any]]:
    def find() -> list[dict[str, Any]] | None:
        found = flows(proxy, words)
        done = sum(flow["state"] != "open" for flow in found) >= count
        return found if done else None

    return wait_for(find)


def post(proxy: Mitmdump, text: str, simulate: str = "", **more: Any) -> httpx.Response:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": text}], **more}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        return http.post(URL, json=body, headers={"x-simulate": simulate})


@pytest.mark.parametrize(
    ("sdk", "provider", "wire"),
    [
        ("openai", "openai", "openai.chat"),
        ("responses", "openai", "openai.responses"),
        ("anthropic", "anthropic", "anthropic.messages"),
        ("google", "google", "gemini"),
    ],
)
def test_a_program_is_recorded_without_being_touched(suite, sdk, provider, wire):
    mark = uuid.uuid4().hex
    program = [sys.executable, str(SDK_CALLS), sdk, mark]

    done = llmproxy(suite, "run", "--", *program)

    assert done.returncode == 0, done.stderr.decode()
    told = [json.loads(line) for line in done.stdout.splitlines()]
    rows = ended(suite, mark, 2)
    assert [row["stream"] for row in rows] == [False, True]
    for row, seen in zip(rows, told, strict=True):
        shown = json.loads(llmproxy(suite, "show", row["id"], "--json").stdout)
        assert (row["provider"], row["wire"], row["status"]) == (provider, wire, 200)
        assert row["state"] == "complete"
        assert row["input_tokens"] == seen["input_tokens"]
        assert row["output_tokens"] == seen["output_tokens"]
        assert shown["response"]["text"] == seen["text"]
        assert float(row["cost_usd"]) > 0
        assert 0 < row["first_byte_ms"] <= row["duration_ms"]
        assert (row["first_token_ms"] is not None) == row["stream"]
    assert len({row["session_id"] for row in rows}) == 1


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br", "zstd", "deflate"])
def test_the_store_gives_back_the_bytes_that_passed(suite, encoding):
    mark = uuid.uuid4().hex
    sent = b'{"model" : "gpt-5","stream":true, "messages":[{"role":"user","content":"%s\\u0000"}]}'
    sent %= mark.encode()
    headers = {"x-simulate": f"encoding={encoding}", "accept-encoding": encoding}
    with (
        httpx.Client(proxy=suite.url, verify=suite.trust(), timeout=60) as http,
        http.stream("POST", URL, content=sent, headers=headers) as answer,
    ):
        raw = b"".join(answer.iter_raw())

    row = ended(suite, mark)[0]
    assert llmproxy(suite, "show", row["id"], "--raw", "request").stdout == sent
    assert llmproxy(suite, "show", row["id"], "--raw", "response").stdout == raw
    decoded = llmproxy(suite, "show", row["id"], "--raw", "response", "--decoded").stdout
    assert decoded.startswith(b"data: ")


def test_a_call_is_there_while_it_runs_and_its_text_grows(suite):
    mark = uuid.uuid4().hex
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": mark}]}
    headers = {"x-simulate": "delay=250,chunks=1200,size=20000"}
    with (
        httpx.Client(proxy=suite.url, verify=suite.trust(), timeout=60) as http,
        http.stream("POST", URL, json=body, headers=headers) as answer,
    ):
        chunks = answer.iter_raw()  # kept: without it httpx hangs up
        next(chunks)
        row = wait_for(lambda: next(iter(flows(suite, mark)), None))
        assert row["state"] == "open"

        def length() -> int:
            shown = json.loads(llmproxy(suite, "show", row["id"], "--json").stdout)
            return sum(len(delta["text"]) for delta in shown["live"])

        first = length()
        wait_for(lambda: length() > first)

    assert ended(suite, mark)[0]["state"] == "partial"


def test_a_client_that_hangs_up_is_a_partial_call(suite):
    mark = uuid.uuid4().hex
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": mark}]}
    with (
        httpx.Client(proxy=suite.url, verify=suite.trust(), timeout=60) as http,
        http.stream("POST", URL, json=body, headers={"x-simulate": "delay=1000"}) as answer,
    ):
        chunks = answer.iter_raw()
        for _ in range(3):
            next(chunks)

    row = ended(suite, mark)[0]
    assert row["state"] == "partial"
    assert row["text_start"]
    assert "client" in row["error"]


def test_errors_of_the_provider_are_failed_calls(suite):
    mark = uuid.uuid4().hex
    post(suite, mark, "status=429")
    post(suite, mark, "error_after=3", stream=True)

    states = [(row["status"], row["state"]) for row in ended(suite, mark, 2)]

    assert states == [(429, "failed"), (200, "failed")]


def test_formats_that_are_not_read_are_stored_raw(suite):
    mark = uuid.uuid4().hex
    with httpx.Client(proxy=suite.url, verify=suite.trust(), timeout=60) as http:
        http.post(
            "https://api.openai.com/v1/embeddings",
            json={"model": "text-embedding-3-small", "input": mark},
        )

    row = ended(suite, "model:embedding")[-1]
    assert row["wire"] == "openai.embeddings"
    assert mark.encode() in llmproxy(suite, "show", row["id"], "--raw", "request").stdout


class TestKilled:
    """Every part is killed with -9 while calls are under way: nothing is lost, nothing is twice."""

    @pytest.fixture
    def parts(self, tmp_path, simulator):
        with Mitmdump(tmp_path, simulator=simulator, worker=True) as proxy:
            post(proxy, "warm")
            ended(proxy, "warm")
            yield proxy
            proxy.stop()

    def test_the_worker(self, parts):
        for number in range(10):
            if number % 4 == 1:
                os.kill(worker_of(parts), signal.SIGKILL)
            post(parts, f"call-{number}", stream=number % 2 == 0)

        rows = ended(parts, "call-", 10)
        assert sorted(row["preview"] for row in rows) == sorted(f"call-{n}" for n in range(10))

    def test_postgres(self, parts):
        for number in range(10):
            if number == 4:
                pid = int((parts.home.postgres / "postmaster.pid").read_text().splitlines()[0])
                os.kill(pid, signal.SIGKILL)
            post(parts, f"call-{number}")

        rows = ended(parts, "call-", 10)
        assert sorted(row["preview"] for row in rows) == sorted(f"call-{n}" for n in range(10))

    def test_mitmdump_in_the_middle_of_an_answer(self, parts):
        body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "cut"}]}
        http = httpx.Client(proxy=parts.url, verify=parts.trust(), timeout=60)
        headers = {"x-simulate": "delay=1000"}
        with http, http.stream("POST", URL, json=body, headers=headers) as answer:
            chunks = answer.iter_raw()
            for _ in range(4):
                next(chunks)
            time.sleep(0.2)
            parts.stop(signal.SIGKILL)
        row = ended(parts, "cut")[0]

        assert row["state"] == "partial"
        assert row["text_start"]
        shown = json.loads(llmproxy(parts, "show", row["id"], "--json").stdout)
        assert "proxy" in shown["response"]["error"]


def worker_of(proxy: Mitmdump) -> int:
    """The child of mitmdump that runs the worker."""
    pid = proxy.process.pid

    def find() -> int | None:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(listed[0]) if listed else None

    return wait_for(find)


def test_nothing_is_left_running_when_the_proxy_has_stopped(tmp_path, simulator):
    with Mitmdump(tmp_path, simulator=simulator, worker=True) as proxy:
        post(proxy, "one")
        ended(proxy, "one")
        worker = worker_of(proxy)
        postgres = int((proxy.home.postgres / "postmaster.pid").read_text().splitlines()[0])

    wait_for(lambda: not Path(f"/proc/{worker}").exists())
    wait_for(lambda: not Path(f"/proc/{postgres}").exists())
    assert not [path for path in proxy.home.spool.iterdir() if path.is_dir()]


def test_a_database_that_is_away_at_the_start_gets_the_rows_later(
    tmp_path, simulator, postgres_home
):
    from tests.postgres import drop_database, new_database

    name = new_database(postgres_home)
    away = tmp_path / "socket"
    url = f"postgresql://llmproxy@/{name}?host={away}"
    environment = {"LLMPROXY_DATABASE_URL": url}
    try:
        with Mitmdump(tmp_path, simulator=simulator, worker=True, environment=environment) as proxy:
            for number in range(5):
                assert post(proxy, f"early-{number}").status_code == 200
            time.sleep(3)
            assert proxy.home.worker_log.read_text().count("\n") < 10
            away.symlink_to(postgres_home.postgres)
            assert len(ended(proxy, "early-", 5)) == 5
    finally:
        drop_database(postgres_home, name)
