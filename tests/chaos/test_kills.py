"""kill -9 of anything, at any moment, under load: nothing is lost, nothing is there twice."""

import os
import random
import time
from collections import Counter

import pytest

from tests.chaos.audit import audit
from tests.chaos.programs import Programs, until_it_works
from tests.chaos.suite import Suite, kill_something

pytestmark = pytest.mark.system

SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


def unleash(suite: Suite, kills: int, seconds: float) -> Counter[str]:
    """Kill parts of the suite until so many have died, or the time is over."""
    dice = random.Random(SEED)
    killed: Counter[str] = Counter()
    copies = 0
    with Programs(lambda: suite.proxy.url, suite.proxy.trust) as programs:
        until_it_works(programs)
        deadline = time.monotonic() + seconds
        while killed.total() < kills and time.monotonic() < deadline:
            if part := kill_something(suite, dice):
                killed[part] += 1
            if dice.random() < 0.1:
                copies += suite.copy_a_journal()
        until_it_works(programs)
    began = time.monotonic()
    suite.settle()
    found = audit(suite.home, programs.ledger)
    print(
        f"\nseed {SEED}: {killed.total()} kills {dict(killed)}, {copies} copies, "
        f"{len(programs.ledger.acknowledged)} calls with a whole answer, "
        f"{programs.ledger.failed} cut, {found.flows} flows; "
        f"stored and read back in {time.monotonic() - began:.0f} s"
    )
    assert found.clean, f"seed {SEED}: {found}"
    return killed


def test_half_a_minute_of_kills_loses_nothing_and_stores_nothing_twice(tmp_path, simulator):
    with Suite(tmp_path, simulator) as suite:
        killed = unleash(suite, kills=1000, seconds=30)
    assert killed.total() >= 5


@pytest.mark.chaos
def test_a_thousand_kills_lose_nothing_and_store_nothing_twice(tmp_path, simulator):
    with Suite(tmp_path, simulator) as suite:
        killed = unleash(suite, kills=1000, seconds=3000)
    assert killed.total() >= 1000
