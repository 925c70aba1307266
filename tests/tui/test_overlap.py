"""The law of lists that are read from the newest down, page by page."""

from dataclasses import dataclass
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.tui.overlap import below


@dataclass(frozen=True)
class Line:
    id: UUID


READINGS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), max_size=12)
"""How many lines came before each, and how many were read."""


def newest_first(count: int) -> list[Line]:
    return [Line(UUID(int=number)) for number in reversed(range(count))]


@given(READINGS)
def test_whatever_pages_are_read_the_newest_lines_are_there_once_and_without_a_hole(
    readings: list[tuple[int, int]],
) -> None:
    count, lines = 0, list[Line]()
    for came, size in readings:
        count += came
        stored = newest_first(count)
        page, before = stored[:size], lines
        lines = [*page, *below(page, before)]
        assert lines == stored[: len(lines)]
        assert set(before) <= set(lines) or came >= size  # none goes without need


def test_lines_of_which_the_page_has_none_may_be_far_below_it() -> None:
    stored = newest_first(9)
    assert below(stored[:3], stored[2:]) == stored[3:]
    assert below(stored[:3], stored[3:]) == []
