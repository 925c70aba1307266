"""Finds the names of tools in a JSON text that is all there: as `walk`, and several times faster.

msgspec says how long each value is, so that what is of no interest is not looked at. What it
refuses, and keys that are repeated or escaped, are left to the `Walker`.
"""

import re

import msgspec

from llmproxy_core.namespace.grammar import KEYS, Name, Node
from llmproxy_core.namespace.walk import BETWEEN, BLANK, Facts, Found, Walker, fitting

OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
KEY = re.compile(rb'[\s,]*+"([^"\\]*+)"\s*+:\s*+')
END = re.compile(rb"\s*+\}")
WORD = b'name"'
"""How each key ends under which an object has a name."""
LEVELS = 64


class _Odd(Exception):
    """A text that only the walker reads."""


def names_in(text: bytes, grammar: Node) -> list[Found]:
    """All names of a text, in order."""
    found: list[Found] = []
    start = BLANK.match(text)
    at = start.end() if start else 0
    try:
        _value(text, text[at:] if at else text, at, grammar, ({}, {}), found, LEVELS)
    except (_Odd, msgspec.MsgspecError, RecursionError, ValueError):
        return Walker(grammar).feed(text)
    return found


def _value(
    text: bytes, raw: bytes | msgspec.Raw, at: int, node: Node, around: tuple[Facts, Facts],
    found: list[Found], levels: int,
) -> None:  # fmt: skip
    """Finds what is in the value at `at`, which is `raw`."""
    first = text[at : at + 1]
    if first == b"{":
        if (members := fitting(node, dict)) is not None:
            _object(text, raw, at, members, around, found, levels - 1)
    elif first == b"[":
        if (elements := fitting(node, list)) is not None:
            _array(text, raw, at, elements[0], around, found, levels - 1)
    elif first == b'"' and (place := fitting(node, Name)) is not None:
        end = at + len(raw)
        if text[at:end] != bytes(raw):
            raise _Odd
        found.append(Found(at + 1, end - 1, place, around))


def _object(
    text: bytes, raw: bytes | msgspec.Raw, at: int, members: dict[str, Node],
    outside: tuple[Facts, Facts], found: list[Found], levels: int,
) -> None:  # fmt: skip
    facts: Facts = {}
    around = (facts, outside[0])
    at += 1
    for key, value in OBJECT.decode(raw).items():
        place = KEY.match(text, at)
        if place is None or place[1] != key.encode() or not levels:
            raise _Odd
        start = place.end()
        at = start + len(value)
        if key in KEYS and text[start] == 0x22:
            facts[key] = text[start + 1 : at - 1].decode("utf-8", "replace")
        if (node := members.get(key)) is not None:
            _value(text, value, start, node, around, found, levels)
    if END.match(text, at) is None:
        raise _Odd  # a key came twice


def _array(
    text: bytes, raw: bytes | msgspec.Raw, at: int, node: Node, around: tuple[Facts, Facts],
    found: list[Found], levels: int,
) -> None:  # fmt: skip
    at += 1
    for element in ARRAY.decode(raw):
        place = BETWEEN.match(text, at)
        start = place.end() if place else at
        at = start + len(element)
        if not levels:
            raise _Odd
        if text[start] == 0x22 or text.find(WORD, start, at) >= 0:
            _value(text, element, start, node, around, found, levels)
