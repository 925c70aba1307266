import itertools
import json
import time

import pytest

from llmproxy_core.patterns import miner as mining
from llmproxy_core.patterns.miner import Miner
from llmproxy_core.patterns.signatures import Signatures
from tests.unit.patterns.made_traffic import made

WORDS = ["oak", "pine", "ash", "elm", "fir", "yew", "palm", "rose", "fern", "moss", "reed", "ivy"]


def numbered() -> Miner:
    return Miner(new_id=map(str, itertools.count(1)).__next__)


def triage(word: str) -> str:
    return f"Which queue is this ticket for?\n\nTicket: the {word} broke\nQueue:"


def summary(word: str) -> str:
    return f"Sum up the dialogue in one sentence.\n\n{word}: hello {word}"


def taught(texts: list[str]) -> Miner:
    miner = numbered()
    for text in texts:
        miner.assign(text)
    miner.consolidate()
    return miner


def test_a_prompt_is_too_new_until_its_pattern_is_found():
    miner = numbered()
    assert [miner.assign(triage(word), key=word) for word in WORDS] == [None] * len(WORDS)
    told = miner.consolidate()
    assert {event.change for event in told.events} == {"born"}
    assert dict(told.found) == dict.fromkeys(WORDS, "1")
    assert miner.assign(triage("birch")) == "1"


def test_a_pattern_is_named_by_its_words():
    (pattern,) = taught([triage(word) for word in WORDS]).current()
    assert pattern.name == "Which queue is this ticket for"
    assert pattern.pieces() == [
        "Which queue is this ticket for?\n\nTicket: the",
        None,
        "broke\nQueue:",
    ]


def test_a_name_that_a_person_gave_stays():
    miner = taught([triage(word) for word in WORDS])
    assert miner.name("1", "support triage").other == "Which queue is this ticket for"
    miner.consolidate()
    assert miner.patterns["1"].name == "support triage"
    with pytest.raises(KeyError):
        miner.name("9", "nothing")


def test_ids_stay_when_other_patterns_come():
    miner = taught([triage(word) for word in WORDS])
    for word in WORDS:
        miner.assign(summary(word))
    miner.consolidate()
    assert miner.find(triage("birch")) == "1"
    assert miner.find(summary("birch")) == "2"


def test_consolidating_again_changes_nothing():
    miner = taught([one.text for one in made(1, templates=20, prompts=300, one_offs=20)])
    before = {one.id: one.runs for one in miner.current()}
    miner.consolidate()
    after = {one.id: one.runs for one in miner.current()}
    assert len(after.keys() & before.keys()) >= 0.9 * len(before)


def test_patterns_that_differ_in_contents_only_are_merged_into_the_older_one():
    miner = taught([triage(f"oak {word}") for word in WORDS])
    for first in WORDS:
        for word in WORDS[:3]:
            miner.assign(triage(f"{first} {word}"))
    told = miner.consolidate()
    assert "1" in {event.pattern for event in told.events} | {"1"}
    assert miner.now("1") == miner.find(triage("birch leaf")) == "1"


def test_what_was_merged_says_into_what():
    miner = taught([triage(word) for word in WORDS])
    for word in WORDS:
        miner.assign(summary(word))
    miner.consolidate()
    miner.patterns["2"].merged_into = "1"
    assert miner.now("2") == "1"
    assert [one.id for one in miner.current()] == ["1"]


def test_a_miner_goes_on_where_its_state_was_taken():
    prompts = [one.text for one in made(3, templates=15, prompts=300, one_offs=20)]
    miner = taught(prompts[:200])
    for text in prompts[200:]:
        miner.assign(text)
    copy = Miner.from_json(
        json.loads(json.dumps(miner.to_json())), new_id=iter("abcdefgh" * 9).__next__
    )
    assert [copy.find(text) for text in prompts] == [miner.find(text) for text in prompts]
    assert copy.to_json() == miner.to_json()


def test_a_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 7"):
        Miner.from_json({"version": 7})


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(mining, "WAITING", 50)
    miner = numbered()
    for number in range(1_000):
        miner.assign(f"{'x' * (number % 90)} y{'z' * (number // 90)}", key=str(number))
    assert len(miner.to_json()["waiting"]) <= 50


def test_examples_are_bounded():
    miner = taught([triage(word) for word in WORDS])
    for number in range(500):
        miner.assign(triage("x" * (number % 300) + " " + "long " * 2_000))
    (pattern,) = miner.current()
    assert sum(map(len, pattern.examples)) <= 96_000


def test_signatures_know_what_the_miner_knows():
    prompts = [one.text for one in made(4, templates=30, prompts=500, one_offs=40)]
    miner = taught(prompts)
    signatures = Signatures.of(miner.current())
    again = Signatures.from_json(json.loads(json.dumps(signatures.to_json())))
    for text in prompts:
        assert again.match("user", text) == signatures.match("user", text) == miner.find(text)


def test_signatures_of_another_kind_do_not_match():
    signatures = Signatures.of(taught([triage(word) for word in WORDS]).current())
    assert signatures.match("user", triage("birch")) == "1"
    assert signatures.match("system", triage("birch")) is None


def test_whoever_makes_up_patterns_gets_no_more_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(mining, "MOST", 5)
    miner = taught([triage(word) for word in WORDS])
    for number in range(20):
        for _ in range(4):
            miner.assign(" ".join(f"{word}{'x' * number}" for word in WORDS[:8]))
    miner.consolidate()
    miner.consolidate()
    assert len(list(miner.current())) == 5
    assert miner.assign(triage("birch")) == "1"


def test_prompts_that_are_all_but_alike_are_consolidated_in_time():
    words = [f"{a}{b}" for a in WORDS for b in WORDS]
    miner = numbered()
    for number in range(1_500):
        miner.assign(" ".join(words[: number // 10]) + f" {words[number * 7 % 144]} {number}")
    begun = time.process_time()
    miner.consolidate()
    assert time.process_time() - begun < 15


@pytest.mark.parametrize("state", [{}, {"version": 2}, {"version": 1, "kinds": {"user": [["1"]]}}])
def test_what_are_no_signatures_is_refused(state):
    with pytest.raises(ValueError, match="signatures"):
        Signatures.from_json(state)


def test_an_example_is_as_old_as_the_last_time_that_it_came():
    miner = numbered()
    for at, word in enumerate([*WORDS, WORDS[0]], 1):
        miner.assign(triage(word), at=at)
    miner.consolidate()
    (pattern,) = miner.current()
    assert pattern.examples[triage(WORDS[0])] == len(WORDS) + 1
    assert Miner.from_json(miner.to_json()).patterns == miner.patterns

    assert pattern.drop_before(len(WORDS))
    assert [*pattern.examples] == [triage(WORDS[0]), triage(WORDS[-1])]
    assert not pattern.drop_before(len(WORDS))


def test_a_pattern_without_examples_keeps_its_name_and_takes_new_ones():
    miner = numbered()
    for word in WORDS:
        miner.assign(triage(word), at=1)
    miner.consolidate()
    (pattern,) = miner.current()
    name = pattern.name
    pattern.drop_before(2)
    miner.consolidate()
    assert (pattern.name, pattern.examples) == (name, {})
    miner.assign(triage("birch"), at=3)
    assert pattern.examples == {triage("birch"): 3}
