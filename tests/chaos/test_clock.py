"""The clock of the machine is set back while calls are under way."""

import random
from uuid import UUID

import httpx
import pytest

from llmproxy_core.home import Home, private_folder
from llmproxy_core.spool import SpoolWriter
from llmproxy_core.store import detail
from tests.chaos.audit import audit
from tests.chaos.programs import Ledger, call
from tests.chaos.suite import Suite
from tests.chaos.test_database_away import drain
from tests.worker.traffic import NOON, SECOND, Call, append

pytestmark = pytest.mark.system

WEEK = 7 * 86_400 * SECOND
SCRIPT = """
import os, time

real_ns, real = time.time_ns, time.time


def back():
    return int(open(os.environ["CLOCK"]).read() or 0)


time.time_ns = lambda: real_ns() - back() * 10**9
time.time = lambda: real() - back()
"""


@pytest.mark.parametrize("seed", range(3))
def test_records_out_of_their_order_are_all_stored(tmp_path, database, seed):
    dice = random.Random(seed)
    home = Home(tmp_path / "home")
    private_folder(home.path)
    private_folder(home.spool)
    times = [NOON + dice.choice((0, -1, 1, -WEEK, WEEK)) + n * SECOND for n in range(60)]
    calls = [Call(n, at) for n, at in enumerate(times)]
    records = [record for made in calls for record in made.records()]
    ends = [record for made in calls[:20] for record in made.records()[1:]]
    records = [record for record in records if record not in ends] + ends
    journal = SpoolWriter(home.spool)
    append(journal, records)
    journal.close()
    drain(home, database)
    with database.connect() as connection:
        for made in calls:
            key = (1, UUID(bytes=made.id))
            found = detail.unread(connection, [key])[key]
            assert found[0].body == made.opened()[1]
            assert found[1] is not None
            assert found[1].body == made.closed()[1]


def test_calls_while_the_clock_is_set_back_are_stored_whole(tmp_path, simulator, monkeypatch):
    clock, script = tmp_path / "clock", tmp_path / "clock.py"
    script.write_text(SCRIPT)
    clock.write_text("0")
    suite = Suite(tmp_path / "suite", simulator)
    suite.proxy.command += ["-s", str(script)]
    suite.proxy.environment["CLOCK"] = str(clock)
    ledger, dice = Ledger(), random.Random(1)
    with suite:
        with httpx.Client(proxy=suite.proxy.url, verify=suite.proxy.trust()) as http:
            for back in (0, 3600, 0, 8 * 86_400, 60):
                clock.write_text(str(back))
                for _ in range(5):
                    mark, exchange = call(http, dice)
                    ledger.acknowledged[mark] = exchange
        suite.settle()
        found = audit(suite.home, ledger)
    assert found.clean, found
    assert found.flows == 25
