"""Where there is text in an event of a stream: every JSON string, and to which text it belongs.

Of places in no wire format's grammar, too: what is not known may hold a secret as well. A string
under a `delta`, and those by which Google, Ollama and Cohere stream, go on in the next event of the
same block; all others are whole. The block is told by the keys that lead to the string and by the
numbers and ids beside them. Events without any string are one text of their own; a string that
breaks off with the event is one, too.
"""

import re
from collections.abc import Hashable
from typing import NamedTuple

TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)(?:"(\s*+:)?|\\?\Z)|[{}\[\]]|-?\d[\d.eE+-]*+', re.DOTALL)
DELTAS = frozenset({b"delta", b"contentBlockDelta", b"tool_call_delta"})
GOING_ON = frozenset(
    {
        (b"candidates", b"content", b"parts", b"text"),
        (b"response", b"candidates", b"content", b"parts", b"text"),
        (b"serverContent", b"modelTurn", b"parts", b"text"),
        (b"serverContent", b"outputTranscription", b"text"),
        (b"serverContent", b"inputTranscription", b"text"),
        (b"realtimeInput", b"text"),
        (b"message", b"content"),
        (b"message", b"thinking"),
        (b"response",),
        (b"thinking",),
        (b"text",),
        (b"choices", b"text"),
        (b"choices", b"logprobs", b"content", b"token"),
        (b"completion",),
        (b"generation",),
        (b"outputText",),
    }
)
"""Paths of texts that come in pieces without being called so."""
PLACES = frozenset(
    {
        b"index",
        b"output_index",
        b"content_index",
        b"summary_index",
        b"contentBlockIndex",
        b"item_id",
    }
)
"""Keys that tell which block an event is about."""
WHOLE = frozenset(
    {
        b"name",
        b"call_id",
        b"finish_reason",
        b"stop_reason",
        b"status",
        b"phase",
        b"format",
        b"signature",
        b"thoughtSignature",
        b"encrypted_content",
        b"encrypted_index",
        b"data",
    }
)
"""Strings of a delta that come in one piece."""
ENDS = (b'.done"', b'.completed"', b'.added"')
"""How the types of events end that have whole texts."""
CONSTANTS = frozenset({b"type", b"object", b"role", b"id", b"model", b"event", b"item_id"})
"""Strings of the protocol's, not anybody's text."""
DEEPEST = 256


class Piece(NamedTuple):
    """The bytes `start:end` of an event: a JSON string without its quotes.

    `channel`: the text of which it is the next piece, as (choice, block). `last`: that text ends
    here, as it does where an event repeats the whole of a text.
    """

    start: int
    end: int
    channel: Hashable
    last: bool = False


class Value(NamedTuple):
    """A string between its quotes (`text`), or a number: the bytes `start:end` of an event.

    `key`: by which it stands; `around`: the objects and arrays that it is in, by their numbers.
    `broken`: it breaks off with the event.
    """

    start: int
    end: int
    key: bytes
    path: tuple[bytes, ...]
    around: tuple[int, ...]
    text: bool
    broken: bool

    @property
    def place(self) -> bool:
        """Does it tell which block the event is about?"""
        return self.key in PLACES


class _Open:
    """An object or array that is open: its number, its key in what holds it, the key at hand."""

    __slots__ = ("key", "name", "number")

    def __init__(self, number: int, name: bytes) -> None:
        self.number = number
        self.name = name
        self.key = b""


def pieces(event: bytes) -> list[Piece]:
    """The texts of an event, in order; of an event of SSE all its lines may be given."""
    found = values(event)
    texts = [one for one in found if one.text and one.end > one.start and one.key not in CONSTANTS]
    if not texts and b'"' not in event:
        return [Piece(0, len(event), b"")]
    blocks = places(found)
    whole = repeats(event)
    return [
        Piece(
            one.start,
            one.end,
            (one.path, tuple(event[place.start : place.end] for place in block(one, blocks))),
            last=not goes_on(one, whole),
        )
        for one in texts
    ]


def values(event: bytes) -> list[Value]:
    """The strings and numbers of an event, in order."""
    found: list[Value] = []
    stack = [_Open(0, b"")]
    count = 0
    for token in TOKEN.finditer(event):
        first, top = event[token.start()], stack[-1]
        if first in b"{[":
            count += 1
            stack.append(_Open(count, top.key))
        elif first in b"}]":
            if len(stack) > 1:
                stack.pop()
        elif token[2]:
            top.key = token[1]
        else:
            found.append(_value(token, stack, first == 0x22))
    return found


def _value(token: re.Match[bytes], stack: list[_Open], text: bool) -> Value:
    near = stack[-DEEPEST:]
    key = near[-1].key
    names = tuple(dict.fromkeys(one.name for one in near if one.name))
    broken = text and (not token[0].endswith(b'"') or token.end() == token.end(1))
    return Value(
        *token.span(1 if text else 0),
        key,
        (*names, key) if key else names,
        tuple(one.number for one in near),
        text,
        broken,
    )


def places(found: list[Value]) -> dict[int, list[Value]]:
    """By the objects in which they are, what tells which block the event is about."""
    told: dict[int, list[Value]] = {}
    for one in found:
        if one.place:
            told.setdefault(one.around[-1], []).append(one)
    return told


def block(one: Value, told: dict[int, list[Value]]) -> list[Value]:
    """What tells to which block a text belongs."""
    return [place for number in one.around for place in told.get(number, ())]


def repeats(event: bytes) -> bool:
    """Does the event have all of what came before?"""
    return any(end in event for end in ENDS)


def goes_on(one: Value, whole: bool) -> bool:
    """Is a text continued by the next event of its block? `whole`: the event repeats texts."""
    if one.broken:
        return True
    if whole or one.path[-1:] == () or one.path[-1] in WHOLE:
        return False
    return not DELTAS.isdisjoint(one.path) or one.path in GOING_ON
