"""Masks whole bodies, of which most was there before: only what is new is looked through.

A conversation repeats all its turns with every request. So what secrets an element of a body has is
kept by its content hash, and what is written in its place, too. A secret that one element tells,
by a name before it, is masked in all the others of the same body.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from llmproxy_core.anomaly.elements import Element, elements
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.masking.raw_secrets import RawSecrets
from llmproxy_core.providers.wide import wide_encoding
from llmproxy_core.spans.recent import Recent

REMEMBERED = 16_384
"""Elements of which is known what secrets they have."""
LEAST = 16
"""Bytes of an element that is known by its hash; smaller ones are looked at with what is around."""
MOST = 256
"""Secrets of a body that are masked in all of it."""

type Secrets = tuple[Secret, ...]
NONE: Secrets = ()


class MaskedBody(NamedTuple):
    """`body`: the same object where nothing was masked. `masked`: values that were replaced."""

    body: bytes
    masked: int
    secrets: Secrets


class _Known:
    """What is known of a part of a body: `secrets` in it, and what was written `under` which."""

    __slots__ = ("count", "secrets", "under", "written")

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.under: Secrets = NONE
        self.written = b""
        self.count = 0


class _Part(NamedTuple):
    start: int
    end: int
    known: _Known


class BodyMasker:
    """Not thread-safe. Raises nothing but what is a fault of ours."""

    def __init__(self, find: RawSecrets, masker: Masker) -> None:
        self._find = find
        self._masker = masker
        self._known: Recent[tuple[str, Hash], _Known] = Recent(REMEMBERED)

    def masked(self, body: bytes, also: Iterable[Secret] = (), *, cut: bool = False) -> MaskedBody:
        """A body without content codings. `also`: secrets from elsewhere. `cut`: see RawSecrets."""
        if (narrow := _narrow(body)) is not body:
            out = self.masked(narrow, also, cut=cut)
            return out if out.masked else out._replace(body=body)
        parts = [*self._parts(body)]
        rest = _rest(body, parts)
        found = dict.fromkeys(also)
        for one in (*(part.known for part in parts), self._look(rest, "", cut=cut)):
            if one.secrets:
                found |= dict.fromkeys(one.secrets)
        if not found:
            return MaskedBody(body, 0, NONE)
        secrets = tuple(found)[:MOST]
        written, count = self._written(body, parts, secrets)
        return MaskedBody(written if count else body, count, secrets)

    def _parts(self, body: bytes) -> Iterator[_Part]:
        at = 0
        for element in elements(body, LEAST):
            if not element.path or len(memoryview(element.raw)) < LEAST:
                continue
            raw = bytes(element.raw)
            if (start := _place(body, raw, at)) >= 0:
                at = start + len(raw)
                yield _Part(start, at, self._element(element, raw))

    def _element(self, element: Element, raw: bytes) -> _Known:
        name = element.path[-1]
        known = self._known.get((name, element.hash))
        if known is None:
            known = _Known(tuple(self._find.find(raw, name)))
            self._known[name, element.hash] = known
        return known

    def _look(self, data: bytes, name: str, *, cut: bool) -> _Known:
        key = (name, content_hash(data))
        known = None if cut else self._known.get(key)
        if known is None:
            known = _Known(tuple(self._find.find(data, name, cut=cut)))
            if not cut:
                self._known[key] = known
        return known

    def _written(self, body: bytes, parts: Sequence[_Part], secrets: Secrets) -> tuple[bytes, int]:
        around = self._masker.counted(_rest(body, parts), secrets)[1] > 0
        kept, at, count = list[bytes](), 0, 0
        for start, end, known in parts:
            piece = body[at:start]
            if around:
                piece, times = self._masker.counted(piece, secrets)
                count += times
            kept += piece, self._part(body[start:end], known, secrets)
            count += known.count
            at = end
        piece, times = self._masker.counted(body[at:], secrets)
        return b"".join([*kept, piece]), count + times

    def _part(self, raw: bytes, known: _Known, secrets: Secrets) -> bytes:
        if known.under != secrets:
            fresh = _fresh(known.under, secrets)
            before = known.written if fresh and known.count else raw
            written, count = self._masker.counted(before, fresh or secrets)
            known.count = count + (known.count if fresh else 0)
            known.written = written if known.count else b""
            known.under = secrets
        return known.written if known.count else raw


def _narrow(body: bytes) -> bytes:
    """In UTF-8; the same object if it is."""
    encoding = wide_encoding(body)
    return body.decode(encoding, "replace").encode() if encoding else body


def _fresh(before: Secrets, now: Secrets) -> Secrets:
    """What has come to those that are masked already; none: all are to be looked for anew, as
    they are others, or one has an earlier one in it."""
    if not before or before != now[: len(before)]:
        return NONE
    fresh = now[len(before) :]
    inside = any(old.value in new.value for new in fresh for old in before)
    return NONE if inside else fresh


def _place(body: bytes, raw: bytes, at: int) -> int:
    """Where it stands, from there on: mostly behind a comma and perhaps a blank."""
    for start in (at + 1, at + 2):
        if body.startswith(raw, start):
            return start
    return body.find(raw, at)


def _rest(body: bytes, parts: Sequence[_Part]) -> bytes:
    """What is around the parts: names, and small values."""
    if not parts:
        return body
    at, kept = 0, list[bytes]()
    for part in parts:
        kept.append(body[at : part.start])
        at = part.end
    return b"".join([*kept, body[at:]])
