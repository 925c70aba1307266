"""What a system prompt opens with: who it is for. Programs of one framework share much of the rest."""

import re
from collections.abc import Collection, Sequence

from llmproxy_core.hashing import checksum
from llmproxy_core.patterns.shingles import WORD

READ = 30
"""Words of a line that are read."""
LEAST = 2
"""Telling words of a line that says something."""
LINES = 40
"""Lines among which an opening is looked for: another may have been put before it."""
ALIKE = 0.5
"""Of the words of an opening, those that a line must have to be taken for it."""
COMMON = frozenset(
    re.findall(
        r"\w+",
        "you're a an the your is to of and in for on with that's who as i my we our this it be act"
        " are that du bist ein eine der die das tu es un une le la eres el usted sei",
    )
)
"""Words that most prompts open with."""


def openings(lines: Sequence[str]) -> list[set[int]]:
    """Of each of the first lines that say something the hashes of the words that do."""
    found = (_telling(line) for line in lines[:LINES])
    return [words for words in found if len(words) >= LEAST]


def opens_as(openings: Sequence[set[int]], opening: Collection[int]) -> bool:
    """Does a text open, or go on, with most of the words of another's opening?

    True where one of them says nothing by which it could be told.
    """
    if not opening or not openings:
        return True
    return any(len(words.intersection(opening)) >= ALIKE * len(opening) for words in openings)


def _telling(line: str) -> set[int]:
    words = WORD.findall(line.lower())[:READ]
    return {
        checksum(word.encode("utf-8", "replace"))
        for word in words
        if word.isalnum() and word not in COMMON
    }
