"""Finds the texts of a JSON text along a grammar of places, each with the block that it is part of.

As `whole` finds names. Of an answer with several choices or blocks, each event says by some index
to which one it belongs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from llmproxy_core.namespace.grammar import Node, Text
from llmproxy_core.namespace.walk import BETWEEN, BLANK, OPEN, OPEN_ARRAY, QUOTE, fitting
from llmproxy_core.namespace.whole import ARRAY, END, KEY, LEVELS, OBJECT, Fields

INDEXES = frozenset({"index", "output_index", "content_index", "contentBlockIndex"})
"""Keys by which an event says of which block it is."""

type Scope = frozenset[tuple[str, bytes]]
"""What an event, or a part of it, says under INDEXES."""
type Block = tuple[Scope, int]
"""Of a stream: texts of the same place in the same scope continue each other."""

NOWHERE: Scope = frozenset()
REFUSED = (msgspec.MsgspecError, RecursionError, ValueError, IndexError)
"""What is raised for a text that is no JSON, is too deep, or has a key that is doubled or escaped."""


class Passage(NamedTuple):
    """A text: the bytes `start:end`, without quotes."""

    start: int
    end: int
    place: Text
    scope: Scope

    @property
    def block(self) -> Block:
        return self.scope, id(self.place)


class Prose:
    """The texts of one JSON text. `scopes`: of all objects that the grammar leads to."""

    __slots__ = ("passages", "scopes", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.passages: list[Passage] = []
        self.scopes: set[Scope] = set()

    def read(self, grammar: Node, fields: Fields | None = None) -> None:
        """`fields`: of the text, if they are known. Raises one of REFUSED."""
        start = BLANK.match(self.text)
        at = start.end() if start else 0
        if fields and not at and isinstance(grammar, dict):
            self._within(fields, 1, grammar, NOWHERE, LEVELS)
        elif at < len(self.text):
            raw = self.text[at:] if at else self.text
            self.value(raw, at, grammar, {}, NOWHERE, LEVELS)

    @property
    def ends(self) -> list[Scope]:
        """The scopes that no other one narrows."""
        return [one for one in self.scopes if not any(one < other for other in self.scopes)]

    def value(
        self, raw: bytes | msgspec.Raw, at: int, node: Node, fields: Fields, scope: Scope,
        levels: int,
    ) -> None:  # fmt: skip
        """The texts in the value at `at`, which is `raw`, of an object of these fields."""
        if not levels:
            raise ValueError("too deep")
        first = self.text[at]
        if first == OPEN:
            if (members := fitting(node, dict)) is not None:
                self._within(OBJECT.decode(raw), at + 1, members, scope, levels)
        elif first == OPEN_ARRAY:
            if (elements := fitting(node, list)) is not None:
                self._elements(raw, at + 1, elements[0], fields, scope, levels)
        elif first == QUOTE and (place := fitting(node, Text)) is not None:
            end = at + len(raw)
            if holds(place, fields) and self.text[at:end] == bytes(raw):
                self.found(Passage(at + 1, end - 1, place, scope))

    def found(self, passage: Passage) -> None:
        self.passages.append(passage)

    def element(
        self, raw: msgspec.Raw, at: int, node: Node, fields: Fields, scope: Scope, levels: int
    ) -> None:
        """The texts in an element of an array."""
        self.value(raw, at, node, fields, scope, levels)

    def _within(
        self, fields: Fields, at: int, node: dict[str, Node], scope: Scope, levels: int
    ) -> None:
        told = INDEXES & fields.keys()
        if told:
            scope = scope | {(key, bytes(fields[key])) for key in told}
        self.scopes.add(scope)
        for key, start, value in self._placed(fields, at):
            if (inner := node.get(key)) is not None:
                self.value(value, start, inner, fields, scope, levels - 1)

    def _placed(self, fields: Fields, at: int) -> Iterator[tuple[str, int, msgspec.Raw]]:
        """The fields of the object that begins before `at`, with where their values begin."""
        for key, value in fields.items():
            place = KEY.match(self.text, at)
            if place is None or place[1] != key.encode():
                raise ValueError("a key is doubled or escaped")
            at = place.end() + len(value)
            yield key, place.end(), value
        if END.match(self.text, at) is None:
            raise ValueError("a key is doubled")

    def _elements(
        self, raw: bytes | msgspec.Raw, at: int, node: Node, fields: Fields, scope: Scope,
        levels: int,
    ) -> None:  # fmt: skip
        for element in ARRAY.decode(raw):
            place = BETWEEN.match(self.text, at)
            start = place.end() if place else at
            at = start + len(element)
            self.element(element, start, node, fields, scope, levels - 1)


def holds(place: Text, fields: Fields) -> bool:
    """Is this a text of the place, in an object of these fields?"""
    if place.unless and bytes(fields.get(place.unless, b"false")) not in (b"false", b"null"):
        return False
    if place.kinds is None:
        return True
    kind = bytes(fields.get(place.key, b""))
    if kind[:1] != b'"':
        return None in place.kinds
    return kind[1:-1].decode("utf-8", "replace") in place.kinds
