import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from llmproxy_core.config import LimitConfig
from llmproxy_core.limits import Amount, Call, Limiter, Refusal, Reservation
from llmproxy_core.limits.clock import Clock
from llmproxy_core.limits.ledger import SET, Ledger, counter_id

ANNA = Call("payments", "fp_0123456789ab", "anna", "gpt-4o", "openai")
BERT = Call("support", "fp_ba9876543210", "bert", "claude-opus-4-5", "anthropic")
NOON = 1_800_014_400.0
ONE = Amount(0.0, 0.0)


def limit(**terms: Any) -> LimitConfig:
    return LimitConfig(**terms)


class Time:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.wall = self.steady = NOON

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def make(time: Time, tmp_path: Path):
    made = []

    def limiter(path: Path | None = None, **terms) -> Limiter:
        made.append(Limiter([limit(name="team", **terms)], path, time.clock))
        return made[-1]

    yield limiter
    for one in made:
        one.close()


def passed(limiter: Limiter, call: Call, times: int, amount: Amount = ONE) -> int:
    return sum(isinstance(limiter.reserve(call, amount), Reservation) for _ in range(times))


def refusal(limiter: Limiter, call: Call, amount: Amount = ONE) -> Refusal:
    refused = limiter.reserve(call, amount)
    assert isinstance(refused, Refusal)
    return refused


def wait(limiter: Limiter, call: Call, amount: Amount = ONE) -> float:
    seconds = refusal(limiter, call, amount).retry_after
    assert seconds is not None
    return seconds


def test_a_limit_without_numbers_lets_twenty_pass_at_once_and_a_hundred_a_minute(make, time):
    limiter = make()
    assert passed(limiter, ANNA, 200) == 20

    through = 0
    for _ in range(481):
        time.go(0.125)
        through += passed(limiter, ANNA, 3)
    assert through == 100


def test_a_refusal_says_which_limit_it_is_and_when_to_try_again(make, time):
    limiter = make(requests_per_minute=6, burst=1, per=["namespace"])
    limiter.reserve(ANNA, ONE)

    refused = refusal(limiter, ANNA)

    assert (refused.limit, refused.kind) == ("team", "requests")
    assert refused.retry_after == pytest.approx(10, abs=0.001)
    assert refused.said == (
        "llmproxy: the limit team for namespace payments is reached: 6 requests a minute, 1 of "
        "them at once. Try again in 10 s."
    )


def test_each_value_has_a_counter_of_its_own(make):
    limiter = make(requests_per_minute=2, per=["namespace", "key"])

    assert passed(limiter, ANNA, 5) == 2
    assert passed(limiter, BERT, 5) == 2
    assert passed(limiter, ANNA._replace(key="fp_000000000000"), 5) == 2
    assert passed(limiter, ANNA._replace(model="other"), 5) == 0


def test_only_calls_that_fit_count(make):
    limiter = make(requests_per_minute=1, match={"namespace": ["pay*"], "model": ["gpt-*"]})

    assert passed(limiter, BERT, 5) == 5
    assert passed(limiter, ANNA._replace(model=""), 5) == 5
    assert passed(limiter, ANNA, 5) == 1


def test_parallel_calls_cannot_pass_a_budget_together(make):
    limiter = make(usd_per_day=1)

    under_way = [limiter.reserve(ANNA, Amount(0, 0.3)) for _ in range(10)]
    assert sum(isinstance(one, Reservation) for one in under_way) == 3

    for one in under_way[:3]:
        limiter.settle(one, Amount(0, 0.05))
    assert passed(limiter, ANNA, 10, Amount(0, 0.3)) == 2


def test_what_a_call_took_beyond_its_estimate_counts(make):
    limiter = make(tokens_per_minute=100)

    limiter.settle(limiter.reserve(ANNA, Amount(10)), Amount(95))

    assert refusal(limiter, ANNA, Amount(10)).kind == "tokens"
    assert passed(limiter, ANNA, 1, Amount(5)) == 1


def test_a_stream_that_nobody_settled_counts_as_it_was_reserved(make):
    limiter = make(usd_per_day=1)

    limiter.settle(limiter.reserve(ANNA, Amount(0, 0.8)), None)

    assert refusal(limiter, ANNA, Amount(0, 0.3)).kind == "usd"


def test_settling_twice_changes_nothing(make):
    limiter = make(usd_per_day=1, concurrent=1)
    call = limiter.reserve(ANNA, Amount(0, 0.9))

    for _ in range(5):
        limiter.settle(call, Amount(0, 0.5))
        limiter.release(call)

    assert [level.used for level in limiter.levels(ANNA)] == [0.5, 0]


def test_a_call_that_was_never_sent_gives_all_of_it_back(make):
    limiter = make(requests_per_minute=1, tokens_per_minute=10, usd_per_day=1, concurrent=1)

    for _ in range(5):
        limiter.release(limiter.reserve(ANNA, Amount(10, 1)))

    assert all(level.used < 1e-6 for level in limiter.levels(ANNA))


def test_calls_under_way_are_counted_until_they_end(make):
    limiter = make(concurrent=2)
    first, _ = limiter.reserve(ANNA, ONE), limiter.reserve(ANNA, ONE)

    assert refusal(limiter, ANNA).retry_after == 1.0
    limiter.settle(first, None)
    assert passed(limiter, ANNA, 2) == 1


def test_what_can_never_pass_has_no_time_to_try_again(make):
    refused = refusal(make(tokens_per_minute=1000), ANNA, Amount(5000))

    assert refused.retry_after is None
    assert "5,000 tokens, more than all that the limit team gives" in refused.said


def test_a_refused_call_counts_in_no_limit(time):
    limits = [
        limit(name="requests", requests_per_minute=10),
        limit(name="money", usd_per_day=1),
    ]
    limiter = Limiter(limits, None, time.clock)

    refusal(limiter, ANNA, Amount(0, 2))

    assert [level.used for level in limiter.levels(ANNA)] == [0, 0]


def test_of_several_limits_the_longest_wait_is_told(time):
    limits = [
        limit(name="day", usd_per_day=1),
        limit(name="minute", tokens_per_minute=10),
    ]
    limiter = Limiter(limits, None, time.clock)
    limiter.reserve(ANNA, Amount(10, 1))

    assert refusal(limiter, ANNA, Amount(1, 0.1)).limit == "day"


def test_a_new_day_brings_a_new_budget(make, time):
    limiter = make(usd_per_day=1)
    limiter.reserve(ANNA, Amount(0, 1))
    time.go(wait(limiter, ANNA, Amount(0, 1)) - 1)
    refusal(limiter, ANNA, Amount(0, 1))
    time.go(1)
    assert passed(limiter, ANNA, 2, Amount(0, 1)) == 1


def test_what_a_call_of_yesterday_did_not_use_is_no_budget_of_today(make, time):
    limiter = make(usd_per_day=1)
    yesterday = limiter.reserve(ANNA, Amount(0, 0.9))
    time.go(86400)
    limiter.reserve(ANNA, Amount(0, 0.9))

    limiter.settle(yesterday, Amount(0, 0))

    assert limiter.levels(ANNA)[0].used == 0.9


def test_a_request_that_time_has_given_back_is_not_given_back_again(make, time):
    limiter = make(requests_per_minute=30, burst=5)
    never_sent = [limiter.reserve(ANNA, ONE) for _ in range(5)]
    time.go(9.9)
    assert passed(limiter, ANNA, 10) == 4

    for call in never_sent:
        limiter.release(call)

    assert passed(limiter, ANNA, 10) == 0


def test_tokens_of_a_minute_ago_are_not_given_back_again(make, time):
    limiter = make(tokens_per_minute=100)
    before = limiter.reserve(ANNA, Amount(90))
    time.go(66)
    limiter.reserve(ANNA, Amount(90))

    limiter.settle(before, Amount(0))

    assert limiter.levels(ANNA)[0].used == 90


def test_a_clock_that_is_set_back_brings_no_budget_and_no_endless_wait(make, time):
    limiter = make(usd_per_day=1, tokens_per_minute=10, requests_per_minute=1)
    limiter.reserve(ANNA, Amount(10, 1))

    time.wall -= 40 * 86400
    assert wait(limiter, ANNA, Amount(1, 0.1)) <= 86400
    time.steady += 86400
    assert passed(limiter, ANNA, 1, Amount(10, 1)) == 1


@pytest.mark.parametrize("back", [3, 20, 50])
@pytest.mark.parametrize("terms", [{"usd_per_day": 1}, {"tokens_per_minute": 100}])
def test_proxies_that_see_another_time_share_a_budget_all_the_same(
    make, time, tmp_path, terms, back
):
    """One has run since before the clock was set back, over midnight; the other has not."""
    time.go(12 * 3600 + 1)
    ahead = make(tmp_path / "counts", **terms)
    assert passed(ahead, ANNA, 1, Amount(20, 0.2)) == 1
    time.wall -= back
    behind = make(tmp_path / "counts", **terms)

    through = sum(passed(one, ANNA, 1, Amount(10, 0.1)) for one in (behind, ahead) * 10)

    assert through == 8


@pytest.mark.parametrize("back", [30, 300, 40 * 86400])
def test_tokens_in_a_file_from_the_future_count_for_a_minute(make, time, tmp_path, back):
    future = make(tmp_path / "counts", tokens_per_minute=10)
    future.reserve(ANNA, Amount(10))
    future.close()

    time.go(-back)
    limiter = make(tmp_path / "counts", tokens_per_minute=10)
    assert passed(limiter, ANNA, 1, Amount(1)) == 0
    time.go(66 + min(back, 66))
    assert passed(limiter, ANNA, 1, Amount(10)) == 1


def test_a_file_from_the_future_is_no_endless_wait(make, time, tmp_path):
    future = make(tmp_path / "counts", usd_per_day=1, tokens_per_minute=10, requests_per_minute=1)
    future.reserve(ANNA, Amount(10, 1))
    future.close()

    time.go(-40 * 86400)
    limiter = make(tmp_path / "counts", usd_per_day=1, tokens_per_minute=10, requests_per_minute=1)
    assert 0 < wait(limiter, ANNA, Amount(1, 0.1)) <= 86400
    time.go(86400)
    assert passed(limiter, ANNA, 1, Amount(10, 1)) == 1


def test_unknown_prices_pass_or_are_refused_as_the_limit_says(make):
    assert passed(make(usd_per_day=1), ANNA, 5, Amount(1, None)) == 5

    refused = refusal(make(usd_per_day=1, unpriced="refuse"), ANNA, Amount(1, None))
    assert "nobody knows what the model gpt-4o costs" in refused.said


def test_a_price_that_becomes_known_at_the_end_counts(make):
    limiter = make(usd_per_day=1)

    limiter.settle(limiter.reserve(ANNA, Amount(1, None)), Amount(1, 0.9))

    assert refusal(limiter, ANNA, Amount(0, 0.2)).kind == "usd"


def test_other_limits_keep_what_was_counted_under_their_name(make):
    limiter = make(usd_per_day=1)
    limiter.reserve(ANNA, Amount(0, 0.9))

    limiter.use([limit(name="team", usd_per_day=2)])

    assert [(level.used, level.allowed) for level in limiter.levels(ANNA)] == [(0.9, 2)]


def test_what_came_from_the_network_cannot_break_the_sentence(make):
    limiter = make(requests_per_minute=1, per=["model"])
    call = ANNA._replace(model="x\n\x1b[31m" + "y" * 1000)
    limiter.reserve(call, ONE)

    said = refusal(limiter, call).said
    assert said.isprintable()
    assert len(said) < 300


def test_a_restart_does_not_bring_a_new_budget(make, tmp_path):
    terms = {"usd_per_day": 1, "tokens_per_minute": 10, "requests_per_minute": 3}
    for _ in range(3):
        limiter = make(tmp_path / "counts", **terms)
        limiter.reserve(ANNA, Amount(3, 0.3))
        limiter.close()

    limiter = make(tmp_path / "counts", **terms)

    assert [round(level.used, 6) for level in limiter.levels(ANNA)] == [3, 9, 0.9]
    assert stat.S_IMODE((tmp_path / "counts").stat().st_mode) == 0o600


def test_calls_that_end_after_it_was_closed_count_as_reserved(make, tmp_path):
    limiter = make(tmp_path / "counts", usd_per_day=1, requests_per_minute=5)
    calls = [limiter.reserve(ANNA, Amount(0, 0.25)) for _ in range(2)]
    limiter.close()

    limiter.settle(calls[0], Amount(0, 0.1))
    limiter.release(calls[1])
    assert passed(limiter, ANNA, 1) == 1

    again = make(tmp_path / "counts", usd_per_day=1, requests_per_minute=5)
    assert [round(level.used, 6) for level in again.levels(ANNA)] == [2, 0.5]


def test_what_is_given_back_never_makes_room_that_was_not_taken(make, time, tmp_path):
    """The clock was set back, so that a call counts in a later slot than that of its time."""
    ahead = make(tmp_path / "counts", tokens_per_minute=100)
    ahead.reserve(ANNA, Amount(40))
    time.go(-13)
    behind = make(tmp_path / "counts", tokens_per_minute=100)

    behind.release(behind.reserve(ANNA, Amount(60)))

    assert ahead.levels(ANNA)[0].used >= 40
    time.go(80)
    assert passed(behind, ANNA, 10, Amount(20)) == 5


def test_proxies_of_one_home_share_their_counters(make, tmp_path):
    one, other = (make(tmp_path / "counts", usd_per_day=1) for _ in range(2))

    assert passed(one, ANNA, 1, Amount(0, 0.6)) == 1
    assert passed(other, ANNA, 2, Amount(0, 0.3)) == 1
    assert passed(one, ANNA, 1, Amount(0, 0.3)) == 0


def test_a_file_that_cannot_be_used_is_told_and_done_without(make, tmp_path):
    limiter = make(tmp_path, requests_per_minute=1)

    assert "Is a directory" in limiter.fault
    assert passed(limiter, ANNA, 5) == 1


def test_a_link_in_place_of_the_file_is_not_followed(make, tmp_path):
    (tmp_path / "counts").symlink_to(tmp_path / "elsewhere")

    assert make(tmp_path / "counts").fault
    assert not (tmp_path / "elsewhere").exists()


SPENDER = """
import sys
from pathlib import Path
from llmproxy_core.config import LimitConfig
from llmproxy_core.limits import Amount, Call, Limiter, Reservation
limiter = Limiter([LimitConfig(name="team", usd_per_day=1000)], Path(sys.argv[1]))
while isinstance(limiter.reserve(Call("payments"), Amount(0, 0.01)), Reservation):
    sys.stdout.write("x")
    sys.stdout.flush()
"""


def test_what_passed_is_counted_through_kills(tmp_path):
    told = 0
    for seconds in (0.4, 0.5, 0.6):
        process = subprocess.Popen(
            [sys.executable, "-c", SPENDER, tmp_path / "counts"], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        told += len(process.stdout.read(500))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds / 100)
        os.kill(process.pid, signal.SIGKILL)
        told += len(process.stdout.read())
        process.wait()
        process.stdout.close()

    limiter = Limiter([limit(name="team", usd_per_day=1000)], tmp_path / "counts")
    counted = round(limiter.levels(Call("payments"))[0].used / 0.01)
    limiter.close()

    assert told <= counted <= told + 3


def test_processes_at_the_same_time_pass_no_more_than_the_budget(tmp_path):
    budget = SPENDER.replace("1000", "400")
    command = [sys.executable, "-c", budget, tmp_path / "counts"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]

    told = sum(len(process.communicate(timeout=300)[0]) for process in both)

    assert told == 40_000


def test_a_process_that_was_stopped_with_the_lock_holds_up_one_call_and_no_more(make, tmp_path):
    limiter = make(tmp_path / "counts", requests_per_minute=1000, burst=1000)
    with (tmp_path / "counts").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        started = monotonic()
        assert passed(limiter, ANNA, 500) == 500
        assert monotonic() - started < 20  # a tenth of a second each, were all held up


def test_many_values_do_not_make_the_file_grow_and_never_pass_freely(make, tmp_path):
    limiter = make(tmp_path / "counts", usd_per_day=1, per=["key"])
    size = (tmp_path / "counts").stat().st_size

    through = sum(
        passed(limiter, ANNA._replace(key=f"fp_{number:012x}"), 1, Amount(0, 0.5))
        for number in range(20_000)
    )

    assert (tmp_path / "counts").stat().st_size == size
    assert through < 8192 + 3 * 64


def test_a_place_is_given_to_another_when_it_counts_nothing_any_more():
    ledger = Ledger()
    ids = [(64 * number + 64, number) for number in range(SET + 1)]
    for id in ids[1 : SET + 1]:
        at = ledger.place(id, NOON)
        ledger.numbers[at + 3] = NOON + 60

    assert ledger.place((7 * 64, -1), NOON) == 0
    assert ledger.place((7 * 64, -1), NOON + 60) != 0
    ledger.close()


def test_ids_of_different_words_differ():
    assert counter_id("team", "usd", "x") != counter_id("team", "tokens", "x")
