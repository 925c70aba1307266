import json

import pytest

from llmproxy_core.patterns.documents import heads, system_lines
from llmproxy_core.patterns.families import (
    MOST_HEADS,
    VALUES,
    Family,
    Wording,
    from_row,
    to_row,
)
from llmproxy_core.patterns.outlines import Lines, hashed
from llmproxy_core.patterns.shingles import runs, signature

TEXT = "Be brief.\nUser name: {}\nAsk first."


def read(text: str) -> Lines:
    return hashed(heads(system_lines(text)))


def wording(number: int, text: str, at: int = 1) -> Wording:
    hashes = runs(system_lines(text))
    return Wording(number, 7, read(text), signature(hashes), hashes.size, at, at, 1, [at])


def family(*texts: str) -> Family:
    made = Family("id")
    for number, text in enumerate(texts, 1):
        made.versions.append(wording(number, text, number))
        made.keys[made.key(read(text))] = made.versions[-1]
        made.learn(read(text))
    return made


def test_a_name_is_a_slot_after_some_values():
    made = Family("id")
    told = [made.learn(read(TEXT.format(f"name {n}"))) for n in range(VALUES + 2)]
    assert told == [False] * (VALUES - 1) + [True] + [False] * 2
    assert made.key(read(TEXT.format("Ana"))) == made.key(read(TEXT.format("Bo")))


def test_versions_that_differ_in_slots_only_become_the_oldest():
    made = family(*(TEXT.format(f"name {n}") for n in range(VALUES)))
    made.settle()
    assert [one.same_as for one in made.versions] == [0, 1, 1, 1]
    assert made.versions[0].count == VALUES
    assert made.of(made.versions[3]) is made.versions[0]


def test_the_nearest_version_shares_most_lines():
    made = family("a\nb\nc", "x\ny\nz")
    assert made.nearest(read("x\ny\nq")).number == 2
    assert made.nearest(read("a\nc")).number == 1


def test_names_are_bounded():
    made = Family("id")
    made.learn(read("\n".join(f"name {n}: {n}" for n in range(MOST_HEADS + 50))))
    assert len(made.named) == MOST_HEADS


def test_a_row_is_json_and_comes_back():
    made = family(TEXT.format("Ana"), "x\ny")
    made.candidates[made.key(read("x\nq"))] = wording(0, "x\nq")
    row = json.loads(json.dumps(to_row(made)))
    assert to_row(from_row(row)) == to_row(made)
    assert from_row(row).keys.keys() == made.keys.keys()


def test_a_family_without_versions_is_refused():
    with pytest.raises(ValueError, match="without a version"):
        from_row({"id": "a", "versions": [], "candidates": [], "named": []})
