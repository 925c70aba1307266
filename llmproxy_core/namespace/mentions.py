"""Names of tools within texts: a whole word that is such a name, and no word of everyday language.

Names count that have at least `SHORTEST` characters, all of them letters, digits, `_` or `-`, and
among them one that words do not have: `_`, `-`, a digit, or a capital after the first letter.
`read` and `search` stay what they are. Words are found in JSON strings as they stand there.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from llmproxy_core.hashing import content_hash
from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.prose import REFUSED, Passage, Prose, Scope
from llmproxy_core.namespace.walk import OPEN
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.spans.recent import Recent

SHORTEST = 4
SPEAKING = re.compile(rb"(?=[A-Za-z0-9_-]*+\Z)(?:.*[0-9_-]|.+[A-Z])", re.DOTALL)
TOKEN = re.compile(
    rb"((?:[A-Za-z0-9_-]"
    rb"|\\u00(?:2[dD]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9Aa]))++)"  # the same, escaped
    rb"|\\u[0-9A-Fa-f]{4}|\\.",
    re.DOTALL,
)
"""A word, or an escape that parts words."""
WORTH = 64
"""Bytes of an element that is remembered."""

type Word = tuple[int, int, bytes]
"""Where a word that matters begins and ends, and itself."""
type Told = Recent[tuple[int, bytes], tuple[Word, ...]]
"""Words of elements that have been read, by the names, the node that leads to them, their hash."""


def speaking(name: bytes) -> bool:
    """Is it told from words of everyday language by how it looks?"""
    return len(name) >= SHORTEST and SPEAKING.match(name) is not None


def words(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The whole words of a string that stands at `start:end`, without quotes."""
    for token in TOKEN.finditer(text, start, end):
        if token[1] is not None:
            yield token.span()


class Mentions:
    """Where the texts of one JSON text have words that are sought."""

    def __init__(
        self, sought: AbstractSet[bytes], parts: Sequence[bytes], told: Told | None = None
    ) -> None:
        """`parts`: without one of these in it, a text has none of the words. `told` knows what
        earlier texts said."""
        self._sought = sought
        self._parts = parts
        self._told = told
        self._kind = hash(frozenset(sought))

    def found(self, text: bytes, grammar: Node, fields: Fields | None = None) -> list[Word]:
        """In order; none of a text that `prose` cannot read. `fields`: of it, if they are known."""
        if not self.among(text, 0, len(text)):
            return []
        reader = _Reader(text, self)
        try:
            reader.read(grammar, fields)
        except REFUSED:
            return []
        return reader.words

    def among(self, text: bytes, start: int, end: int) -> bool:
        """May one of the words be here?"""
        return any(text.find(part, start, end) >= 0 for part in self._parts)

    def within(self, text: bytes, start: int, end: int) -> list[Word]:
        """Those in a string."""
        if not self.among(text, start, end):
            return []
        spans = ((a, b, text[a:b]) for a, b in words(text, start, end))
        return [word for word in spans if word[2] in self._sought]

    def key(self, node: Node, element: msgspec.Raw) -> tuple[int, bytes]:
        """By which an element is remembered."""
        return hash((self._kind, id(node))), content_hash(element)

    def recalled(self, key: tuple[int, bytes], text: bytes, origin: int) -> list[Word] | None:
        """What the same element said before; None: not known."""
        known = self._told.get(key) if self._told is not None else None
        if known is None:
            return None
        moved = [(origin + start, origin + end, word) for start, end, word in known]
        return moved if all(text[start:end] == word for start, end, word in moved) else None

    def remember(self, key: tuple[int, bytes], found: list[Word], origin: int) -> None:
        if self._told is not None:
            moved = ((start - origin, end - origin, word) for start, end, word in found)
            self._told[key] = tuple(moved)


class _Reader(Prose):
    __slots__ = ("_mentions", "words")

    def __init__(self, text: bytes, mentions: Mentions) -> None:
        super().__init__(text)
        self._mentions = mentions
        self.words: list[Word] = []

    def found(self, passage: Passage) -> None:
        self.words += self._mentions.within(self.text, passage.start, passage.end)

    def element(
        self, raw: msgspec.Raw, at: int, node: Node, fields: Fields, scope: Scope, levels: int
    ) -> None:
        if len(raw) < WORTH or self.text[at] != OPEN:
            super().element(raw, at, node, fields, scope, levels)
            return
        key = self._mentions.key(node, raw)
        known = self._mentions.recalled(key, self.text, at)
        if known is not None:
            self.words += known
            return
        before = len(self.words)
        if self._mentions.among(self.text, at, at + len(raw)):
            super().element(raw, at, node, fields, scope, levels)
        self._mentions.remember(key, self.words[before:], at)
