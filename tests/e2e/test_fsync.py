"""What `spool.fsync` promises: which bytes are on the disk when a program has its answer."""

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.mitm import Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
SLOW = 0.2
SCRIPT = f"""
import os, time

real = os.fdatasync


def watched(descriptor):
    time.sleep({SLOW})
    while os.path.exists(os.environ["SYNCED"] + ".busy"):
        open(os.environ["SYNCED"] + ".begun", "w").close()
        time.sleep(0.01)
    real(descriptor)
    with open(os.environ["SYNCED"], "a") as log:
        log.write(f"{{time.monotonic()}} {{os.fstat(descriptor).st_size}}\\n")


os.fdatasync = watched
"""


class Synced:
    """When the journal was brought to the disk, and how long it was then (bytes)."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self) -> list[tuple[float, int]]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [(float(line.split()[0]), int(line.split()[1])) for line in lines]


@pytest.fixture
def start(tmp_path, simulator):
    """A proxy on a disk on which every flush takes SLOW seconds."""
    started = []

    def begin(fsync: str) -> tuple[Mitmdump, Synced]:
        script, log = tmp_path / "slow_disk.py", tmp_path / "synced"
        script.write_text(SCRIPT)
        proxy = Mitmdump(
            tmp_path,
            "-s",
            str(script),
            simulator=simulator,
            environment={"SYNCED": str(log)},
            config=f'[spool]\nfsync = "{fsync}"\n',
        )
        started.append(proxy)
        proxy.start()
        return proxy, Synced(log)

    yield begin
    for proxy in started:
        proxy.stop()


def ask(proxy: Mitmdump, simulate: str = "", *, stream: bool = False) -> float:
    """Seconds that the answer took."""
    body = {"model": "gpt-5", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        began = time.monotonic()
        http.post(URL, content=json.dumps(body), headers={"x-simulate": simulate})
        return time.monotonic() - began


def journal_bytes(proxy: Mitmdump) -> int:
    return sum(path.stat().st_size for path in proxy.home.spool.glob("*/*.seg"))


def test_always_flushes_the_request_and_the_answer_before_they_go_on(start):
    proxy, synced = start("always")
    took = ask(proxy)
    has_it = time.monotonic()
    (asked, size), (answered, whole) = synced()
    assert took >= 2 * SLOW
    assert asked < answered < has_it
    assert size < whole == journal_bytes(proxy)


def test_always_does_not_flush_the_pieces_of_a_stream(start):
    proxy, synced = start("always")
    ask(proxy, "chunks=20,delay=20", stream=True)
    wait_for(lambda: len(synced()) >= 2)
    assert len(synced()) == 2


def test_interval_flushes_within_a_second_and_not_more_often(start):
    began = time.monotonic()
    proxy, synced = start("interval")

    def took() -> float:
        ask(proxy)
        asked = time.monotonic()
        wait_for(lambda: synced() and synced()[-1][1] == journal_bytes(proxy))
        at, _ = synced()[-1]
        return float(at) - asked

    # the first flush may have begun before; a busy machine may hold up some
    assert min(took() for _ in range(4)) < 2 * (1 + SLOW)
    assert len(synced()) <= time.monotonic() - began


def test_interval_keeps_nobody_waiting(start, tmp_path):
    (busy := tmp_path / "synced.busy").touch()
    proxy, synced = start("interval")
    wait_for((tmp_path / "synced.begun").exists)
    ask(proxy)
    assert not synced(), "the disk is still at it"
    busy.unlink()
    wait_for(lambda: synced() and synced()[-1][1] == journal_bytes(proxy))


def test_never_leaves_it_to_the_system(start):
    proxy, synced = start("never")
    ask(proxy)
    time.sleep(2.5)
    assert journal_bytes(proxy) > 1000
    assert synced() == []
