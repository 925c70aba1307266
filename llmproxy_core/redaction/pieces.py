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

from llmproxy_core.redaction.stream_masking import Piece

TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)(?:"(\s*+:)?|\\?\Z)|[{}\[\]]|-?\d[\d.eE+-]*+', re.DOTALL)
DELTAS = frozenset({b"delta", b"contentBlockDelta", b"tool_call_delta"})
GOING_ON = frozenset(
    {
        (b"candidates", b"content", b"parts", b"text"),
        (b"response", b"candidates", b"content", b"parts", b"text"),
        (b"serverContent", b"modelTurn", b"parts", b"text"),
        (b"message", b"content"),
        (b"message", b"thinking"),
        (b"response",),
        (b"thinking",),
        (b"text",),
        (b"choices", b"text"),
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


class _Leaf(NamedTuple):
    start: int
    end: int
    path: tuple[bytes, ...]
    around: tuple[int, ...]
    broken: bool
    """Does it break off with the event?"""


class _Open:
    """An object or array that is open: its number, its key in what holds it, the key at hand."""

    __slots__ = ("key", "name", "number")

    def __init__(self, number: int, name: bytes) -> None:
        self.number = number
        self.name = name
        self.key = b""


def pieces(event: bytes) -> list[Piece]:
    """The texts of an event, in order; of an event of SSE all its lines may be given."""
    leaves, facts = _leaves(event)
    if not leaves and b'"' not in event:
        return [Piece(0, len(event), b"")]
    repeats = any(end in event for end in ENDS)
    return [_piece(leaf, facts, repeats) for leaf in leaves]


def _leaves(event: bytes) -> tuple[list[_Leaf], dict[int, tuple[bytes, ...]]]:
    leaves: list[_Leaf] = []
    facts: dict[int, tuple[bytes, ...]] = {}
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
            if top.key in PLACES:
                facts[top.number] = (*facts.get(top.number, ()), token[0])
            if first == 0x22 and token[1] and top.key not in CONSTANTS:
                leaves.append(_leaf(token, stack))
    return leaves, facts


def _leaf(token: re.Match[bytes], stack: list[_Open]) -> _Leaf:
    near = stack[-DEEPEST:]
    names = [one.name for one in near if one.name]
    path = (*dict.fromkeys(names), near[-1].key) if near[-1].key else tuple(dict.fromkeys(names))
    broken = not token[0].endswith(b'"') or token.end() == token.end(1)
    return _Leaf(*token.span(1), path, tuple(one.number for one in near), broken)


def _piece(leaf: _Leaf, facts: dict[int, tuple[bytes, ...]], repeats: bool) -> Piece:
    """`repeats`: the event has all of what came before."""
    goes_on = not DELTAS.isdisjoint(leaf.path) or leaf.path in GOING_ON
    goes_on = leaf.broken or (goes_on and not repeats and leaf.path[-1] not in WHOLE)
    block = tuple(fact for number in leaf.around for fact in facts.get(number, ()))
    channel: Hashable = (leaf.path, block)
    return Piece(leaf.start, leaf.end, channel, last=not goes_on)
