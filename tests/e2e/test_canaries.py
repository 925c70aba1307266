"""Planted secrets pass to the provider and back, and none of them is ever on the disk."""

import json
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from websockets.sync.client import connect

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.simulator import Simulator
from llmproxy_core.store.database import open_database
from tests.chaos.suite import Suite, kill_something
from tests.e2e.canaries import BODIES, PLACES, Canary, Planted, Search, canaries, planted
from tests.mitm import BIN, Mitmdump

pytestmark = pytest.mark.system

HOW = (
    "echo=true,chunks=9",
    "echo=true,encoding=gzip,chunks=30",
    "echo=true,grain=7,chunks=50",
    "echo=true,encoding=br",
    "echo=true,encoding=zstd,chunks=12",
)
LOCK = threading.Lock()
SOCKETS = (
    ("wss://api.openai.com/v1/responses", "responses"),
    ("wss://api.openai.com/v1/realtime?model=gpt-realtime", "realtime"),
)


def ways(count: int) -> Iterator[tuple[str, str, bool, str]]:
    """Wire, place, streamed or not, and how the provider answers: all of them, then again."""
    every = [
        (wire, place, stream) for place in PLACES for wire in BODIES for stream in (True, False)
    ]
    for number in range(count):
        yield *every[number * 7 % len(every)], HOW[number % len(HOW)]


def plants(made: list[Canary]) -> list[Planted]:
    """The canaries in requests; every other one with the one before it in a second place."""
    return [
        planted(wire, place, canary.text, stream=stream, how=how)
        for canary, (wire, place, stream, how) in zip(made, ways(len(made)), strict=True)
    ]


def client(proxy: Mitmdump) -> httpx.Client:
    return httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60, trust_env=False)


def work_of(work: Iterator[Planted]) -> Iterator[Planted]:
    """What several threads take from."""
    while True:
        with LOCK:
            one = next(work, None)
        if one is None:
            return
        yield one


def call(http: httpx.Client, one: Planted) -> bytes:
    try:
        answer = http.post(one.url, content=one.body, headers=one.headers)
    except (httpx.HTTPError, OSError):
        return b""  # the proxy was killed
    return answer.content


def talk(proxy: Mitmdump, url: str, kind: str, said: str) -> str:
    """A turn of a WebSocket; what came."""
    with connect(
        url,
        ssl=proxy.trust(),
        proxy=proxy.url,
        additional_headers={"x-simulate": HOW[0]},
        open_timeout=60,
    ) as socket:
        if kind == "realtime":
            item: dict[str, Any] = {"type": "message", "role": "user"}
            item |= {"content": [{"type": "input_text", "text": said}]}
            socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            socket.send(json.dumps({"type": "response.create"}))
        else:
            message = {"role": "user", "content": said}
            create = {"type": "response.create", "model": "gpt-5", "input": [message]}
            socket.send(json.dumps(create))
        came = ""
        while True:
            frame = str(socket.recv(60))
            came += frame
            if json.loads(frame)["type"] in ("response.completed", "response.done", "error"):
                return came


def everything(proxy: Mitmdump, *arguments: str) -> bytes:
    done = subprocess.run(
        [str(BIN / "llmproxy"), *arguments],
        env=proxy.environment,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def stored(home: Home) -> bytes:
    """All rows of all tables, as the database reads them: nothing in them is compressed by it."""
    with open_database(Config(), home, "canaries") as database, database.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p', 'm')"
                " AND relnamespace = 'public'::regnamespace"
            )
        ).scalars()
        rows = [
            str(row)
            for table in tables.all()
            for row in connection.execute(text(f"SELECT t::text FROM {table} t")).scalars()
        ]
    assert len(rows) > 100
    return "\n".join(rows).encode()


def nothing_leaked(suite: Suite, search: Search, folder: Path) -> bytes:
    """All that the store tells, after a look at that, at the rows and at all files."""
    told = everything(suite.proxy, "export", "--bodies")
    assert not search.leaks(told)
    assert not search.leaks(stored(suite.home))
    assert not search.in_folder(folder)
    return told


@pytest.fixture
def provider():
    with Simulator(keep_bodies=True) as running:
        yield running


def test_no_secret_that_passes_is_ever_on_the_disk(tmp_path: Path, provider: Simulator):
    made = canaries(60)
    assert len({one.kind for one in made}) >= 50
    search = Search(made)
    with Suite(tmp_path, provider) as suite:
        with client(suite.proxy) as http:
            came = b"\n".join([call(http, one) for one in plants(made[:54])])
        for canary, (url, kind) in zip(made[54:58], SOCKETS * 2, strict=True):
            came += talk(suite.proxy, url, kind, canary.text).encode()
        time.sleep(0.3)
        assert not search.in_folder(tmp_path)
        suite.settle()
        told = nothing_leaked(suite, search, tmp_path)

    assert told.count(b"[secret:") >= 20
    assert search.leaks(b"\n".join(seen.body for seen in provider.seen))
    assert search.leaks(came)


@pytest.mark.soak
def test_no_secret_is_on_the_disk_whatever_is_killed(tmp_path: Path, provider: Simulator):
    """500 secrets, in every place of every wire format, while everything is killed now and then."""
    made = canaries(500)
    assert len({one.kind for one in made}) >= 50
    search, dice, killed = Search(made), random.Random(7), Counter[str]()
    work = iter([*plants(made[:460])])
    with Suite(tmp_path, provider) as suite, ThreadPoolExecutor(4) as pool:

        def many() -> None:
            for one in work_of(work):
                for _ in range(40):  # until the proxy is there again
                    time.sleep(0.3)
                    with suppress(httpx.HTTPError, OSError), client(suite.proxy) as http:
                        if call(http, one):
                            break

        under_way = [pool.submit(many) for _ in range(4)]
        while not all(one.done() for one in under_way):
            killed[kill_something(suite, dice) or "nothing"] += 1
            assert not search.in_folder(suite.home.spool)
            time.sleep(1)
        for one in under_way:
            one.result()
        for number, canary in enumerate(made[460:]):
            url, kind = SOCKETS[number % len(SOCKETS)]
            talk(suite.proxy, url, kind, canary.text)
        suite.settle()
        told = nothing_leaked(suite, search, tmp_path)

    print(f"{len(provider.seen)} calls, {dict(killed)} killed, {told.count(b'[secret:')} marks")
    assert killed.total() - killed["nothing"] >= 20
    assert len(search.leaks(b"\n".join(seen.body for seen in provider.seen))) > 400
