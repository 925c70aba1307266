"""Where known values stand in bytes, in every spelling that `masking` knows."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from string import ascii_letters
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from llmproxy_core.masking.json_strings import unescaped
from llmproxy_core.masking.masker import LEAST_BASE64, SHORT, Secret, spellings

RUN = re.compile(r"[A-Za-z0-9]+")
LEAST_RUN = 3
ESCAPED = re.compile(rb"\\u00(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])")
PERCENT = re.compile(rb"%(?:25)*+(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])")
"""Letters and digits as nobody needs to spell them."""
PER_CHARACTER = 14
"""Bytes that a character may take, and some around."""
DIGITS = b"0123456789"
WORDS = DIGITS + ascii_letters.encode()
DEEPEST = 3
"""JSON within JSON, of a value without a word."""
IN_ESCAPE = re.compile(rb"(\\+)(u[0-9a-fA-F]{0,3})?\Z")
ESCAPABLE = [bytes([char]) for char in b'bfnrt"/\\']


class Occurrence(NamedTuple):
    """The bytes `start:end`. `coded`: in base64 or hexadecimal, in the midst of other text."""

    start: int
    end: int
    secret: Secret
    coded: bool = False


class Sought:
    """`secrets`: of equal values the first counts. Also what they are without escapes: arguments of
    tools are found in JSON that was written anew."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._values: dict[str, Secret] = {}
        for one in secrets:
            for value in readings(one.value):
                self._values.setdefault(value, one._replace(value=value))

    def __len__(self) -> int:
        return len(self._values)

    def found(self, data: bytes) -> list[Occurrence]:
        """In order and apart. Where two overlap, it is one that has all of both."""
        odd = bool(PERCENT.search(data) or (b"\\u00" in data and ESCAPED.search(data)))
        found = [one for secret in self._values.values() for one in _occurrences(data, secret, odd)]
        return _apart(sorted(found, key=lambda one: (one.start, -one.end)))


def readings(value: str) -> list[str]:
    """A value, and what it may have been before it was put into JSON."""
    found = [value] if value else []
    while found and "\\" in found[-1] and len(found) < DEEPEST:
        plain = unescaped(utf8(found[-1]))
        if plain == found[-1]:
            break
        found.append(plain)
    return found


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _occurrences(data: bytes, secret: Secret, odd: bool) -> Iterator[Occurrence]:
    value, known = secret.value, coded(secret.value)
    digits = value.isdigit() and value.isascii()
    for start, end in _spelled(data, value, odd):
        if data[start:end] in known:
            yield Occurrence(start, end, secret, coded=True)
        elif not (digits and (_is(DIGITS, data, start - 1) or _is(DIGITS, data, end))):
            yield Occurrence(start + _escape(data, start), end, secret)
    for core in known:
        at = data.find(core)
        while at >= 0:
            yield Occurrence(at, at + len(core), secret, coded=True)
            at = data.find(core, at + len(core))


def _spelled(data: bytes, value: str, odd: bool) -> Iterator[tuple[int, int]]:
    """Plain, escaped or percent-encoded. `odd`: letters and digits may be so, too."""
    run = max(RUN.findall(value), key=len, default="")
    if len(run) < LEAST_RUN:
        yield from _written(data, value)
        return
    windows: Iterable[tuple[int, int]] = [(0, len(data))]
    if not odd:
        windows = _around(data, run.encode(), PER_CHARACTER * len(value) + 8)
    for first, last in windows:
        for found in spellings(value).finditer(data, first, last):
            yield found.span()


def _written(data: bytes, value: str) -> Iterator[tuple[int, int]]:
    """Of a value without a word in it: as programs write it."""
    forms = {
        value,
        quote(value, safe="", errors="surrogatepass"),
        quote_plus(value, errors="ignore"),
    }
    for plainly in (True, False):
        form = value
        for _ in range(DEEPEST):
            form = json.dumps(form, ensure_ascii=plainly)[1:-1]
            forms.add(form)
    alone = len(value) < SHORT
    known = [form.encode("utf-8", "surrogatepass") for form in sorted(forms, key=len, reverse=True)]
    for one in known:
        at = data.find(one)
        while at >= 0:
            end = at + len(one)
            if not (alone and (_is(WORDS, data, at - 1) or _is(WORDS, data, end))):
                yield at, end
            at = data.find(one, end)


def _around(data: bytes, run: bytes, reach: int) -> Iterator[tuple[int, int]]:
    first = last = -1
    at = data.find(run)
    while at >= 0:
        if at - reach > last:
            if last >= 0:
                yield first, last
            first = max(0, at - reach)
        last = min(len(data), at + reach)
        at = data.find(run, at + len(run))
    if last >= 0:
        yield first, last


@lru_cache(maxsize=1024)
def coded(value: str) -> frozenset[bytes]:
    """What is sure to stem from the value in base64, wherever it begins there, and in hexadecimal."""
    data = value.encode("utf-8", "surrogatepass")
    if len(value) < SHORT:
        return frozenset()
    found = {data.hex().encode(), data.hex().upper().encode()}
    for shift in range(3):
        first, last = -(-8 * shift // 6), 8 * (shift + len(data)) // 6
        if last - first >= LEAST_BASE64:
            core = b64encode(b"\0" * shift + data + b"\0\0")[first:last]
            found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
            found.add(core.replace(b"/", b"\\/"))
    return frozenset(found)


def _is(among: bytes, data: bytes, at: int) -> bool:
    return 0 <= at < len(data) and data[at] in among


def _escape(data: bytes, start: int) -> int:
    """How many bytes at `start` belong to an escape of JSON that begins before them."""
    begun = IN_ESCAPE.search(data, max(0, start - 64), start)
    if begun is None or len(begun[1]) % 2 == 0:
        return 0
    if begun[2] is not None:
        return 5 - len(begun[2])
    if data[start : start + 1] == b"u":
        return 5
    return 1 if data[start : start + 1] in ESCAPABLE else 0


def _apart(found: Iterable[Occurrence]) -> list[Occurrence]:
    apart: list[Occurrence] = []
    for one in found:
        if one.start >= one.end or (apart and one.end <= apart[-1].end):
            continue
        if apart and one.start < apart[-1].end:
            before = apart.pop()
            one = Occurrence(before.start, one.end, before.secret)
        apart.append(one)
    return apart
