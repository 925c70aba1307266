"""The values of a JSON text as they stand in it, to be changed without writing the others anew.

A `Node` knows its bytes; its members are read only when somebody asks for them. Changes are kept
beside the bytes, and told at the end as edits of the first text, in order, none within another:
so several operations may change the same text, each on what the one before has left.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Literal

import orjson

from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.namespace.walk import OPEN, OPEN_ARRAY, QUOTE
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.providers.parsing import parse
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.entries import DAMAGED, entries
from llmproxy_core.transformations.gaps import restructured

type Kind = Literal["object", "array", "string", "other"]
type Path = tuple[str | int, ...]
type Span = tuple[int, int]
NOT_BEGUN: Iterator[Any] = iter(())
KINDS: dict[int, Kind] = {OPEN: "object", OPEN_ARRAY: "array", QUOTE: "string"}


class Item:
    """A member of an object, with its key, or an element. It stands at `start:end` of the text
    around it, its value from `value` on; -1: it is new. Its node is made when somebody asks."""

    __slots__ = ("_text", "end", "key", "made", "start", "value")

    def __init__(self, text: bytes, key: str, start: int, value: int, end: int) -> None:
        self._text = text
        self.key = key
        self.start = start
        self.value = value
        self.end = end
        self.made: Node | None = None

    @property
    def node(self) -> "Node":
        if self.made is None:
            self.made = Node(self._text, self.value, self.end)
        return self.made

    def raw(self) -> bytes:
        return self.node.raw()

    def edits(self) -> list[Edit]:
        """Of the text around it."""
        if self.made is None:
            return []
        if self.made.fresh:
            return [(self.value, self.end, self.made.raw())]
        return self.made.edits()


class Node:
    """A value: the bytes `start:end` of `text`. `fresh`: its bytes are new, in a text of its own."""

    __slots__ = (
        "_changed",
        "_items",
        "_more",
        "_read",
        "_splices",
        "_wrap",
        "end",
        "fresh",
        "start",
        "text",
    )

    def __init__(self, text: bytes, start: int, end: int, fields: Fields | None = None) -> None:
        """`fields`: of an object, if they are known."""
        self._begin(text, start, end, fields)
        self.fresh = False

    def _begin(self, text: bytes, start: int, end: int, fields: Fields | None = None) -> None:
        self.text = text
        self.start = start
        self.end = end
        self._more: Iterator[Item] | None = self._entries(fields) if fields else NOT_BEGUN
        self._read: list[Item] = []
        self._items: list[Item] = []
        self._changed = False
        self._splices: list[Edit] = []
        self._wrap: tuple[bytes, bytes] | None = None

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.text[self.start] if self._wrap is None else self._wrap[0][0], "other")

    @property
    def items(self) -> list[Item]:
        """Those of now, in order. Raises Cannot: it repeats a key."""
        if self._wrap is not None:
            self.settle()
        if self._more is not None:
            self._pull(None)
        return self._items

    def begins(self, how: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """What it begins with, as long as nobody has asked for more of it."""
        if self._more is not NOT_BEGUN or self._wrap is not None:
            return None
        return how.match(self.text, self.start, self.end)

    def places(self) -> dict[str, Span]:
        """Where the values of the members that came stand in `text`."""
        return {item.key: (item.value, item.end) for item in self._read}

    def get(self, key: str) -> "Node | None":
        """The member of an object; None: there is none, or this is no object."""
        if self.kind != "object":
            return None
        for item in self.items:
            if item.key == key:
                return item.node
        return None

    def elements(self, start: int = 0, end: int | None = None) -> list["Node"]:
        """Of an array, from one number to another; none of anything else."""
        return [item.node for item in self.items[start:end]] if self.kind == "array" else []

    def each(self) -> Iterator["Node"]:
        """As `elements`, for whoever looks at the first ones only."""
        if self.kind != "array":
            return
        self.settle()
        number = 0
        while number < len(self._items) or self._pull(1):
            yield self._items[number].node
            number += 1

    def raw(self) -> bytes:
        """Its bytes as they are now."""
        found = self.edits()
        if not found:
            return self.text[self.start : self.end]
        parts: list[bytes] = []
        done = self.start
        for start, end, new in found:
            parts += self.text[done:start], new
            done = end
        return b"".join((*parts, self.text[done : self.end]))

    def read(self) -> Any:
        """As a Python value."""
        raw = self.raw()
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            return parse(raw)[0]

    def said(self) -> str | None:
        """Of a string, its text; of anything else None."""
        value = self.read() if self.kind == "string" else None
        return value if isinstance(value, str) else None

    @property
    def null(self) -> bool:
        return self.kind == "other" and self.raw() == b"null"

    def put(self, key: str, value: bytes) -> "Node":
        """The member of an object becomes `value`; a new one comes last. Raises Cannot: no object."""
        self._must_be("object")
        for item in self.items:
            if item.key == key:
                item.node.replace(value)
                return item.node
        return self._add(len(self._items), key, value)

    def insert(self, at: int, value: bytes) -> "Node":
        """An element of an array, before the one that is at `at` now. Raises Cannot: no array."""
        self._must_be("array")
        return self._add(min(at, len(self.items)), "", value)

    def append(self, value: bytes) -> "Node":
        return self.insert(len(self.items), value)

    def remove(self, key: str | int) -> bool:
        """Was it there?"""
        if isinstance(key, int):
            return self.remove_all({key})
        return self.remove_all([n for n, item in enumerate(self.items) if item.key == key][:1])

    def remove_all(self, numbers: Collection[int]) -> bool:
        """Entries by the numbers that they have now. Was any of them there?"""
        items = self.items
        kept = [item for number, item in enumerate(items) if number not in numbers]
        removed = len(kept) < len(items)
        items[:] = kept
        self._changed = self._changed or removed
        return removed

    def replace(self, value: bytes) -> None:
        """It becomes another one; where it is this one already, nothing is changed."""
        if self.raw() != value:
            self._become(value)

    def settle(self) -> None:
        """What was changed in a string, or around it, becomes its text."""
        if self._splices or self._wrap is not None:
            self._become(self.raw())

    def _become(self, value: bytes) -> None:
        self._begin(value, 0, len(value))
        self.fresh = True

    def wrap(self, before: bytes, after: bytes) -> None:
        """It becomes a part of a value that is written around it."""
        self.settle()
        self._wrap = (before, after)

    def splice(self, edits: Sequence[Edit]) -> None:
        """Changes within a string, by offsets into `text`; further ones only where nothing was
        changed yet, or at its ends."""
        self._splices = sorted([*self._splices, *edits], key=lambda edit: edit[:2])

    def edits(self) -> list[Edit]:
        """Of `text`, for this value."""
        found = self._splices or (self._restructured() if self._changed else self._inner())
        if self._wrap is not None:
            before, after = self._wrap
            return [(self.start, self.start, before), *found, (self.end, self.end, after)]
        return found

    def _inner(self) -> list[Edit]:
        found: list[Edit] = []
        for item in self._read:
            found += item.edits()
        return found

    def _restructured(self) -> list[Edit]:
        return restructured(self.text, self.start, self._read, self._items)

    def _entries(self, fields: Fields | None = None) -> Iterator[Item]:
        return entries(self.text, self.start, self.end, partial(Item, self.text), fields)

    def _pull(self, wanted: int | None) -> bool:
        """So many more entries are read, or all. Were there any?"""
        if self._more is None:
            return False
        if self._more is NOT_BEGUN:
            self._more = self._entries()
        try:
            found = [*islice(self._more, wanted)]
        except DAMAGED:
            said = "the body is no JSON, or an object in it repeats a key"
            raise Cannot("unreadable", said) from None
        if wanted is None or not found:
            self._more = None
        self._read += found
        self._items += found
        return bool(found)

    def _must_be(self, kind: Kind) -> None:
        if self.kind != kind:
            raise Cannot("elsewhere", f"there is no {kind} where one should be")

    def _add(self, at: int, key: str, value: bytes) -> "Node":
        item = Item(value, key, -1, 0, len(value))
        self.items.insert(at, item)
        self._changed = True
        return item.node
