"""The strings and numbers of a JSON text in which values stand, as the texts that they say.

Also of several JSON texts in a row.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from llmproxy_core.masking.json_strings import units
from llmproxy_core.redaction.occurrences import Occurrence, Sought, utf8
from llmproxy_core.redaction.placeholders import LEAST

TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|-?\d[\d.eE+-]*+', re.DOTALL)
ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
WORD = re.compile(r"[A-Za-z_]+")
PROTOCOL = frozenset(
    (
        *(b"type", b"role", b"object", b"status", b"model", b"name", b"mode", b"format", b"detail"),
        *(b"effort", b"reasoning_effort", b"verbosity", b"tool_choice", b"toolChoice", b"encoding"),
        *(b"stop_reason", b"finish_reason", b"service_tier", b"truncation", b"ttl"),
        *(b"media_type", b"mime_type", b"mimeType", b"function_call"),
    )
)
"""Keys under which a word is the protocol's, even if it is somebody's password, too."""


class Leaf(NamedTuple):
    """A string without its quotes, or a number: the bytes `start:end`, and what they say."""

    start: int
    end: int
    text: str
    quoted: bool


def leaves(body: bytes, sought: Sought) -> Iterator[tuple[Leaf, list[Occurrence]]]:
    """Those that have a value in them, with where it is in the UTF-8 of what they say."""
    spans = iter(sought.found(body))
    nearest = next(spans, None)
    key = b""
    for token in TOKEN.finditer(body):
        start, end = token.span()
        while nearest is not None and nearest.end <= start:
            nearest = next(spans, None)
        if nearest is None:
            return
        if nearest.start < end:
            leaf = _leaf(token)
            found = sought.found(utf8(leaf.text))
            if found and not _is_protocol(leaf, found, key, is_key=token[2] is not None):
                yield leaf, found
        key = token[1] if token[2] else b""


def text_of(raw: bytes) -> str:
    """What a JSON string says, given the bytes between its quotes."""
    if b"\\" not in raw:
        return raw.decode("utf-8", "replace")
    try:
        return str(json.loads('"' + raw.decode() + '"', strict=False))
    except ValueError:
        return "".join(text for text, _ in units(raw))


def positions(raw: bytes, wanted: Sequence[int]) -> list[int]:
    """Offsets into the UTF-8 of what a JSON string says -> offsets into its bytes. In order."""
    found: list[int] = []
    said = done = 0
    for start, end, size in _apart(raw):
        run = start - done
        while len(found) < len(wanted) and wanted[len(found)] <= said + run:
            found.append(done + wanted[len(found)] - said)
        said, done = said + run + size, end
    return found + [done + at - said for at in wanted[len(found) :]]


def _apart(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """The bytes `start:end` that do not say themselves, and how many bytes they say."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        start = 0
        for text, end in units(raw):
            yield start, end, len(utf8(text))
            start = end
        return
    for escape in ESCAPE.finditer(raw):
        yield *escape.span(), len(utf8(text_of(escape[0])))


def _leaf(token: re.Match[bytes]) -> Leaf:
    if token[1] is None:
        return Leaf(*token.span(), token[0].decode(), quoted=False)
    return Leaf(*token.span(1), text_of(token[1]), quoted=True)


def _is_protocol(leaf: Leaf, found: list[Occurrence], key: bytes, *, is_key: bool) -> bool:
    """Is it a word of the protocol, or a number that is not the value, or too short to be one?"""
    whole = found[0].start == 0 and found[0].end == len(leaf.text)
    if not leaf.quoted:
        return not (whole and leaf.text.isdigit() and len(leaf.text) >= LEAST)
    return whole and (is_key or key in PROTOCOL) and WORD.fullmatch(leaf.text) is not None
