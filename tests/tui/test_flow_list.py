"""The list behind the table, without a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.store.flows import Flow
from llmproxy_core.tui import flow_list
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


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["tell", "miss", "read", "read older", "trim"]), st.integers(1, 9)),
    max_size=20,
)


@given(ACTIONS)
def test_whatever_is_told_missed_and_read_the_newest_calls_are_there_without_a_hole(
    actions: list[tuple[str, int]],
) -> None:
    stored: list[int] = []
    list_ = FlowList()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow_list, "KEPT", 5)
        for what, many in actions:
            act(list_, stored, what, many)
            shown = numbers(list_)
            assert shown == sorted(set(shown), reverse=True)
            if not list_.has_missed:
                assert shown == stored[::-1][: len(shown)]
                assert shown == stored[::-1] or not list_.exhausted
            assert len(shown) <= 10 or what != "trim"


def act(list_: FlowList, stored: list[int], what: str, many: int) -> None:
    if what in ("tell", "miss"):
        new = range(len(stored), len(stored) + many)
        stored += new
    if what == "tell":
        list_.update(flow(number) for number in new)
    elif what == "miss":
        list_.miss()
    elif what == "read":
        newest = [flow(number) for number in stored[: -many - 1 : -1]]
        list_.join(newest, exhausted=len(newest) < many)
    elif what == "read older" and list_.flows:
        below = [flow(number) for number in stored[::-1] if number < numbers(list_)[-1]][:many]
        list_.extend(below, exhausted=len(below) < many)
    elif what == "trim":
        list_.trim()


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
