"""One text that comes in pieces, and how much of it is settled: masked, and fit to be written.

A secret has no blank and no quote in it (those that do are known by how they begin): so what stands
behind the last blank or quote may still become one, and all before it is settled. Detectors see the
text with `CONTEXT` characters before what is new, as a name before a value tells what it is. Where
no blank comes for `LIMIT` characters, it is cut at other signs; a run without any is base64, or a
secret of that length, which is masked until it ends.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from llmproxy_core.masking.masker import Secret, may_have, spellings

CONTEXT = 1024
LIMIT = 4096
FARTHEST = 16 * 1024
"""Characters that are looked at again, while a secret of many lines goes on."""
TAIL = 512
"""What is kept back of a long run that is no secret: one may begin in it."""

ENDS = re.compile(r"[\s\"'`]")
SOFT_ENDS = re.compile(r"[^A-Za-z0-9+/=_.~%:@\-]")
OPEN = re.compile(
    r"(?:(?i:(?:auth|logged_in|nonce)_(?:key|salt)['\"]\s{0,20},\s{0,20}['\"]"
    r"|key=\"(?:cleartext)?password\"\s{0,4}value=\")(?=[^'\n]{0,200}\Z)"
    r"|\b(?=ZXlK[A-Za-z0-9/\\_+=\-\s]{0,200}\Z))"
)
"""Values with blanks in them, begun and not ended."""
OPENING = ("_key", "_salt", "value=", "zxlk")
LONGEST_OPEN = 300
MOST_KNOWN = 512
NEAR = 256
"""Characters before what is new in which a known secret may begin."""
CODED = re.compile(r"[A-Za-z0-9+/_-]{10}|\\u|%[2-7]|\\[^nrt]")
"""Without this nothing is in base64, or escaped."""


class Found(NamedTuple):
    """Characters `start:end` of a text that must not be written, and what they are."""

    start: int
    end: int
    label: str


type Find = Callable[[str, bool], Iterable[Found]]
"""What is to be masked in a text; the flag: it may be cut off at its end, in a secret."""


class Mask(NamedTuple):
    """Characters from the beginning of the channel; `label` empty: the rest of the one before."""

    start: int
    end: int
    label: str
    value: str


class Known:
    """Secrets that are known beforehand, or were found in another text: at most MOST_KNOWN."""

    __slots__ = ("_secrets", "parted")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets: dict[Secret, None] = {}
        self.parted: list[Secret] = []
        """Those with a blank or a quote in them, over which one has to wait."""
        for secret in secrets:
            self.add(secret)

    @property
    def secrets(self) -> Iterable[Secret]:
        return self._secrets

    def add(self, secret: Secret) -> bool:
        """Was it not known before?"""
        if secret in self._secrets or len(self._secrets) >= MOST_KNOWN or not secret.value:
            return False
        self._secrets[secret] = None
        if ENDS.search(secret.value):
            self.parted.append(secret)
        return True

    def found(self, text: str, fresh: int, end: int) -> Iterator[Found]:
        """Them in what is new of a text, also in other spellings."""
        if not self._secrets:
            return
        start = max(0, fresh - NEAR)
        new = text[start:end]
        spelled = CODED.search(new)
        for secret in self._secrets:
            if secret.value in new or spelled:
                yield from _spelled(secret, new, start)


def _spelled(secret: Secret, text: str, base: int) -> Iterator[Found]:
    data = text.encode("utf-8", "surrogatepass")
    if not may_have(data, secret.value):
        return
    for found in spellings(secret.value).finditer(data):
        start = base + len(data[: found.start()].decode("utf-8", "replace"))
        yield Found(start, start + len(found[0].decode("utf-8", "replace")), secret.label)


class Channel:
    """Offsets count from the beginning of the text; characters before `settled` can be written."""

    __slots__ = (
        "_base",
        "_find",
        "_known",
        "_masked",
        "_seen",
        "_swallows",
        "_text",
        "fed",
        "masks",
        "settled",
    )

    def __init__(self, find: Find, known: "Known | None" = None) -> None:
        self._find = find
        self._known = known or Known()
        self._text = ""
        self._base = 0
        self._masked = 0
        self._seen = 0
        self._swallows = False
        self.settled = 0
        self.fed = 0
        """When it last went on, as whoever feeds it counts."""
        self.masks: list[Mask] = []
        """In order and apart; who writes them takes them away."""

    @property
    def end(self) -> int:
        return self._base + len(self._text)

    def add(self, text: str) -> None:
        self._text += text

    def settle(self, final: bool = False, cut_off: bool = False) -> None:
        """Look at what is new; `final`: no more comes; `cut_off`: although it should."""
        fresh = self.settled - self._base
        if fresh == len(self._text):
            return
        if self._swallows:
            fresh = self._swallow(fresh)
        cut = len(self._text) if final else self._cut(fresh)
        if cut <= fresh and len(self._text) - fresh > LIMIT:
            cut = self._forced_cut(fresh)
            if cut == fresh:
                self._mask_run(fresh)
        if cut > fresh:
            self._mask(fresh, cut, self._found(fresh, cut, cut_off))

    def _cut(self, fresh: int) -> int:
        """Where the last piece begins that may still become a secret."""
        text = self._text
        at = self._last_end(fresh)
        if at > fresh:
            tail = text[-LONGEST_OPEN:].lower()
            if any(word in tail for word in OPENING) and (
                begun := OPEN.search(text, max(0, len(text) - LONGEST_OPEN))
            ):
                at = min(at, begun.end())
        return min([at, *(self._begun(secret.value, at) for secret in self._known.parted)])

    def _last_end(self, fresh: int) -> int:
        """Behind the last blank or quote; what was looked at before has none."""
        at, least = len(self._text), max(fresh, self._seen - self._base)
        while at > least and not ENDS.match(self._text, at - 1):
            at -= 1
        if at > least:
            return at
        self._seen = self.end
        return fresh

    def _begun(self, value: str, at: int) -> int:
        """Where a known value begins in which a cut at `at` would be, or the end of the text is."""
        text = self._text
        last = text.rfind(value, max(0, at - len(value)))
        if 0 <= last < at < last + len(value):
            return last
        for size in range(min(len(value) - 1, len(text)), 0, -1):
            if text.endswith(value[:size]):
                return min(at, len(text) - size)
        return at

    def _forced_cut(self, fresh: int) -> int:
        at = len(self._text)
        while at > fresh and not SOFT_ENDS.match(self._text, at - 1):
            at -= 1
        return at

    def _mask_run(self, fresh: int) -> None:
        """A run of LIMIT characters without any end: a secret of that length, or base64."""
        size = len(self._text)
        found = self._found(fresh, size, False)
        self._swallows = any(one.end == size for one in found)
        self._mask(fresh, size if self._swallows else max(fresh, size - TAIL), found)

    def _found(self, fresh: int, end: int, cut_off: bool) -> list[Found]:
        found = [*self._find(self._text[:end], cut_off), *self._known.found(self._text, fresh, end)]
        return sorted(found, key=lambda one: (one.start, -one.end))

    def _mask(self, fresh: int, cut: int, found: list[Found]) -> None:
        written = len(self._text[:cut].rstrip())
        going_on = [one.start for one in found if one.end >= written]
        for one in found:
            self._note(one, fresh, min(one.end, cut))
        self.settled = self._base + cut
        self._forget(cut, min(going_on, default=cut))

    def _note(self, one: Found, fresh: int, end: int) -> None:
        """Mask what has not been settled before."""
        start = max(one.start, fresh, self._masked - self._base)
        if end <= start:
            return
        continues = one.start < fresh and self._masked > self._base + one.start
        label, value = ("", "") if continues else (one.label, self._text[one.start : end])
        self._add_mask(Mask(self._base + start, self._base + end, label, value))

    def _add_mask(self, mask: Mask) -> None:
        self.masks.append(mask)
        self._masked = mask.end

    def _swallow(self, fresh: int) -> int:
        """The rest of a run whose beginning was a secret."""
        found = ENDS.search(self._text, fresh)
        end = found.start() if found else len(self._text)
        self._swallows = found is None
        if end > fresh:
            self._add_mask(Mask(self._base + fresh, self._base + end, "", ""))
            self.settled = self._base + end
        return end

    def _forget(self, cut: int, going_on: int) -> None:
        keep = max(cut - FARTHEST, min(cut - CONTEXT, going_on), 0)
        if keep:
            self._text = self._text[keep:]
            self._base += keep
