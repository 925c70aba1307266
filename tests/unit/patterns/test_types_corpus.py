"""Types on real prompts; no word of their templates was looked for in what is asked here."""

import gzip
import json
import os
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from llmproxy_core.patterns import cues
from llmproxy_core.patterns.constant import wording
from llmproxy_core.patterns.types import type_of

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("LLMPROXY_CORPORA", ROOT.parent / "shared" / "corpora")) / "patterns"
FILE = FOLDER / "prompts.jsonl.gz"
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"no prompts at {FILE} (LLMPROXY_CORPORA names another folder)"
)


@cache
def groups() -> dict[str, tuple[str, list[str]]]:
    """By template: the type and the prompts that have one."""
    types: dict[str, str] = {}
    found = defaultdict(list)
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for prompt in map(json.loads, lines):
            if prompt["type"]:
                types[prompt["template"]] = prompt["type"]
                found[prompt["template"]].append(prompt["text"])
    return {template: (types[template], texts) for template, texts in found.items()}


def accuracy(size: int | None) -> float:
    """The share of prompts whose group, `size` prompts of it, has the right type."""
    right = total = 0
    for type, texts in groups().values():
        right += len(texts) * (type_of(texts[:size]).type == type)
        total += len(texts)
    return right / total


@pytest.mark.parametrize(("size", "least"), [(None, 0.96), (4, 0.95), (1, 0.90)])
def test_real_prompts_have_their_type(size, least):
    assert accuracy(size) >= least


def test_groups_that_were_split_or_joined_keep_their_type():
    by_type = defaultdict(list)
    for type, texts in groups().values():
        by_type[type].append(texts)
    right = total = 0
    for type, members in by_type.items():
        for one, other in pairwise(members):
            right += type_of(one[:6] + other[:2]).type == type
            total += 1
    assert right / total >= 0.93


def test_no_type_hangs_on_one_cue(monkeypatch):
    """Without the strongest cue that speaks for it, a type is mostly found all the same."""
    every = cues.compiled()
    right = total = 0
    for type, texts in groups().values():
        shared = wording(texts)
        speaks = [pair for pair in every if pair[0].type == type and pair[1].search(shared)]
        best = max(speaks, key=lambda pair: pair[0].weight, default=None)
        rest = [pair for pair in every if pair is not best]
        monkeypatch.setattr(cues, "compiled", lambda rest=rest: rest)
        right += len(texts) * (type_of(texts).type == type)
        total += len(texts)
    assert right / total >= 0.88
