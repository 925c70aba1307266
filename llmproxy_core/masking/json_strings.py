"""What stands between the quotes of a JSON string, as text, and which bytes each character is.

Takes anything: bad escapes stand for themselves, bytes that are no UTF-8 for U+FFFD.
"""

import re

import msgspec

UNIT = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]"
    rb"|\\",
    re.DOTALL,
)
_MEANING = {
    b"\\n": "\n",
    b"\\t": "\t",
    b"\\r": "\r",
    b"\\b": "\b",
    b"\\f": "\f",
}
_decode = msgspec.json.Decoder(str).decode


def unescaped(raw: bytes) -> str:
    """The text of a JSON string, given the bytes between its quotes."""
    if b"\\" not in raw:
        return raw.decode("utf-8", "replace")
    try:
        return _decode(b'"%b"' % raw)
    except (msgspec.MsgspecError, ValueError):
        return "".join(text for text, _ in units(raw))


def units(raw: bytes) -> list[tuple[str, int]]:
    """Each character with the byte behind it. A pair of surrogates is one character."""
    found: list[tuple[str, int]] = []
    at = 0
    while at < len(raw):
        if raw[at] == 0x5C:
            unit = UNIT.match(raw, at)
            end = unit.end() if unit else at + 1
            found.append((_meaning(raw[at:end]), end))
            at = end
            continue
        end = raw.find(b"\\", at)
        end = len(raw) if end < 0 else end
        found += _plain(raw[at:end], at)
        at = end
    return found


def spliced(raw: bytes, cuts: list[tuple[int, int, str]]) -> bytes:
    """`raw` with characters `start:end` replaced, each by a text that needs no escapes.

    `cuts` in order and apart.
    """
    ends = [0, *(end for _, end in units(raw))]
    kept, at = list[bytes](), 0
    for start, end, instead in cuts:
        kept += raw[at : ends[start]], instead.encode()
        at = ends[end]
    return b"".join([*kept, raw[at:]])


def _plain(raw: bytes, base: int) -> list[tuple[str, int]]:
    text = raw.decode("utf-8", "replace")
    if len(text) == len(raw):
        return [(char, base + at) for at, char in enumerate(text, 1)]
    found, at = list[tuple[str, int]](), base
    for char in text:
        at += len(char.encode()) if char != "\ufffd" else _bad(raw[at - base :])
        found.append((char, at))
    return found


def _bad(rest: bytes) -> int:
    """How many bytes became this U+FFFD: its own three, or those that are no UTF-8."""
    if rest.startswith(b"\xef\xbf\xbd"):
        return 3
    try:
        rest[:4].decode()
    except UnicodeDecodeError as error:
        return max(1, error.end - error.start)
    return 1


def _meaning(escape: bytes) -> str:
    if escape in _MEANING:
        return _MEANING[escape]
    if len(escape) == 12:
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if len(escape) == 6:
        return chr(int(escape[2:], 16))
    return escape[1:].decode("latin-1") if len(escape) == 2 else "\\"
