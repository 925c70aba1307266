"""The disk of the journal fills up under load, and is freed again."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from llmproxy_core.config import Config
from llmproxy_core.spool import look
from llmproxy_core.store import reads
from llmproxy_core.store.database import open_database
from tests.chaos.audit import audit
from tests.chaos.programs import Ledger, Programs, until_it_works
from tests.chaos.suite import Suite
from tests.worker.processes import wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """8 MB, where the journals go."""
    if os.getuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    disk = tmp_path / "home" / "spool"
    disk.mkdir(parents=True, mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs to be allowed to mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(filler: Path) -> None:
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 2**16):
            pass


def losses(suite: Suite) -> tuple[int, int]:
    """Records and bodies that the store was told of."""
    with open_database(Config(), suite.home, "chaos") as database, database.connect() as connection:
        found = reads.summary(connection)
    return found.lost_records, found.lost_bodies


@pytest.mark.parametrize("min_free_bytes", [0, 2**18], ids=["full", "nearly full"])
def test_a_full_disk_stops_nobody_and_every_gap_is_told(
    tmp_path, simulator, small_disk, min_free_bytes
):
    config = f"[spool]\nmin_free_bytes = {min_free_bytes}\n"
    with Suite(tmp_path, simulator, config) as suite:
        suite.stop_worker()  # nobody frees the disk but us
        with Programs(lambda: suite.proxy.url, suite.proxy.trust) as programs:
            until_it_works(programs)
            before = set(programs.ledger.acknowledged)
            filler = small_disk / "filler"
            fill(filler)
            time.sleep(0.3)
            until_it_works(programs, 20)
            filler.unlink()
            time.sleep(1.2)  # the disk is looked at once a second
            during = set(programs.ledger.acknowledged)
            until_it_works(programs, 10)
            time.sleep(0.3)
        suite.kill_worker()
        suite.settle()
        found = audit(suite.home, programs.ledger)
        records, bodies = losses(suite)
    after = programs.ledger.acknowledged.keys() - during
    assert programs.ledger.failed == 0
    assert not (found.missing | found.different) & (before | after)
    assert not found.twice
    assert records + bodies >= 20
    assert len(found.missing) <= records + bodies


def test_the_limit_of_the_journal_costs_bodies_first_and_no_call(tmp_path, simulator):
    config = "[spool]\nmax_bytes = 600_000\n"
    with Suite(tmp_path, simulator, config) as suite:
        suite.stop_worker()
        with Programs(lambda: suite.proxy.url, suite.proxy.trust) as programs:
            until_it_works(programs, 40)
        assert programs.ledger.failed == 0
        assert 500_000 < look(suite.home.spool).used <= 600_000
        assert "spool.max_bytes" in suite.proxy.output
        suite.kill_worker()
        wait_for(lambda: look(suite.home.spool).used < 200_000, "nothing is freed")
        with Programs(lambda: suite.proxy.url, suite.proxy.trust) as later:
            until_it_works(later, 10)
        suite.settle()
        found = audit(suite.home, Ledger(dict(later.ledger.acknowledged)))
        _, bodies = losses(suite)
    assert not found.missing
    assert not found.different
    assert bodies > 0


def test_a_call_through_a_full_disk_is_answered(tmp_path, simulator, small_disk):
    """Also the very first one: the journal cannot even be begun."""
    filler = small_disk / "filler"
    fill(filler)
    with Suite(tmp_path, simulator) as suite:
        with httpx.Client(proxy=suite.proxy.url, verify=suite.proxy.trust()) as http:
            body = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}
            answer = http.post("https://api.openai.com/v1/chat/completions", json=body)
        assert answer.status_code == 200
        filler.unlink()
