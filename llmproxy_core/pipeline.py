"""One LLM call on its way through the proxy: open, answer, seal. No I/O, no mitmproxy.

An Exchange turns what the hooks see into the records of `records.py`. It is fed in the order of
the wire; who feeds it writes what it returns. Bodies are kept as the bytes that passed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uuid_utils
import xxhash

from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.enhancing.call import Place
from llmproxy_core.enhancing.naming import Listener
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.masking.excerpts import unsaid
from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.masking.kept import KeptAnswer
from llmproxy_core.metering.metering import Reserved
from llmproxy_core.model import Headers
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.policies.approvals import Hold
from llmproxy_core.policies.ruling import Ruling
from llmproxy_core.records import (
    Answer,
    Answered,
    BodyKept,
    Closed,
    Ending,
    Enhanced,
    Judgement,
    Opened,
    Piece,
    Upload,
)
from llmproxy_core.redaction.wire import Redacted
from llmproxy_core.rewriting import Rewriting
from llmproxy_core.withholding import bare_heads

HEAD_BYTES = 64 * 2**10
"""What is kept of a body over `capture.max_body`."""

EMPTY = content_hash(b"")


@dataclass(slots=True)
class Head:
    """The head of a request, credentials replaced; the fields are those of `records.Opened`."""

    client: str
    proxy_user: str | None
    credential: str | None
    provider: str
    wire: str
    scheme: str
    host: str
    port: int
    method: str
    path: str
    http_version: str
    headers: Headers
    namespace: str = "default"
    prefix: str = ""
    shortened: dict[str, str] = field(default_factory=dict)
    left_alone: str = ""


@dataclass(slots=True)
class Body:
    """Bytes that pass: counted and hashed all, kept up to a limit.

    Over the limit only the head is kept, whatever was taken out before.
    """

    limit: int
    size: int = 0
    kept: int = 0
    over: bool = False
    _hasher: xxhash.xxh3_128 | None = None

    def add(self, chunk: bytes) -> bytes:
        """Count a chunk; the part of it that is kept."""
        if self._hasher is None:
            self._hasher = xxhash.xxh3_128()
        self._hasher.update(chunk)
        self.size += len(chunk)
        if self.size > self.limit:
            self.over = True
            room = max(0, min(HEAD_BYTES, self.limit) - self.kept)
            chunk = chunk[:room]
        self.kept += len(chunk)
        return chunk

    @property
    def hash(self) -> Hash:
        return EMPTY if self._hasher is None else self._hasher.digest()


class Exchange:
    """The proxy's side of one call; lives from the request's headers to the end of the answer.

    `max_body` in bytes. Times are nanoseconds since 1970.
    """

    __slots__ = (
        "answer",
        "answer_told",
        "closed",
        "copy",
        "delivered",
        "enhanced",
        "expected",
        "facts",
        "head",
        "hold",
        "id",
        "judged",
        "judgement",
        "keeper",
        "kept",
        "listener",
        "max_body",
        "naming",
        "opened",
        "opened_at",
        "owns_slot",
        "place",
        "recorded",
        "redacted",
        "request_hash",
        "reserved",
        "response",
        "rewrite",
        "rule",
        "ruling",
        "told_masked",
        "upload",
        "waits",
    )

    def __init__(self, head: Head, max_body: int) -> None:
        self.head = head
        self.max_body = max_body
        self.id = uuid_utils.uuid7().bytes
        self.opened_at = time.time_ns()
        self.opened = False
        self.closed = False
        self.request_hash: Hash | None = None
        self.upload: Body | None = None
        self.answer: Answer | None = None
        self.answer_told = False
        self.response = Body(max_body)
        self.rule = Namespace(head.namespace)
        """The namespace of the call."""
        self.judged: Judged | None = None
        """What was found in the request; None: it was not looked at."""
        self.facts: dict[str, Any] = {}
        """What policies know of the request, see `policies.facts`."""
        self.hold: Hold | None = None
        """It waits for a person before it is sent; None: it does not."""
        self.ruling: Ruling | None = None
        """What policies want to be changed of the request; None: nothing."""
        self.redacted: Redacted | None = None
        """The request as it is sent without values, and what placeholders stand for."""
        self.reserved: Reserved | None = None
        """What limits have set aside for it."""
        self.judgement = Judgement()
        """What is written of that, and of what policies decided, with the next record that can."""
        self.enhanced: Enhanced | None = None
        """What was changed of the request, and the experiments that it is in; None: nothing."""
        self.place: Place | None = None
        """In which conversation the request is; None: nobody asks."""
        self.listener: Listener | None = None
        """Who wants to know the id of the answer."""
        self.keeper: Keeper | None = None
        """What is written of the bytes; None: all of them."""
        self.recorded = True
        """Is anything of it written at all?"""
        self.naming: Naming | None = None
        """Names of the request that are put back in the answer."""
        self.rewrite: Rewriting | None = None
        """What the client gets instead of the bytes that come; None: these."""
        self.owns_slot = True
        """Does nobody else take part in streaming the answer?"""
        self.waits = False
        """Is the answer waited for, and rewritten as a whole?"""
        self.delivered: Body | None = None
        """What the client got, where that is something else."""
        self.copy: list[bytes] | None = None
        """The bytes of the answer, up to `max_body`, for who wants them at its end; None: nobody."""
        self.expected = -1
        """The bytes after which the client knows that it has all of the answer, if it counts."""
        self.kept = KeptAnswer()
        """What is to be written of the answer."""
        self.told_masked = 0
        """Of what the keeper masked, what has been told."""

    def open(self, body: bytes, hash_in: Hash) -> tuple[Opened, list[bytes]]:
        """The request as it is forwarded; `hash_in` is of the body as it came."""
        over = len(body) > self.max_body
        kept = body[: min(HEAD_BYTES, self.max_body)] if over else body
        return self._opened(len(body), kept, over, hash_in, content_hash(body))

    def open_upload(self, declared_bytes: int, start: bytes) -> tuple[Opened, list[bytes]]:
        """A request too large to wait for; `start` is the first of it. See `Closed.upload`."""
        return self._opened(declared_bytes, start, True, EMPTY, EMPTY)

    def open_frames(self, body: Body, kept: bytes) -> tuple[Opened, list[bytes]]:
        """The frames of a WebSocket by which a turn begins; they have been counted."""
        kept = kept[: min(HEAD_BYTES, self.max_body)] if body.over else kept
        return self._opened(body.size, kept, body.over, body.hash, body.hash)

    def answered(self, answer: Answer) -> None:
        self.answer = answer
        if self.keeper is not None:
            self.keeper.answer(answer.status, answer.headers)
            if self.keeper.skeleton:
                self.answer = bare_heads.answer(answer)

    def feed(self, chunk: bytes) -> None:
        """Bytes of the answer, as they pass."""
        kept = self.response.add(chunk)
        if self.copy is not None and not self.response.over:
            self.copy.append(chunk)
        if self.listener is not None:
            self.listener.hear(chunk)
            if self.listener.over:
                self.listener = None
        self.kept.add(kept, time.time_ns())

    def deliver(self, data: bytes) -> bytes:
        """Bytes for the client, where they are not those that came."""
        if self.delivered is None:
            self.delivered = Body(0)
        self.delivered.add(data)
        return data

    def pieces(self) -> list[tuple[Answered | Piece, Sequence[bytes]]]:
        """What has come since the last time, to be written now because it is still going on."""
        records: list[tuple[Answered | Piece, Sequence[bytes]]] = []
        if self.answer is not None and not self.answer_told:
            self.answer_told = True
            records.append((Answered(self.id, self.answer), ()))
        taken = self.kept.take(self.keeper)
        if taken.at:
            records.append((Piece(self.id, taken.at, taken.marks, taken.again), taken.chunks))
        return records

    def close(
        self, ending: Ending, error: str | None = None, trailers: Headers | None = None
    ) -> tuple[Closed, Sequence[bytes]]:
        """The end, with whatever has not been written before."""
        self.closed = True
        upload, response = self.upload, self.response
        taken = self.kept.take(self.keeper, ending == "complete" and not response.over)
        masked = self._masked()
        record = Closed(
            id=self.id,
            at=time.time_ns(),
            ending=ending,
            error=error,
            answer=None if self.answer_told else self.answer,
            first_at=self.kept.first_at,
            pending_at=taken.at,
            marks=taken.marks,
            body_bytes=response.size,
            body_kept=self._how_kept(response.over, masked, self.kept.size < response.size),
            hash_in=response.hash,
            hash_out=response.hash if self.delivered is None else self.delivered.hash,
            trailers=self._trailers(trailers or []),
            upload=None if upload is None else Upload(upload.size, upload.hash, upload.hash),
            masked=masked,
            kept_bytes=-1 if self.keeper is None else self.kept.size,
            judged=self._told(),
            again=taken.again,
        )
        return record, taken.chunks

    def _opened(
        self, size: int, body: bytes, cut: bool, hash_in: Hash, hash_out: Hash
    ) -> tuple[Opened, list[bytes]]:
        """`size`: of the body of which `body` is kept, unless the keeper has something against it."""
        self.opened = True
        head, kept = self.head, body
        if self.keeper is not None:
            kept = self.keeper.request(head.headers, body, cut=cut)
        masked = self._masked()
        bare = self.keeper is not None and self.keeper.skeleton
        record = Opened(
            id=self.id,
            at=self.opened_at,
            namespace=head.namespace,
            client=head.client,
            proxy_user=head.proxy_user,
            credential=head.credential,
            provider=head.provider,
            wire=head.wire,
            scheme=head.scheme,
            host=head.host,
            port=head.port,
            method=head.method,
            path=bare_heads.path(head.path) if bare else head.path,
            http_version=head.http_version,
            headers=bare_heads.headers(head.headers) if bare else head.headers,
            body_bytes=size,
            body_kept=self._how_kept(cut, masked, len(kept) < len(body)),
            hash_in=hash_in,
            hash_out=hash_out,
            prefix=head.prefix,
            shortened=head.shortened,
            left_alone=head.left_alone,
            masked=masked,
            kept_bytes=-1 if self.keeper is None else len(kept),
            judged=self._told(),
            enhanced=self.enhanced,
        )
        return record, [kept]

    def _how_kept(self, cut: bool, masked: int, less: bool) -> BodyKept:
        """`less`: it is shorter than what passed."""
        if cut:
            return "head"
        if self.keeper is not None and self.keeper.skeleton:
            return "skeleton"
        return "dropped" if self.keeper is not None and less and not masked else "full"

    def _trailers(self, trailers: Headers) -> Headers:
        bare = self.keeper is not None and self.keeper.skeleton
        return bare_heads.trailers(trailers) if bare else trailers

    def _masked(self) -> int:
        """Secrets that were masked since this was asked for."""
        before = self.told_masked
        self.told_masked = self.keeper.masked if self.keeper is not None else 0
        return self.told_masked - before

    def _told(self) -> Judgement | None:
        if not self.judgement.says:
            return None
        told, self.judgement = self.judgement, Judgement()
        if self.keeper is not None and self.keeper.skeleton:
            told.decisions = unsaid(told.decisions)
        return told
