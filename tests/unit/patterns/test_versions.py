import json
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.patterns import versions as module
from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.patterns.readings import TOOLS
from llmproxy_core.patterns.versions import Sighting, Versions

TRIAGE = """You are a support triage assistant for a harbour.
Read the ticket and decide who should handle it.
Be polite and brief, and never promise refunds.
Answer in JSON with the fields queue and reason.
Today is 2026-11-22.
User name: Bob
Ask for the number of the berth if it is missing."""
CHANGED = TRIAGE.replace("never promise refunds", "offer a refund where a ship was late")
AGAIN = CHANGED.replace("Be polite and brief", "Be warm, and take your time")
POET = """Write verse in the manner of old sailors.
Rhyme each second line, and never mention engines.
Four lines are enough."""


def numbered() -> Versions:
    ids = count(1)
    return Versions(lambda: f"pattern-{next(ids)}")


def sighting(into: Versions, text: str, at: int, session: str) -> Sighting:
    found = into.see(text, at, session)
    assert found is not None
    return found


def see(into: Versions, text: str, at: int, session: str) -> tuple[str, int, bool]:
    found = sighting(into, text, at, session)
    return found.pattern, found.number, found.exact


def test_the_first_wording_is_version_one():
    found = sighting(numbered(), TRIAGE, 5, "a")
    assert (found.pattern, found.number, found.exact, found.new) == ("pattern-1", 1, True, True)


def test_a_change_that_two_sessions_have_is_the_next_version_of_the_same_pattern():
    known = numbered()
    see(known, TRIAGE, 1, "a")
    assert see(known, CHANGED, 5, "b") == ("pattern-1", 1, False)
    assert see(known, CHANGED, 6, "b") == ("pattern-1", 1, False)
    assert see(known, CHANGED, 7, "c") == ("pattern-1", 2, True)
    told = known.versions("pattern-1")[1]
    assert (told.first, told.last, told.count) == (5, 7, 3)


def test_another_text_is_another_pattern():
    known = numbered()
    assert see(known, TRIAGE, 1, "a")[0] != see(known, POET, 2, "a")[0]
    assert len(known) == 2


def test_a_wording_that_comes_back_is_the_version_that_it_was():
    known = numbered()
    for at, text in enumerate([TRIAGE, CHANGED, CHANGED, AGAIN, AGAIN, TRIAGE, CHANGED]):
        last = see(known, text, at, f"s{at}")
    assert last == ("pattern-1", 2, True)
    assert [one.number for one in known.versions("pattern-1")] == [1, 2, 3]


def test_what_passes_makes_no_version():
    known = numbered()
    see(known, TRIAGE, 1, "a")
    text = TRIAGE.replace("2026-11-22", "2027-01-03")
    assert see(known, text, 2, "b") == ("pattern-1", 1, True)


def test_what_a_line_names_anew_each_time_makes_no_version():
    known = numbered()
    for at, name in enumerate(["Bob", "Ana", "Chen", "Dee", "Eva", "Finn"]):
        text = TRIAGE.replace("Bob", name)
        see(known, text, 2 * at, f"{name} 1")
        last = see(known, text, 2 * at + 1, f"{name} 2")
    assert last == ("pattern-1", 1, True)
    told = known.versions("pattern-1")
    assert told[0].count == 12
    assert {one.same_as for one in told[1:]} <= {1}


def test_texts_that_only_begin_alike_are_patterns_of_their_own():
    known = numbered()
    one = see(known, "Task: sort the tickets of the harbour by how late they are.", 1, "a")
    other = see(known, "Task: write verse about engines, in the manner of sailors.", 2, "b")
    assert one[0] != other[0]


def test_a_prompt_that_only_grew_is_a_version_of_what_it_was():
    known = numbered()
    small = "\n".join(f"Rule {n}. Keep ship number {n} away from berth {n + 1}." for n in range(12))
    grown = (
        small + "\n" + "\n".join(f"Also feed gull {n} before noon with herring." for n in range(12))
    )
    see(known, small, 1, "a")
    assert see(known, grown, 2, "b")[0] == "pattern-1"


def test_calls_told_late_move_when_a_version_was_first_seen():
    known = numbered()
    for at in (50, 10, 70):
        see(known, TRIAGE, at, f"s{at}")
    told = known.versions("pattern-1")[0]
    assert (told.first, told.last, told.count) == (10, 70, 3)


def test_a_text_that_says_nothing_has_no_version():
    assert numbered().see(" \n ", 1, "a") is None


def test_tool_sets_have_versions_too():
    def lines(*names: str) -> str:
        tools = [{"name": name, "description": f"{name} a file of the harbour"} for name in names]
        return "\n".join(tool_lines("anthropic.messages", json.dumps({"tools": tools}).encode()))

    known = numbered()

    def seen(text: str, session: str):
        found = known.see(text, 1, session, TOOLS)
        assert found is not None
        return found.pattern, found.number

    assert seen(lines("read", "write", "list"), "a") == ("pattern-1", 1)
    assert seen(lines("list", "read", "write"), "b") == ("pattern-1", 1)
    assert seen(lines("read", "write", "list", "move"), "c") == ("pattern-1", 1)
    assert seen(lines("read", "write", "list", "move"), "d") == ("pattern-1", 2)
    assert seen(lines("sing", "dance"), "e")[0] == "pattern-2"


def test_patterns_unseen_for_longest_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "MOST_FAMILIES", 3)
    known = numbered()
    for n in range(10):
        see(known, f"This is the {n} harbour, {n}{n}{n} ships {n} lie there {n} today.", n, "a")
    assert known.patterns() == ["pattern-8", "pattern-9", "pattern-10"]
    assert known.versions("pattern-1") == []
    assert {id for ids in known._index.values() for id in ids} == set(known.patterns())


@pytest.mark.parametrize(
    "row", [{}, {"id": "a"}, {"id": "a", "versions": [], "candidates": [], "named": []}, 3]
)
def test_rows_of_others_are_refused(row):
    with pytest.raises(ValueError, match="no row of a versioned pattern"):
        Versions.from_rows([row])


TEXTS = st.sampled_from(
    [TRIAGE, CHANGED, AGAIN, POET, *(TRIAGE.replace("Bob", name) for name in "ABCDE")]
)
CALLS = st.lists(st.tuples(TEXTS, st.integers(0, 50), st.sampled_from("stuv")), max_size=30)


@settings(deadline=None, max_examples=40)
@given(CALLS, st.integers(0, 30))
def test_saved_and_loaded_it_goes_on_as_if_nothing_had_been(calls, cut):
    whole = numbered()
    expected = [whole.see(*call) for call in calls]
    ids = count(1)
    first = Versions(lambda: f"pattern-{next(ids)}")
    found = [first.see(*call) for call in calls[:cut]]
    rows = json.loads(json.dumps(first.to_rows()))
    second = Versions.from_rows(rows, lambda: f"pattern-{next(ids)}")
    found += [second.see(*call) for call in calls[cut:]]
    assert found == expected
    assert second.to_rows() == whole.to_rows()


@settings(deadline=None, max_examples=40)
@given(CALLS)
def test_ids_numbers_and_times_hold_together(calls):
    known = numbered()
    numbered_before: dict[str, int] = {}
    for text, at, session in calls:
        found = sighting(known, text, at, session)
        told = known.versions(found.pattern)
        assert [one.number for one in told] == list(range(1, len(told) + 1))
        assert len(told) >= numbered_before.get(found.pattern, 0)
        numbered_before[found.pattern] = len(told)
        assert told[found.number - 1].same_as is None
        for one in told:
            assert 0 <= one.first <= one.last <= 50
            assert one.same_as is None or one.same_as < one.number
