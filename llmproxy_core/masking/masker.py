"""Puts marks in the place of secrets, in texts and in raw bodies, before they are written.

A mark is `[secret:aws-access-token:fp_0123456789ab]`: what it is, and a keyed fingerprint by which
equal secrets can be grouped; nothing of the value. It needs no escapes in JSON, and is no secret
to the detectors. In a body a secret is masked in every spelling that it may have there: with
escapes of JSON (once or more), percent-encoded, in base64 (of either alphabet, wherever it begins
in what was encoded) and in hexadecimal.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from llmproxy_core.anomaly.finding import Finding
from llmproxy_core.anomaly.marks import MARK
from llmproxy_core.credentials import Scrubber

SHORT = 6
"""Characters; shorter values are masked only where they stand alone."""
LEAST_BASE64 = 10
"""Characters of base64 that are sure to come from the value."""
ASCII_ESCAPED = re.compile(rb"\\u00[2-7]")
PERCENT = re.compile(rb"%(?:25)*+[2-7][0-9A-Fa-f]")
"""Letters and digits spelled as nobody needs to."""
_IN_ESCAPE = re.compile(rb"(\\+)(u[0-9a-fA-F]{0,3})?\Z")
_ESCAPABLE = b'bfnrt"/\\'
_NUMBER = re.compile(r"[\d .()+-]+")
_STRING = re.compile(rb'"(?:[^"\\\n]|\\.)*"')
_ESCAPED = {'"': rb"\\{0,64}+\"", "/": rb"\\{0,64}+/", "\n": rb"(?:\n|\\{1,64}+n)"}
_ESCAPED |= {"\b": rb"(?:\x08|\\{1,64}+b)", "\f": rb"(?:\x0c|\\{1,64}+f)"}
_ESCAPED |= {"\t": rb"(?:\t|\\{1,64}+t)", "\r": rb"(?:\r|\\{1,64}+r)"}
_ESCAPED |= {" ": rb"(?: |\+|%(?:25)*+20)"}
"""Backslashes are counted to 64, so that a body of nothing else is read in linear time."""


class Secret(NamedTuple):
    """A value that must not be written. `label` as in `secret:aws-access-token`."""

    label: str
    value: str


def secrets_in(text: str, findings: Iterable[Finding]) -> list[Secret]:
    """The values that findings rest on."""
    return [Secret(label(one), text[one.start : one.end]) for one in findings]


def label(finding: Finding) -> str:
    return f"{finding.family}:{finding.detector.rpartition('.')[2]}"


class Masker:
    """Makes fingerprints with the home's key."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def mark(self, secret: Secret) -> str:
        """Of a mark it is the mark itself."""
        if MARK.fullmatch(secret.value):
            return secret.value
        value = secret.value.encode("utf-8", "backslashreplace").decode()  # lone surrogates
        return f"[{secret.label}:{self._scrubber.mark(value)}]"

    def text(self, text: str, findings: Sequence[Finding]) -> str:
        """The text with what was found replaced."""
        kept, at = list[str](), 0
        for one in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
            if one.end <= at:
                continue
            start = max(at, one.start)
            kept += text[at:start], self.mark(Secret(label(one), text[start : one.end]))
            at = one.end
        return "".join([*kept, text[at:]])

    def body(self, body: bytes, secrets: Iterable[Secret]) -> bytes:
        """A body with these values masked wherever they occur; JSON stays JSON.

        Also lines of JSON, events of a stream, forms, plain text. Linear in the body for each
        secret.
        """
        return self.counted(body, secrets)[0]

    def counted(self, body: bytes, secrets: Iterable[Secret]) -> tuple[bytes, int]:
        """The same, and how many values were replaced. Without any it is the same object."""
        count = 0
        for secret in sorted(set(secrets), key=lambda one: -len(one.value)):
            if secret.value:
                body, times = self._without(body, secret)
                count += times
        return body, count

    def _without(self, body: bytes, secret: Secret) -> tuple[bytes, int]:
        pattern = spellings(secret.value)
        if not (may_have(body, secret.value) and pattern.search(body)):
            return body, 0
        mark = self.mark(secret).encode()
        if _NUMBER.fullmatch(secret.value):
            masked = _numbers_masked(body, pattern, mark)
        else:
            masked = pattern.sub(lambda found: _instead(found, mark), body)
        return masked, masked.count(mark) - body.count(mark)


def may_have(body: bytes, value: str) -> bool:
    """Cheap, and wrong only if it says yes."""
    if not value.isascii() or ASCII_ESCAPED.search(body) or PERCENT.search(body):
        return True
    if value.isalnum() or (value.isprintable() and not set(value) & set('"/\\ ')):
        return value.encode() in body or _may_have_encoded(body, value)
    return True


def _may_have_encoded(body: bytes, value: str) -> bool:
    return any(needle in body for needle in _needles(value))


@lru_cache(maxsize=256)
def _needles(value: str) -> tuple[bytes, ...]:
    """What a body has in it that has the value in base64 or hexadecimal."""
    data = value.encode("utf-8", "surrogatepass")
    cores = {core for shift in range(3) for core in _cores(data, shift)}
    parts = {max(core.split(rb"\\{0,64}/"), key=len).replace(rb"\+", b"+") for core in cores}
    return (*parts, data.hex().encode(), data.hex().upper().encode())


@lru_cache(maxsize=256)
def spellings(value: str) -> re.Pattern[bytes]:
    """Finds a value in raw bytes, however it is spelled there."""
    runs = ("".join(run) for _, run in groupby(value, key="\\".__eq__))
    plain = b"".join(_backslashes(run) if run[0] == "\\" else _spelled_all(run) for run in runs)
    if len(value) < SHORT:
        return re.compile(rb"(?<![A-Za-z0-9])(?:%b)(?![A-Za-z0-9])" % plain, re.DOTALL)
    return re.compile(rb"%b|%b" % (plain, _encoded(value).pattern), re.DOTALL)


@lru_cache(maxsize=256)
def _encoded(value: str) -> re.Pattern[bytes]:
    data = value.encode("utf-8", "surrogatepass")
    cores = {core for shift in range(3) for core in _cores(data, shift)}
    cores.add(b"(?i:" + data.hex().encode() + b")")
    ordered = sorted(cores, key=_longest_first)
    return re.compile(b"|".join(ordered))


def _longest_first(core: bytes) -> tuple[int, bytes]:
    return -len(core), core


def _cores(data: bytes, shift: int) -> Iterable[bytes]:
    """The base64 that stems from these bytes alone, if `shift` others stand before them."""
    first = -(-8 * shift // 6)
    last = 8 * (shift + len(data)) // 6
    if last - first < LEAST_BASE64:
        return
    core = b64encode(b"\0" * shift + data + b"\0\0")[first:last]
    yield core.replace(b"+", rb"\+").replace(b"/", rb"\\{0,64}/")
    yield core.replace(b"+", b"-").replace(b"/", b"_")


def _backslashes(run: str) -> bytes:
    """Escaped, each is two, four, eight ..."""
    each = rb"(?:\\(?:u(?i:005c))?+|%(?:25)*+(?i:5c))"
    return each + b"{%d,%d}" % (len(run), 16 * len(run))


def _spelled_all(text: str) -> bytes:
    return b"".join(map(_spelled, text))


def _spelled(char: str) -> bytes:
    raw = char.encode("utf-8", "surrogatepass")
    ways = [_ESCAPED.get(char) or re.escape(raw)]
    units = char.encode("utf-16-be", "surrogatepass")
    ways.append(
        b"".join(
            rb"\\{1,64}+u(?i:%b)" % units[at : at + 2].hex().encode()
            for at in range(0, len(units), 2)
        )
    )
    ways.append(b"".join(rb"%%(?:25)*+(?i:%02x)" % byte for byte in raw))
    return b"(?:" + b"|".join(ways) + b")"


def _instead(found: re.Match[bytes], mark: bytes) -> bytes:
    """The mark, after what completes an escape of JSON that the match seems to begin in."""
    text, start = found.string, found.start()
    before = _IN_ESCAPE.search(text, max(0, start - 64), start)
    if before is None or len(before[1]) % 2 == 0:
        return mark
    if before[2] is not None:
        keep = 5 - len(before[2])
    else:
        keep = 5 if text[start : start + 1] == b"u" else text[start] in _ESCAPABLE
    return found[0] if keep >= len(found[0]) else found[0][:keep] + mark


def _numbers_masked(body: bytes, pattern: re.Pattern[bytes], mark: bytes) -> bytes:
    """A number may stand outside the strings of a JSON text: there the mark needs quotes."""
    lines = []
    for line in body.split(b"\n"):
        if pattern.search(line):
            kept, at = list[bytes](), 0
            for string in _STRING.finditer(line):
                kept.append(pattern.sub(b'"%b"' % mark, line[at : string.start()]))
                kept.append(pattern.sub(lambda found: _instead(found, mark), string[0]))
                at = string.end()
            line = b"".join([*kept, pattern.sub(b'"%b"' % mark, line[at:])])
        lines.append(line)
    return b"\n".join(lines)
