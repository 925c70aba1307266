"""Where the members of an object, or the elements of an array, stand in a JSON text."""

import re
from collections.abc import Callable, Iterator

import msgspec
import orjson

from llmproxy_core.namespace.walk import BETWEEN, OPEN, OPEN_ARRAY
from llmproxy_core.namespace.whole import ARRAY, END, KEY, OBJECT, Fields
from llmproxy_core.transformations.cannot import Cannot

DAMAGED = (msgspec.MsgspecError, RecursionError, ValueError, IndexError)
MOST = 20_000
"""Entries of an array that is changed: each costs up to 40 microseconds, while others wait."""
BLANKS = b" \t\r\n,"
ESCAPED_KEY = re.compile(rb'[\s,]*+"((?:[^"\\]++|\\.)*+)"\s*+:\s*+', re.DOTALL)

type Make[T] = Callable[[str, int, int, int], T]
"""Of an entry: its key ("": an element), where it begins, where its value begins, where it ends."""


def entries[T](
    text: bytes, start: int, end: int, make: Make[T], fields: Fields | None = None
) -> Iterator[T]:
    """Of the value `start:end`, one by one as they are wanted; none of one that is neither.
    `fields`: its members, if they are known. Raises DAMAGED, and Cannot: there are too many."""
    if text[start] == OPEN:
        yield from _members(text, fields or OBJECT.decode(text[start:end]), start + 1, make)
    elif text[start] == OPEN_ARRAY:
        yield from _elements(text, ARRAY.decode(text[start:end]), start + 1, make)


def _elements[T](text: bytes, values: list[msgspec.Raw], at: int, make: Make[T]) -> Iterator[T]:
    """What stands between two of them is mostly the same each time."""
    if len(values) > MOST:
        raise Cannot("refused", f"a list of {len(values)} entries: {MOST} at most are changed")
    usual, first = b",", True
    for value in values:
        begin = at + len(usual)
        if first or not text.startswith(usual, at) or text[begin] in BLANKS:
            place = BETWEEN.match(text, at)
            begin = place.end() if place else at
            usual, first = usual if first else text[at:begin], False
        at = begin + len(value)
        yield make("", begin, begin, at)


def _members[T](text: bytes, fields: dict[str, msgspec.Raw], at: int, make: Make[T]) -> list[T]:
    found = []
    for key, value in fields.items():
        place = KEY.match(text, at) or ESCAPED_KEY.match(text, at)
        if place is None or (place[1] != key.encode() and _unescaped(place[1]) != key):
            raise ValueError(key)
        begin = place.end()
        at = begin + len(value)
        found.append(make(key, place.start(1) - 1, begin, at))
    if END.match(text, at) is None:
        raise ValueError("a key is doubled")
    return found


def _unescaped(key: bytes) -> object:
    return orjson.loads(b'"' + key + b'"')
