"""Secrets in raw bytes of any kind, without a grammar of what they are: JSON, forms, plain text.

Of JSON all strings are looked at together, which is much faster than one by one; and so the name of
a field stands before its value: `{"password": "..."}`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from llmproxy_core.anomaly.secrets.cut_off import cut_off
from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.masking.masker import Secret

CODE = re.compile(rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u(\w{4})")
PERCENT = re.compile(rb"%[2-7][0-9a-fA-F]")
BACKSLASH, QUOTE = b"\xff", b"\xfe"
"""Bytes that no UTF-8 has; they stand for escapes that are undone last."""
ESCAPES = ((b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\t", b"\t"), (b"\\/", b"/"))
FIELDS = b'",'
"""Between two fields: what is before it is no name of what is behind it."""
SHORTEST = 8
"""Bytes that can have a secret in them."""
LONG = 16
"""Characters of a name that may itself be a secret."""
SILENT = frozenset({int, float, bool, type(None)})
"""What says nothing in a list."""
_decode = json.JSONDecoder(object_pairs_hook=tuple, strict=False).decode
"""Objects are pairs: of a name that comes twice, both values count."""


class RawSecrets:
    """Of one process; not thread-safe."""

    def __init__(self, detector: Secrets) -> None:
        self._detector = detector

    def find(self, data: bytes, name: str = "", *, cut: bool = False) -> list[Secret]:
        """The values in `data`, each once; masked is what `Masker.body` finds of them.

        `name`: of the field of which they are the value. `cut`: they break off, perhaps within a
        secret.
        """
        if len(data) < SHORTEST and not name:
            return []
        view = texts(data, name)
        found = dict.fromkeys(self._in(view, cut))
        if b"%" in view and PERCENT.search(view):
            found |= dict.fromkeys(self._in(unquote_to_bytes(view.replace(b"+", b" ")), cut))
        return list(found)

    def _in(self, view: bytes, cut: bool) -> Iterator[Secret]:
        for one in self._detector.secrets(view):
            yield _secret(f"secret:{one.rule.id}", view[one.start : one.end])
        if cut and (start := cut_off(view)) is not None:
            yield _secret("secret:cut-off", view[start:])


def texts(data: bytes, name: str = "") -> bytes:
    """All that is said in JSON, a field a line; what is none, with its escapes undone."""
    try:
        value = _decode(data.decode("utf-8", "surrogatepass"))
    except (RecursionError, ValueError):
        return unescaped(data)
    lines: list[str] = []
    _say(value, name, lines)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _say(value: Any, name: str, lines: list[str]) -> None:
    """In order, and without recursion: it may be nested as deeply as can be read."""
    todo = [(name, value)]
    while todo:
        name, value = todo.pop()
        if isinstance(value, str):
            lines.append(f'"{name}": "{value}"' if name else f'"{value}"')
        elif isinstance(value, tuple):
            lines += (key for key, _ in value if len(key) >= LONG)
            todo += reversed(value)
        elif isinstance(value, list):
            todo += [(name, one) for one in reversed(value) if one and type(one) not in SILENT]
        elif name and type(value) is int:
            lines.append(f'"{name}": {value}')


def unescaped(data: bytes) -> bytes:
    """With the escapes of JSON undone, and a line's end behind each string that another follows."""
    if b"\\" not in data:
        return data.replace(FIELDS, b'"\n')
    data = data.replace(b"\\\\", BACKSLASH).replace(b'\\"', QUOTE).replace(FIELDS, b'"\n')
    for escape, meaning in ESCAPES:
        data = data.replace(escape, meaning)
    if b"\\u" in data:
        data = CODE.sub(_character, data)
    return data.replace(QUOTE, b'"').replace(BACKSLASH, b"\\")


def _character(code: re.Match[bytes]) -> bytes:
    high, low, one = code.groups()
    try:
        if one is None:
            return bytes.fromhex((high + low).decode()).decode("utf-16-be").encode()
        return chr(int(one, 16)).encode("utf-8", "surrogatepass")
    except ValueError:
        return code[0]


def _secret(label: str, value: bytes) -> Secret:
    return Secret(label, value.decode("utf-8", "replace"))
