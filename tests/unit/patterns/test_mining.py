import gzip
import json
import os
import random
from pathlib import Path

import pytest

from llmproxy_core.patterns.mining import ONCE, mine
from tests.unit.patterns.agreement import grouping_accuracy, pairwise_f1
from tests.unit.patterns.made_traffic import Filler, made, noun, sentence

ROOT = Path(__file__).parents[3]
CORPUS = Path(os.environ.get("LLMPROXY_CORPORA", ROOT.parent / "shared" / "corpora")) / "patterns"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_traffic_of_many_programs_is_told_apart(seed):
    prompts = made(seed, templates=40, prompts=1_000, one_offs=80)
    found = mine(one.text for one in prompts).assignments
    true = [one.template if one.template >= 0 else f"once {n}" for n, one in enumerate(prompts)]
    assert grouping_accuracy(true, found) >= 0.85
    assert pairwise_f1(true, found) >= 0.97


def test_one_off_prompts_are_kept_apart():
    prompts = made(5, templates=20, prompts=400, one_offs=100)
    found = mine(one.text for one in prompts).assignments
    alone = [id for one, id in zip(prompts, found, strict=True) if one.template < 0]
    assert sum(id.startswith(ONCE) for id in alone) >= 0.9 * len(alone)


def test_templates_that_share_their_beginning_are_told_apart():
    texts = [
        f"Sum up the notes {how}.\n\n{word} {word[::-1]} {n}x"
        for how in ("in one sentence", "as a list of three points")
        for n, word in enumerate(
            ["oak", "pine", "ash", "elm", "fir", "yew", "palm", "rose", "fern", "moss"]
        )
    ]
    found = mine(texts).assignments
    assert len(set(found[:10])) == len(set(found[10:])) == 1
    assert found[0] != found[-1]


def test_values_of_a_slot_that_repeat_are_no_patterns():
    words = ["oak", "pine", "ash", "elm", "fir", "yew", "palm", "rose", "fern", "moss"]
    texts = [
        f"Translate the following text into {language}:\n\n{word} {other}"
        for language in ("German", "French", "Polish", "Dutch", "Greek")
        for word in words
        for other in words[:3]
    ]
    assert len(set(mine(texts).assignments)) == 1


def filled(template: str, count: int, seed: int = 0) -> list[str]:
    """The template with made contents: {s} is a sentence, {w} a word."""
    f = Filler(seed)
    texts = []
    for number in range(count):
        text = template.replace("{n}", str(number))
        while "{s}" in text:
            text = text.replace("{s}", sentence(f), 1)
        while "{w}" in text:
            text = text.replace("{w}", noun(f), 1)
        texts.append(text)
    return texts


def test_a_list_with_more_or_fewer_options_is_the_same_template():
    asked = "Pick the best answer.\n\nPassage: {s}\n\nQuestion: {s}\n\nA. {w}\nB. {w}\nC. {w}"
    found = mine(
        filled(f"{asked}\n\nAnswer:", 12)
        + filled(f"{asked}\nD. {{w}}\n\nAnswer:", 20, 1)
        + filled(f"{asked}\nD. {{w}}\nE. {{w}}\n\nAnswer:", 8, 2)
    ).assignments
    assert len(set(found)) == 1


def test_an_option_that_is_often_offered_is_no_template():
    asked = "{s}\n\nWhich of these is right?\n- {w}\n- {w}"
    found = mine(
        filled(asked, 20) + filled(f"{asked}\n- None of the others is right.", 8, 1)
    ).assignments
    assert len(set(found)) == 1


def test_lines_that_are_said_again_within_a_slot_are_no_templates():
    talks = filled("{w}: {s}\n{w}: {s}\n", 40)
    talks += filled("{w}: {s}\n{w}: Put it off and on again, then call me.\n{w}: {s}\n", 9, 1)
    talks += filled("{w}: {s} {s}\n{w}: The printer is out of paper, is it not?\n{w}: {s}\n", 8, 2)
    found = mine(f"{talk}\nWrite the minutes of this talk in one line:" for talk in talks)
    assert len(set(found.assignments)) == 1


def test_short_templates_are_found_by_words_that_are_rare_elsewhere():
    others = [one.text for one in made(2, templates=20, prompts=200, one_offs=40)]
    asked = filled("Name an antonym of {w}.", 10)
    found = mine(others + asked).assignments
    assert len(set(found[-10:])) == 1
    assert found[-1] not in found[:-10]


def test_one_prompt_that_begins_alike_does_not_spoil_a_template():
    asked = [text + "?" for text in filled("What is the difference between {w} and {w}", 30)]
    found = mine([*asked, "What is the name of the tallest hill?"]).assignments
    assert len(set(found[:30])) == 1
    assert found[30] != found[0]


def test_templates_that_share_labels_are_told_apart_by_their_first_one():
    talk = filled("Dialogue:\n{s} {s}\n\nQuestion: {s}\n\nAnswer:", 30)
    text = filled("Text:\n{s} {s}\n\nQuestion: {s}\n\nAnswer:", 15, 1)
    found = mine(talk + text).assignments
    assert len(set(found[:30])) == len(set(found[30:])) == 1
    assert found[0] != found[-1]


def test_the_order_of_prompts_does_not_matter():
    prompts = [one.text for one in made(6, templates=30, prompts=600, one_offs=30)]
    found = mine(prompts).assignments
    again = mine(prompts[::-1]).assignments[::-1]
    assert pairwise_f1(found, again) >= 0.99


def test_the_same_words_again_and_again_are_a_pattern():
    found = mine(["Is the service up?"] * 5 + ["oak", "pine"]).assignments
    assert len(set(found)) == 3
    assert not found[0].startswith(ONCE)


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\ud800", "?" * 50_000, "a" * 100_000])
def test_odd_prompts_are_assigned_too(text):
    assert len(mine([text] * 3 + ["other"]).assignments) == 4


def test_no_prompts_have_no_patterns():
    assert mine([]).assignments == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus of prompts at {CORPUS}")
@pytest.mark.parametrize("half", [0, 1])
def test_half_of_the_templates_of_the_corpus_are_told_apart(half):
    with gzip.open(CORPUS / "prompts.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    templates = sorted({row["template"] for row in rows})
    random.Random(half).shuffle(templates)
    kept = set(templates[half::2])
    rows = [row for row in rows if row["template"] in kept]
    found = mine(row["text"] for row in rows).assignments
    true = [row["template"] for row in rows]
    assert grouping_accuracy(true, found) >= 0.92
    assert pairwise_f1(true, found) >= 0.97
