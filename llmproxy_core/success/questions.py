"""When two texts ask the same: but for case, spacing, punctuation and words of politeness."""

import re
from array import array

import xxhash

WORDS = re.compile(r"\w+")
FILLING = frozenset(
    {"please", "pls", "again", "kindly", "hey", "hi", "hello", "bitte", "nochmal", "nochmals"}
    | {"favor", "svp", "encore", "ancora", "nuovamente", "novamente"}
)
"""Words that change nothing about a question."""
FEW = 3
"""Words of a question that is one; `continue` and `yes, do it` come again by themselves."""
SIGNS = 6
"""Characters of one in a language that is written without spaces."""
MOST = 64
"""Words of a text that are compared."""
HEAD = 8 * MOST
"""Characters among which they are."""
BY_HAND = 600
"""Characters from which on nobody types a text again: it is the same, or another one."""
LONG = 2000
"""Characters of a text that is hardly edited by hand."""

type Digest = int
type Sketch = bytes
"""Hashes of words, WIDTH bytes each: a set of numbers would take ten times as much."""
WIDTH = 4
MASK = 0xFFFFFFFF


def digest(text: str) -> Digest | None:
    """The same for the same question; None of a text that is too short to be one."""
    if len(text) > BY_HAND:
        return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
    words = [word for word in WORDS.findall(text.casefold()) if word not in FILLING]
    joined = " ".join(words)
    if len(words) < FEW and (joined.isascii() or len(joined) < SIGNS):
        return None
    return xxhash.xxh3_64_intdigest(joined.encode("utf-8", "surrogatepass"))


def head(text: str) -> str:
    """What `sketch` needs of a text; empty of one that is too long to be compared."""
    return text[:HEAD] if len(text) <= LONG else ""


def sketch(text: str) -> Sketch:
    """Of the first words; empty of a text that is too long to be compared."""
    if len(text) > LONG:
        return b""
    words = WORDS.findall(text[:HEAD].casefold())[:MOST]
    return array("I", {hash(word) & MASK: None for word in words}).tobytes()


def likeness(one: Sketch, other: Sketch) -> float:
    """The share of words that both have (Jaccard), from 0 to 1."""
    first, second = _hashes(one), _hashes(other)
    every = len(first | second)
    return len(first & second) / every if every else 0.0


def _hashes(sketch: Sketch) -> set[bytes]:
    return {sketch[at : at + WIDTH] for at in range(0, len(sketch), WIDTH)}
