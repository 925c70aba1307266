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

BEGUN = {b"[": b'{"":[', b":": b'{"":'}
"""What makes the end of a body a whole one, by the last byte before it; mostly, that is the end of
an element."""

type Span = tuple[int, int]


def elements(body: bytes, done: int = 0) -> list[Span]:
    """Places of the values worth a cut, in order; none of them overlaps another.

    `done`: the end of one of them, or of what is between them; only what follows is looked at.
    """
    if not done:
        return _cut(body, len(BOM) if body.startswith(BOM) else 0) or []
    begun = BEGUN.get(body[done - 1 : done], b'{"":[0')
    if (found := _cut(begun + body[done:], 0)) is not None:
        return [(start + done - len(begun), end + done - len(begun)) for start, end in found]
    return [span for span in elements(body) if span[0] >= done]


def long_strings(data: bytes, least: int) -> Iterator[Span]:
    """The contents of JSON strings of `least` bytes or more, without their quotes."""
    if len(data) >= least:
        for found in STRING.finditer(data):
            start, end = found.span(1)
            if end - start >= least:
                yield start, end


def _cut(text: bytes, start: int) -> list[Span] | None:
    """None: it is no object."""
    found: list[Span] = []
    if _object(text, text[start:], start, found, NESTED):
        return found
    if STRANGE.search(text):
        text = STRANGE.sub(_harmless, text)
        if _object(text, text[start:], start, found, NESTED):
            return found
    return None


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
