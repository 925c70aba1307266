"""Where a request's body is cut: around the elements of its arrays, and long strings in them.

Any cut is right, since the pieces are joined again as they were; good cuts are those between
which a later request has the same bytes. Bodies that are not JSON are not cut.
"""

import re
from collections.abc import Iterator

import msgspec

WORTH = 128
"""Bytes of a value that is worth a cut."""
NESTED = 3
"""Levels of objects that are opened: Gemini's are sometimes in an envelope."""
LONG_ELEMENT = 16_384
HEAD = 24
BOM = b"\xef\xbb\xbf"
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
STRING = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
STRANGE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}|NaN|Infinity")
"""What JSON readers refuse and some clients write: lone surrogates, numbers that are none."""

type Span = tuple[int, int]


def elements(body: bytes) -> list[Span]:
    """Places of the values worth a cut, in order; none of them overlaps another."""
    start = len(BOM) if body.startswith(BOM) else 0
    found: list[Span] = []
    if not _object(body, body[start:], start, found, NESTED) and STRANGE.search(body):
        masked = STRANGE.sub(_harmless, body)
        _object(masked, masked[start:], start, found, NESTED)
    return found


def long_strings(data: bytes, least: int) -> Iterator[Span]:
    """The contents of JSON strings of `least` bytes or more, without their quotes."""
    if len(data) >= least:
        for found in STRING.finditer(data):
            start, end = found.span(1)
            if end - start >= least:
                yield start, end


def _object(text: bytes, raw: bytes, at: int, found: list[Span], levels: int) -> bool:
    """Adds the values of an object that begins at or after `at`; False if it is none."""
    try:
        values = OBJECT.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return False
    for value in values.values():
        data = bytes(value)
        start = _place(text, data, at)
        if start < 0:
            break  # of a repeated key: it stands elsewhere
        at = start + len(data)
        if len(data) >= WORTH:
            _value(text, data, start, found, levels)
    return True


def _value(text: bytes, data: bytes, start: int, found: list[Span], levels: int) -> None:
    first = data[:1]
    if first == b"[":
        _array(text, data, start, found, levels)
    elif first == b"{" and levels > 1:
        _object(text, data, start, found, levels - 1)
    else:
        found.append((start, start + len(data)))


def _array(text: bytes, data: bytes, at: int, found: list[Span], levels: int) -> None:
    try:
        values = ARRAY.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return
    for value in values:
        element = bytes(value)
        start = _place(text, element, at)
        at = start + len(element)
        if len(element) >= LONG_ELEMENT and levels > 1 and element[:1] == b"{":
            _object(text, element, start, found, 1)
        elif len(element) >= WORTH:
            found.append((start, at))


def _place(text: bytes, data: bytes, at: int) -> int:
    """As `text.find`, which prepares long for a long needle; here it is mostly quite near."""
    start = text.find(data[:HEAD], at)
    if start < 0 or text.startswith(data, start):
        return start
    return text.find(data, start)


def _harmless(found: re.Match[bytes]) -> bytes:
    """A valid text of the same length."""
    return b"\\u0041" if found[0][:1] == b"\\" else b"1e" + b"1" * (len(found[0]) - 2)
