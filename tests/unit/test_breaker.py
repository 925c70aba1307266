from llmproxy_core.breaker import Breaker


class Time:
    now = 0.0


def breaker(failures: int = 2) -> tuple[Breaker, Time]:
    time = Time()
    return Breaker(failures, 10, 40, lambda: time.now), time


def test_it_opens_after_failures_in_a_row():
    one, _ = breaker()
    for _ in range(5):
        one.failed()
        one.succeeded()
    assert one.may_ask()

    one.failed()
    one.failed()
    assert not one.may_ask()
    assert one.wait == 10


def test_of_those_who_try_again_there_is_but_one():
    one, time = breaker(1)
    one.failed()
    time.now = 10

    assert [one.may_ask() for _ in range(5)] == [True, False, False, False, False]


def test_each_failure_of_a_try_doubles_the_pause_up_to_the_longest():
    one, time = breaker(1)
    one.failed()
    waits = []
    for _ in range(4):
        waits.append(one.wait)
        time.now += one.wait
        assert one.may_ask()
        one.failed()

    assert waits == [10, 20, 40, 40]


def test_a_success_closes_it():
    one, time = breaker(1)
    one.failed()
    time.now = 10
    one.may_ask()
    one.succeeded()

    assert one.may_ask()
    assert one.wait == 0


def test_what_the_other_side_asks_for_is_waited_for_at_once():
    one, _ = breaker(5)
    one.failed(wait=30)

    assert not one.may_ask()
    assert one.wait == 30
