"""System prompts and tool sets that real programs sent: which of them are versions of one pattern."""

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations, count

import pytest

from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.patterns.readings import SYSTEM, TOOLS, Reading
from llmproxy_core.patterns.structure import facts_of
from llmproxy_core.patterns.versions import Versions
from llmproxy_core.providers.formats import read_request
from tests.corpora import CORPORA

FOLDER = CORPORA / "wire"
FILES = [
    FOLDER / f"{name}.jsonl.gz"
    for name in ("anthropic", "openai_chat", "openai_responses", "compat")
]
GOAL = "\nYour personal goal is:"
"""A framework's agents begin with their role, then this; most of the rest is the same in all."""
pytestmark = pytest.mark.skipif(
    not all(file.is_file() for file in FILES),
    reason=f"no recorded exchanges at {FOLDER} (LLMPROXY_CORPORA names another folder)",
)


def requests() -> Iterator[tuple[str, str, bytes]]:
    for file in FILES:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for one in map(json.loads, lines):
                body = (one["request_body"] or "").encode()
                if one["request_body_encoding"] == "base64":
                    body = base64.b64decode(body)
                yield one["wire"], one["url"], body


@cache
def sent() -> tuple[list[str], list[str]]:
    """The different tool sets and system prompts."""
    tools: dict[str, None] = {}
    systems: dict[str, None] = {}
    for wire, url, body in requests():
        tools["\n".join(tool_lines(wire, body))] = None
        request, _ = read_request(wire, url, [], body)
        systems[facts_of(wire, [], request, body).system] = None
    return [text for text in tools if text], [text for text in systems if text.strip()]


def patterns(texts: list[str], reading: Reading) -> list[str]:
    """That of each, when two sessions had it."""
    ids = count(1)
    known = Versions(lambda: str(next(ids)))
    found = []
    for at, text in enumerate(texts):
        seen = [known.see(text, at, f"{at} {n}", reading) for n in range(2)][1]
        found.append(seen.pattern if seen else "")
    return found


def named(text: str) -> set[str]:
    return {line.partition(" ")[0] for line in text.splitlines()}


def kept(texts: list[str], change: Callable[[str], str], reading: Reading) -> float:
    """The share of texts that are the same pattern after a change."""
    same = [len(set(patterns([text, change(text)], reading))) == 1 for text in texts]
    assert len(same) > 30
    return sum(same) / len(same)


def test_tool_sets_without_a_tool_in_common_are_patterns_of_their_own():
    tools, _ = sent()
    told = zip(tools, patterns(tools, TOOLS), strict=True)
    joined = [1 for (a, p), (b, q) in combinations(told, 2) if p == q and not named(a) & named(b)]
    assert len(tools) > 200
    assert not joined


def test_a_tool_set_that_lost_a_tool_is_a_version():
    dice = random.Random(3)

    def fewer(text: str) -> str:
        lines = text.splitlines()
        lines.pop(dice.randrange(len(lines)))
        return "\n".join(lines)

    assert kept([one for one in sent()[0] if one.count("\n") >= 2], fewer, TOOLS) >= 0.9


def test_a_tool_set_with_a_description_edited_is_a_version():
    def edited(text: str) -> str:
        return text.replace('"description":"', '"description":"With care: ', 1)

    described = [one for one in sent()[0] if '"description":"' in one and "\n" in one]
    assert kept(described, edited, TOOLS) >= 0.95


def test_agents_of_one_framework_are_patterns_of_their_own():
    agents = [text for text in sent()[1] if GOAL in text]
    roles = [set(text.split(GOAL)[0].lower().split()) - {"you", "are", "a"} for text in agents]
    told = zip(roles, patterns(agents, SYSTEM), strict=True)
    others = [p == q for (a, p), (b, q) in combinations(told, 2) if not a & b]
    assert len(others) > 100
    assert sum(others) / len(others) <= 0.01


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\nNever promise what you cannot keep.",
        lambda text: "Read all of this before you begin.\n" + text,
        lambda text: text.replace("\n", " Take care.\n", 1),
        lambda text: text.replace(" ", " kindly ", 1),
    ],
)
def test_an_edited_system_prompt_is_a_version(change):
    long = [text for text in sent()[1] if len(text) > 300]
    assert kept(long, change, SYSTEM) >= 0.95
