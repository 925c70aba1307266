"""How often what a policy slows down may pass."""

from llmproxy_core.limits.clock import Clock
from llmproxy_core.policies.throttle import Throttle


class Time:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def throttle(time, path=None):
    return Throttle(path, Clock(time, time))


def test_a_fifth_passes_at_once_and_the_rest_at_the_rate():
    time = Time()
    slow = throttle(time)
    assert [slow.ask("slow", 10, "default") for _ in range(2)] == [0, 0]
    assert 5.9 < slow.ask("slow", 10, "default") <= 6
    time.now += 6
    assert slow.ask("slow", 10, "default") == 0
    assert slow.ask("slow", 10, "default") > 0


def test_one_a_minute_passes_once_a_minute():
    time = Time()
    slow = throttle(time)
    assert slow.ask("slow", 1, "default") == 0
    assert slow.ask("slow", 1, "default") > 59


def test_each_policy_and_each_namespace_counts_by_itself():
    slow = throttle(Time())
    asked = [("slow", "a"), ("slow", "b"), ("other", "a")]
    assert [slow.ask(policy, 1, whose) for policy, whose in asked] == [0, 0, 0]
    assert all(slow.ask(policy, 1, whose) for policy, whose in asked)


def test_two_proxies_of_a_home_and_a_restart_count_together(tmp_path):
    time = Time()
    first, second = (throttle(time, tmp_path / "counts") for _ in range(2))
    assert first.ask("slow", 1, "default") == 0
    assert second.ask("slow", 1, "default") > 0
    assert throttle(time, tmp_path / "counts").ask("slow", 1, "default") > 0


def test_a_limit_of_the_same_name_counts_by_itself(tmp_path):
    from llmproxy_core.config import LimitConfig
    from llmproxy_core.limits import Amount, Call, Limiter, Refusal

    time = Time()
    path = tmp_path / "counts"
    assert throttle(time, path).ask("same", 1, "default") == 0
    limit = LimitConfig(name="same", per=["namespace"], requests_per_minute=1)
    limiter = Limiter([limit], path, Clock(time, time))
    assert not isinstance(limiter.reserve(Call("default"), Amount()), Refusal)
