"""A recording -> the record of the spool. Credentials are replaced and secrets masked here, as the
proxy does it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import islice
from uuid import UUID

from msgspec.structs import replace

from llmproxy_core.credentials import Scrubber
from llmproxy_core.hashing import content_hash
from llmproxy_core.interchange import wires
from llmproxy_core.interchange.incoming import times
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.withholding import withheld
from llmproxy_core.masking.heads import Heads
from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.masking.masked import Masked
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.model import Headers, header
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.providers.recognise import Match, Recogniser
from llmproxy_core.records import Answer, BodyKept, Closed, Ending, Opened, Whole
from llmproxy_core.withholding.capture import Mode
from llmproxy_core.worker.identity import dated

ENDINGS: dict[str, Ending] = {
    "complete": "complete",
    "client_closed": "client_closed",
    "server_closed": "server_closed",
    "error": "error",
    "killed": "killed",
}
SCHEMES = {"wss": "https", "ws": "http"}
DEFAULT_PORTS = {"http": 80}
MS = 10**6
REMEMBERED = 100_000
MOST_NAMES, LONGEST_NAME = 1000, 1024
LARGEST = 2**63 - 1
"""What a record and the store have room for."""


class Exchanges:
    """Makes the records of one file. The same file always gives the same ids.

    `modified_at` (ns since 1970) dates what the file itself has no time of, a millisecond apart.
    `masking`: None: secrets stay as they are. `mode`: what is kept of the calls of a provider.
    """

    def __init__(
        self,
        scrubber: Scrubber,
        recogniser: Recogniser,
        namespace: str,
        modified_at: int,
        masking: SecretMasking | None = None,
        mode: Callable[[str], Mode] = lambda _: "full",
    ) -> None:
        self._scrubber = scrubber
        self._heads = Heads(scrubber, masking)
        self._masking = masking
        self._mode = mode
        self._recogniser = recogniser
        self._namespace = namespace
        self._modified_at = modified_at
        self._now = time.time_ns()
        self._number = 0
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def record(self, recording: Recording) -> tuple[Whole, list[bytes]] | Skipped:
        """The record and the bytes that travel beside it; Skipped for what is no LLM call."""
        self._number += 1
        place = _Place(recording.url)
        match = self._match(recording, place)
        if match is None:
            reason = f"not an LLM call: {recording.method[:16]} {place.host[:100]}"
            return Skipped(recording.place, self._told(reason), damaged=False)
        mode = self._mode(match.provider)
        if mode == "off":
            return Skipped(recording.place, "not kept (capture = off)", damaged=False)
        bodies = [recording.request_body or b"", recording.response_body or b""]
        at = times.told(recording, self._now) or self._modified_at + self._number * MS
        id = (recording.id or self._id(recording, at, bodies)).bytes
        opened = self._opened(id, at, recording, place, match, bodies[0])
        closed = self._closed(id, at, recording, bodies[1])
        if mode == "metadata":
            opened, closed, bodies = withheld(opened, closed, bodies)
        elif self._masking is not None:
            opened, closed, bodies = _masked(self._masking, opened, closed, bodies)
        return Whole(opened, closed, len(bodies[0])), bodies

    def _match(self, recording: Recording, place: "_Place") -> Match | None:
        """What the URL says, else what the file says: recorders blot out hosts."""
        path = place.path.partition("#")[0]
        upgrade = header(recording.request_headers, "upgrade") or ""
        if recording.method != "GET" or upgrade.lower() == "websocket" or recording.status == 101:
            for host in (place.host, *recording.other_hosts):
                if match := self._recogniser.match(host, place.port, recording.method, path):
                    return match
        if not recording.wire:
            return None
        provider = wires.our_provider(recording.provider) if recording.provider else "other"
        return Match(provider, wires.ours(recording.wire))

    def _id(self, recording: Recording, at: int, bodies: list[bytes]) -> UUID:
        """From what it is. Equal calls without ids of their own are told apart by counting."""
        parts = [recording.method, recording.url, recording.status, *map(_digest, bodies)]
        id = dated(at, self._namespace, recording.external_id or "", *parts)
        if recording.external_id:
            return id
        times_seen = self._seen[id.bytes] = self._seen.pop(id.bytes, 0) + 1
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return id if times_seen == 1 else dated(at, id.hex, times_seen)

    def _opened(
        self, id: bytes, at: int, found: Recording, place: "_Place", match: Match, body: bytes
    ) -> Opened:
        digest = content_hash(body)
        return Opened(
            id=id,
            at=at,
            namespace=self._namespace,
            client=self._told(found.client[:200]),
            proxy_user=None,
            credential=self._scrubber.credential(found.request_headers, place.path),
            provider=match.provider,
            wire=match.wire,
            scheme=place.scheme,
            host=self._told(place.host[:255]),
            port=place.port,
            method=self._told(found.method[:32]),
            path=self._heads.path(_clean(place.path)),
            http_version=_clean(found.http_version[:32]),
            headers=self._headers(found.request_headers),
            body_bytes=_size(body, found.request_bytes),
            body_kept=_kept(found.request_body, found.request_bytes),
            hash_in=digest,
            hash_out=digest,
            external_id=self._told(found.external_id[:200]) if found.external_id else None,
            prefix=_clean(found.prefix[:32]),
            shortened=self._names(found.shortened),
            left_alone=_clean(found.left_alone[:32]),
        )

    def _closed(self, id: bytes, at: int, found: Recording, body: bytes) -> Closed:
        digest = content_hash(body)
        first_at = _time(found.first_at)
        ended_at = max(at, first_at, _time(found.ended_at))
        return Closed(
            id=id,
            at=ended_at,
            ending=ENDINGS.get(found.ending, "complete" if found.status else "error"),
            error=self._told(found.error[:1000]) if found.error else None,
            answer=self._answer(found, at) if found.status else None,
            first_at=first_at if body else 0,
            marks=[(len(body), 0)] if body else [],
            body_bytes=_size(body, found.response_bytes),
            body_kept=_kept(found.response_body, found.response_bytes),
            hash_in=digest,
            hash_out=digest,
            trailers=self._headers(found.trailers),
            pending_at=_time(found.first_token_at) if body else 0,
        )

    def _answer(self, found: Recording, at: int) -> Answer:
        return Answer(
            at=_time(found.first_at) or at,
            status=found.status,
            reason=self._told(found.reason[:200]),
            http_version=_clean(found.http_version[:32]),
            headers=self._headers(found.response_headers),
        )

    def _headers(self, headers: Headers) -> Headers:
        return self._heads.headers([(_clean(name), _clean(value)) for name, value in headers])

    def _names(self, shortened: Mapping[str, str]) -> dict[str, str]:
        some = islice(shortened.items(), MOST_NAMES)
        return {_clean(sent[:128]): self._told(name[:LONGEST_NAME]) for sent, name in some}

    def _told(self, text: str) -> str:
        return _clean(self._heads.text(text))


class _Place:
    """A URL in its parts, whatever it looks like: recorders write `<aws_region>` into hosts."""

    __slots__ = ("host", "path", "port", "scheme")

    def __init__(self, url: str) -> None:
        scheme, mark, rest = url.partition("://")
        if not mark:
            scheme, rest = "https", url
        end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
        place, path = rest[:end].rpartition("@")[2], rest[end:]
        host, colon, port = place.rpartition(":")
        if not (colon and port.isascii() and port.isdigit() and len(port) < 6):
            host, port = place, ""
        self.scheme = SCHEMES.get(scheme.lower(), scheme.lower()[:16])
        self.host = host.lower() or "unknown"
        self.port = min(int(port or DEFAULT_PORTS.get(self.scheme, 443)), 65535)
        self.path = path if path.startswith("/") else f"/{path}"


def _masked(
    masking: SecretMasking, opened: Opened, closed: Closed, bodies: list[bytes]
) -> tuple[Opened, Closed, list[bytes]]:
    """What is written of them; hashes and sizes stay those of the bodies."""
    keeper: Keeper = Masked(masking)
    keeper = keeper.frames() if opened.wire in FRAMED else keeper
    asked = keeper.request(opened.headers, bodies[0], cut=opened.body_kept != "full")
    told = keeper.masked
    if closed.answer is not None:
        keeper.answer(closed.answer.status, closed.answer.headers)
    answered = keeper.feed(bodies[1]) if bodies[1] else b""
    rest = keeper.finish(complete=closed.ending == "complete" and closed.body_kept == "full")
    answered = rest if keeper.again else answered + rest
    masked = keeper.masked - told
    opened = replace(opened, masked=told, kept_bytes=len(asked))
    closed = replace(closed, masked=masked, kept_bytes=len(answered))
    if answered:
        closed = replace(closed, marks=[(len(answered), 0)])
    if not told and len(asked) < len(bodies[0]):  # its content coding cannot be undone
        opened = replace(opened, body_kept="dropped")
    if not masked and len(answered) < len(bodies[1]):
        closed = replace(closed, body_kept="dropped", marks=closed.marks if answered else [])
    return opened, closed, [asked, answered]


def _digest(body: bytes) -> str:
    return content_hash(body).hex()


def _size(body: bytes, told: int | None) -> int:
    return max(len(body), min(told or 0, LARGEST))


def _time(at: int) -> int:
    """0 for what no clock of ours can show."""
    return at if 0 <= at <= LARGEST else 0


def _kept(body: bytes | None, told: int | None) -> BodyKept:
    return "head" if body is None or (told or 0) > len(body) else "full"


def _clean(text: str) -> str:
    """Without halves of characters, which no record can hold."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
