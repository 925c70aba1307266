"""The list behind the table, without a screen."""

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.store.flows import Flow
from llmproxy_core.tui.flow_list import KEPT, FlowList
from tests.tui import demo

NUMBERS = st.lists(st.integers(0, 30), max_size=40)


def flow(number: int, **values: object) -> Flow:
    """A higher number began later."""
    return demo.flow(number, age=1000 - number, **values)


def numbers(list_: FlowList) -> list[int]:
    return [1000 - round((demo.NOW - f.started_at).total_seconds()) for f in list_.flows]


@given(NUMBERS)
def test_flows_are_newest_first_and_once(arrivals: list[int]) -> None:
    list_ = FlowList()
    list_.exhausted = True
    new = sum(list_.update([flow(n)]) for n in arrivals)
    assert numbers(list_) == sorted(set(arrivals), reverse=True)
    assert new == len(set(arrivals))


@given(NUMBERS, NUMBERS)
def test_a_pause_loses_nothing(before: list[int], during: list[int]) -> None:
    list_ = FlowList()
    list_.exhausted = True
    list_.update([flow(n) for n in before])
    list_.paused = True
    list_.update([flow(n) for n in during])
    assert numbers(list_) == sorted(set(before), reverse=True)
    assert list_.held == len(set(during) - set(before))
    list_.resume()
    assert numbers(list_) == sorted({*before, *during}, reverse=True)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 20), st.integers(1, 20))
def test_pages_joined_in_any_state_leave_no_hole(stored: set[int], page: int, seen: int) -> None:
    """Whatever was on screen before: a stretch of what is stored, from the newest down."""
    ordered = sorted(stored, reverse=True)
    list_ = FlowList()
    earlier = sorted(ordered[len(ordered) // 2 :], reverse=True)[:seen]
    list_.replace([flow(n) for n in earlier], exhausted=False)
    newest = ordered[:page]
    list_.join([flow(n) for n in newest], exhausted=len(newest) < page)
    shown = numbers(list_)
    assert shown == ordered[: len(shown)] or not newest


def test_a_filter_decides_on_what_comes_and_on_what_changes() -> None:
    list_ = FlowList()
    list_.accepts = lambda f: f.state == "open"
    list_.update([flow(1, state="open"), flow(2)])
    assert numbers(list_) == [1]
    list_.update([flow(1)])
    assert numbers(list_) == []


def test_what_is_older_than_the_last_line_waits_for_its_page() -> None:
    list_ = FlowList()
    list_.replace([flow(10), flow(9)], exhausted=False)
    assert list_.update([flow(3)]) == 0
    list_.extend([flow(8), flow(3)], exhausted=True)
    assert numbers(list_) == [10, 9, 8, 3]


def test_a_late_reading_does_not_open_a_call_again() -> None:
    list_ = FlowList()
    list_.update([flow(1)])
    list_.update([flow(1, state="open")])
    assert list_.flows[0].state == "complete"


def test_the_oldest_are_forgotten_when_there_are_far_too_many() -> None:
    list_ = FlowList()
    list_.replace([flow(n) for n in range(2 * KEPT + 1)], exhausted=True)
    list_.trim()
    assert len(list_) == KEPT
    assert not list_.exhausted
