"""`llmproxy import` and `llmproxy export`, as a person runs them, on recorded exchanges."""

import base64
import gzip
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import text

from llmproxy_core.home import Home
from llmproxy_core.store.database import Database
from tests.mitm import wait_for
from tests.postgres import database  # noqa: F401
from tests.unit.cli.command import ENTRY, Command
from tests.unit.interchange.recorded import (
    ANSWER,
    CHAT,
    KEY,
    QUESTION,
    entry,
    har_file,
    line,
    lines_file,
)
from tests.unit.interchange.test_flowfile import chat, flow_file
from tests.unit.providers.corpus import FOLDER, exchanges, needs_corpus
from tests.unit.providers.corpus import body as body_of
from tests.unit.providers.test_wire_corpus import EXPLAINED
from tests.worker.processes import worker

pytestmark = pytest.mark.system

MARK = re.compile(rb"\[secret:[^\]]+\]")
EVERY = 9
"""Of the corpus, one exchange of so many is imported in the default run."""
FIELDS = (
    "status",
    "streaming",
    "n_messages",
    "request_stream",
    "model",
    "text",
    "texts",
    "refusal",
    "server_tool_calls",
    "usage_raw",
    "n_events",
)
REQUIRED = {
    *("id", "external_id", "wire", "provider", "status", "streaming", "request_model", "model"),
    *("n_messages", "text", "texts", "tool_calls", "finish_reasons", "reasoning", "usage"),
    *("usage_raw", "cost_usd", "error"),
}


@pytest.fixture
def llmproxy(tmp_path: Path, database: Database) -> Command:  # noqa: F811
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


def ok(done: Any) -> str:
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def counts(database: Database) -> tuple[int, int]:  # noqa: F811
    with database.connect() as connection:
        sql = "SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM responses)"
        asked, answered = connection.execute(text(sql)).one()
    return asked, answered


def exported(llmproxy: Command, *options: str) -> list[dict[str, Any]]:
    file = llmproxy.home / "out.jsonl"
    ok(llmproxy("export", "-o", str(file), *options))
    assert file.stat().st_mode & 0o777 == 0o600
    return [json.loads(one) for one in file.read_text().splitlines()]


def sample(folder: Path, every: int = EVERY) -> Iterator[str]:
    for file in sorted(FOLDER.glob("*.jsonl.gz")):
        if file.name.startswith("expected"):
            continue
        part = folder / file.name
        with gzip.open(file, "rb") as lines, gzip.open(part, "wb", compresslevel=1) as out:
            out.writelines(one for number, one in enumerate(lines) if number % every == 0)
        yield str(part)


@needs_corpus
def test_recorded_exchanges_come_out_as_they_went_in(llmproxy, tmp_path):
    ok(llmproxy("import", *sample(tmp_path)))

    told = {one["external_id"]: one for one in exported(llmproxy, "--bodies")}

    found = [one for one in exchanges() if one["id"] in told]
    assert len(found) > len(exchanges()) // EVERY
    assert_unchanged(found, told)


@needs_corpus
@pytest.mark.soak
def test_all_recorded_exchanges_come_out_as_they_went_in(llmproxy, capsys):
    begun_at = time.monotonic()
    ok(llmproxy("import", *map(str, sorted(FOLDER.glob("*.jsonl.gz")))))
    stored_at = time.monotonic()
    told = {one["external_id"]: one for one in exported(llmproxy, "--bodies")}
    ended_at = time.monotonic()

    assert len([one for one in exchanges() if one["id"] in told]) == 3331
    assert_unchanged(exchanges(), told)
    assert ended_at - begun_at < 120
    with capsys.disabled():
        print(
            f"\n{len(told)} calls: import {stored_at - begun_at:.1f} s, "
            f"export {ended_at - stored_at:.1f} s"
        )


def is_masked_copy(kept: bytes, recorded: bytes) -> bool:
    """The same bytes, but for marks in place of secrets (a recorded SDP offer has a password)."""
    between = MARK.split(kept)
    return re.fullmatch(b".+?".join(map(re.escape, between)), recorded, re.DOTALL) is not None


def assert_unchanged(found: list[dict[str, Any]], told: dict[str, dict[str, Any]]) -> None:
    wrong, fields = [], 0
    for exchange in found:
        ours = told[exchange["id"]]
        assert ours.keys() >= REQUIRED
        for side in ("request", "response"):
            kept = base64.b64decode(ours[f"{side}_body"])
            assert is_masked_copy(kept, body_of(exchange, side)), (exchange["id"], side)
        for name, theirs, read in differences(exchange, ours):
            fields += 1
            if theirs != read and (exchange["id"], name) not in EXPLAINED:
                wrong.append(f"{exchange['id']} {name}: {theirs!r} != {read!r}")
    assert len(wrong) <= 0.005 * fields, "\n".join(wrong)


def differences(exchange: dict[str, Any], ours: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(field, what is expected, what was exported); tests/unit/providers compares more closely."""
    truth = exchange["expected"]
    for name in FIELDS:
        if name in truth:
            yield name, truth[name] or None, ours[name] or None
    if "request_model" in truth:
        model = truth["request_model"].removeprefix("models/")
        yield "request_model", model or None, ours["request_model"] or None
    if "tool_calls" in truth:
        calls = [(c["id"] or None, c["name"], c["arguments"] or "") for c in truth["tool_calls"]]
        read = [(c["id"], c["name"], c["arguments"] or "") for c in ours["tool_calls"]]
        yield "tool_calls", [call for call in calls if call[0] or call[1]], read
    if "finish_reasons" in truth and "response_status" not in truth:
        words = [str(word) for word in truth["finish_reasons"] if word is not None]
        yield "finish_reasons", words, ours["finish_reasons"]


def test_importing_again_stores_nothing_and_what_is_exported_is_the_same_elsewhere(
    llmproxy, tmp_path, postgres_home
):
    from tests.postgres import drop_database, new_database, opened

    many = [line(str(n), request_body=f'{{"messages":[],"n":{n}}}') for n in range(30)]
    file = str(lines_file(tmp_path / "calls", many))
    assert "30 calls stored, 0 were there already" in ok(llmproxy("import", file))
    assert "0 calls stored, 60 were there already" in ok(llmproxy("import", file, file))
    first = exported(llmproxy, "--bodies")

    name = new_database(postgres_home)
    with opened(postgres_home, name) as other:
        elsewhere = {"LLMPROXY_DATABASE_URL": other.url}
        ok(llmproxy("import", str(tmp_path / "out.jsonl"), **elsewhere))
        ok(llmproxy("export", "--bodies", "-o", str(tmp_path / "again"), **elsewhere))
    drop_database(postgres_home, name)
    again = [json.loads(one) for one in (tmp_path / "again").read_text().splitlines()]
    assert [one["id"] for one in again] == [one["id"] for one in first]
    for ours, theirs in zip(first, again, strict=True):
        assert {
            name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]
        } == {}


def test_a_killed_import_goes_on_where_it_was(llmproxy, tmp_path, database):  # noqa: F811
    number = 600
    many = [
        line(str(n), request_body=f'{{"messages":[],"n":{n}}}' + " " * 20_000)
        for n in range(number)
    ]
    file = str(lines_file(tmp_path / "calls", many))
    _kill_at(llmproxy, file, 2**20)
    wait_for(lambda: not _journals(llmproxy) or None)
    asked, answered = counts(database)
    assert 0 < asked == answered < number
    _kill_at(llmproxy, file, 4 * 2**20)

    said = ok(llmproxy("import", file))

    assert "were there already" in said
    assert counts(database) == (number, number)
    told = exported(llmproxy)
    assert {one["external_id"] for one in told} == {str(n) for n in range(number)}
    assert {one["state"] for one in told} == {"complete"}


KILLS_ITSELF = """
import os, signal, sys, threading, time
from contextlib import suppress
from pathlib import Path


def watch():
    spool, written = Path(os.environ["LLMPROXY_HOME"], "spool"), 0
    while written < int(os.environ["KILL_AT"]):
        time.sleep(0.001)
        with suppress(OSError):
            written = sum(file.stat().st_size for file in spool.glob("*/*.seg"))
    os.kill(os.getpid(), signal.SIGKILL)


if "import" in sys.orig_argv:
    threading.Thread(target=watch, daemon=True).start()
"""
"""From within: another process may sleep until the import is done."""


def _kill_at(llmproxy: Command, file: str, size: int) -> None:
    """Kill -9 the import when so many bytes have been written into its journal."""
    aside = llmproxy.home / "aside"
    aside.mkdir(exist_ok=True)
    (aside / "sitecustomize.py").write_text(KILLS_ITSELF)
    running = llmproxy.start("import", file, PYTHONPATH=str(aside), KILL_AT=str(size))
    running.communicate(timeout=120)
    assert running.returncode == -signal.SIGKILL


def _journals(llmproxy: Command) -> list[Path]:
    return [*(llmproxy.home / "data" / "spool").glob("*/*.seg")]


def test_credentials_in_files_never_reach_the_store(llmproxy, tmp_path, database):  # noqa: F811
    one = entry()
    one["request"]["url"] = f"{CHAT}?api-key={KEY}"
    one["request"]["headers"].append({"name": "Cookie", "value": f"s={KEY}"})
    har = har_file(tmp_path / "x.har", [one])
    ok(llmproxy("import", str(har), str(lines_file(tmp_path / "calls", [line(KEY)]))))
    har.unlink()
    (tmp_path / "calls").unlink()

    told = json.dumps(exported(llmproxy, "--bodies"))

    assert counts(database) == (2, 2)
    assert '"Bearer fp_' in told
    assert KEY not in told
    assert not any(KEY.encode() in f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())
    with database.connect() as connection:
        rows = [str(row) for table in ("requests", "responses", "sessions") for row in
                connection.execute(text(f"SELECT t::text FROM {table} t"))]  # fmt: skip
    assert not any(KEY in row for row in rows)


@pytest.mark.parametrize("kind", ["har", "mitm"])
def test_browsers_and_mitmproxys_files_are_stored(llmproxy, tmp_path, kind):
    if kind == "har":
        other = entry(request={"method": "GET", "url": "https://example.com/"})
        file = har_file(tmp_path / "x", [entry(), other, entry()])
    else:
        file = flow_file(tmp_path / "x", chat(), chat())

    said = ok(llmproxy("import", str(file)))

    assert said.startswith("2 calls stored")
    assert ("1 skipped: not an LLM call" in said) == (kind == "har")
    told = exported(llmproxy, "--bodies")
    assert [one["text"] for one in told] == ["Because."] * 2
    assert base64.b64decode(told[0]["request_body"]) == QUESTION
    if kind == "har":
        assert base64.b64decode(told[0]["response_body"]) == ANSWER
        assert told[0]["first_byte_ms"] == 1000


def test_of_a_cut_file_what_came_before_is_stored_and_the_rest_is_said(llmproxy, tmp_path):
    many = [line(str(n)) for n in range(9)]
    cut = lines_file(tmp_path / "cut", many, b'{"id": "ten", "url"')
    liar = tmp_path / "calls.har"
    liar.write_bytes(b"\x89PNG\r\n")

    done = llmproxy("import", str(cut), str(liar), str(tmp_path / "missing"))

    assert done.returncode == 1
    assert done.stdout.startswith("9 calls stored")
    assert "cut, line 10: skipped: it is not JSON" in done.stderr
    assert "calls.har: not a HAR" in done.stderr
    assert "missing: No such file" in done.stderr
    assert "3 parts could not be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_counts_and_touches_nothing(llmproxy, tmp_path, database):  # noqa: F811
    said = ok(llmproxy("import", "--dry-run", str(lines_file(tmp_path / "calls", [line()]))))

    assert said.startswith("1 call would be stored")
    assert counts(database) == (0, 0)


def test_what_is_chosen_is_exported(llmproxy, tmp_path):
    days = [f"2026-01-0{n}T12:00:00Z" for n in (3, 1, 2)]
    many = [line(day, started_at=day, request_body=f'{{"messages":["{day}"]}}') for day in days]
    ok(llmproxy("import", str(lines_file(tmp_path / "calls", many))))

    (found,) = exported(
        llmproxy,
        *("--since", "2026-01-02", "--until", "2026-01-03T00:00:00Z", "--ns", "default"),
        *("--filter", "model:gpt-4o -is:tool"),
    )

    assert found["external_id"] == days[2]
    assert exported(llmproxy, "--id", found["id"][-8:], "--session", found["session_id"]) == [found]
    assert llmproxy("export", "--id", "ffffffff").returncode == 4
    assert llmproxy("export", "-o", str(tmp_path / "no" / "where")).returncode == 1


def test_an_export_never_takes_the_place_of_a_pipe_or_a_link(llmproxy, tmp_path):
    ok(llmproxy("import", str(lines_file(tmp_path / "calls", [line()]))))
    pipe, file, link = tmp_path / "pipe", tmp_path / "file", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(file)
    with ThreadPoolExecutor() as pool:
        heard = pool.submit(pipe.read_bytes)
        ok(llmproxy("export", "-o", str(pipe)))
        ok(llmproxy("export", "-o", str(link)))
        assert json.loads(heard.result(20))["external_id"] == "one"

    assert pipe.is_fifo()
    assert link.is_symlink()
    assert json.loads(file.read_bytes())["external_id"] == "one"
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_control_character_of_a_file_or_its_name_reaches_the_terminal(llmproxy, tmp_path):
    odd = tmp_path / "\x1b[31mred"
    odd.write_bytes(b'{"url": "\x1b[2J"\n')

    done = llmproxy("import", str(odd))

    assert done.returncode == 1
    assert "red, line 1: skipped" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_an_import_waits_while_the_spool_is_nearly_full(llmproxy, tmp_path, database):  # noqa: F811
    (tmp_path / "mitm.toml").write_text('[spool]\nmax_bytes = "3 MiB"\nmin_free_bytes = 0\n')
    ballast = tmp_path / "data" / "spool" / ".ballast" / "file"
    ballast.parent.mkdir(parents=True)
    ballast.write_bytes(b"x" * 2_800_000)

    running = llmproxy.start("import", str(lines_file(tmp_path / "calls", [line()])))
    assert running.stderr is not None
    said = running.stderr.readline()
    assert counts(database) == (0, 0)
    ballast.unlink()
    out, _ = running.communicate(timeout=120)

    assert "nearly full; waiting for room" in said
    assert out.startswith("1 call stored")


def test_a_worker_that_runs_already_does_the_work(llmproxy, tmp_path, database):  # noqa: F811
    home = Home(llmproxy.home / "data")
    home.path.mkdir(mode=0o700)
    with worker(home, database.url) as running:
        wait_for(lambda: "storing into" in running.log or None)
        said = ok(llmproxy("import", "--ns", "old", str(lines_file(tmp_path / "calls", [line()]))))
        assert running.process.poll() is None

    assert said.startswith("1 call stored")
    assert [one["namespace"] for one in exported(llmproxy)] == ["old"]
    assert _journals(llmproxy) == []


@needs_corpus
def test_every_format_is_what_its_readers_take(llmproxy, tmp_path):
    ok(llmproxy("import", *sample(tmp_path, 40)))

    har = json.loads(ok(llmproxy("export", "--format", "har")))["log"]
    assert (har["version"], len(har["entries"])) == ("1.2", len(exported(llmproxy)))
    for one in har["entries"]:
        assert one.keys() >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        assert one["response"]["content"].keys() >= {"size", "mimeType"}
        assert one["time"] == pytest.approx(sum(one["timings"].values()))

    spans = []
    for one in ok(llmproxy("export", "--format", "otlp-json")).splitlines():
        request = json_format.Parse(one, ExportTraceServiceRequest())
        spans += request.resource_spans[0].scope_spans[0].spans
    assert len(spans) == len(har["entries"])
    # 16 and 8 bytes: protobuf reads hex as base64, so 24 and 12
    assert {(len(span.trace_id), len(span.span_id)) for span in spans} == {(24, 12)}
    assert all(span.start_time_unix_nano > 10**18 for span in spans)

    examples = ok(llmproxy("export", "--format", "openai-ft")).splitlines()
    assert len(examples) > 10
    for one in examples:
        messages = json.loads(one)["messages"]
        assert messages[-1]["role"] == "assistant"
        assert {m["role"] for m in messages} <= {"system", "user", "assistant", "tool"}


def test_a_large_file_needs_little_memory(llmproxy):
    """200 MB in lines of 100 KB, through a pipe, read as fast as they come."""
    one = json.dumps(line(request_body="x" * 100_000)).encode() + b"\n"
    with subprocess.Popen(
        [*ENTRY, "import", "--dry-run", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=llmproxy.variables,
    ) as running:
        assert running.stdin is not None
        for _ in range(2000):
            running.stdin.write(one)
        status = Path(f"/proc/{running.pid}/status").read_text()
        out, _ = running.communicate()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]
    assert out.startswith(b"2,000 calls would be stored")
    assert peak < 150 * 2**20
