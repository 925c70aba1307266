"""What the proxy writes into the spool and the worker reads out of it.

An exchange is one `Opened`, then, once its answer begins, `Answered`, any number of `Piece`s and
one `Closed`; a short answer comes as a single `Closed` that carries all of it. What is imported
comes as one `Whole`. A `Verdict` may follow. Bytes of bodies travel beside the record, as they passed
on the wire (still compressed), or as `redaction` keeps them.

Times are nanoseconds since 1970. `id` is a uuidv7. Credentials have already been replaced.
"""

from typing import Literal

import msgspec

from llmproxy_core.hashing import Hash
from llmproxy_core.model import Headers

type BodyKept = Literal["full", "head", "dropped", "skeleton"]
"""`head`: the body was over `capture.max_body`; only its first bytes are here. `dropped`: the
spool had no room for it; what is here is its beginning, mostly nothing. `skeleton`: without any
text, see `redaction`."""

type Ending = Literal["complete", "client_closed", "server_closed", "error", "killed"]


class Found(msgspec.Struct, array_like=True, frozen=True):
    """A finding, see `anomaly.finding`, and of the text that it is in: who wrote it, its hash.

    `excerpt`: what stands around the evidence, secrets masked; the evidence is its characters
    `start:end`. Empty where no text is to be written.
    """

    detector: str
    family: str
    score: float
    severity: str
    said: str
    author: str
    kind: str
    tool: str
    text_hash: Hash
    excerpt: str
    start: int
    end: int


class Decision(msgspec.Struct, array_like=True, frozen=True):
    """What a policy decided. `mode`: "shadow" if that was not done. `outcome`: what became of it,
    in a word (`blocked`, `redacted`, `waiting`, ...); `why`: for people, nothing secret in it."""

    policy: str
    mode: str
    action: str
    outcome: str
    why: str = ""
    findings: tuple[int, ...] = ()
    """Which of the findings of the judgement; none: those of elements that were there before."""


class Judgement(msgspec.Struct, array_like=True):
    """What was found in a request or an answer that was not there before, and what followed.

    `left`: texts that are still to be judged, by the worker. `faults`: of detectors, in words.
    """

    found: list[Found] = []
    decisions: list[Decision] = []
    left: int = 0
    faults: list[str] = []
    asked: list[str] = []
    """The detectors that were, if not all: the others are still to be, by the worker."""

    @property
    def says(self) -> bool:
        return bool(self.found or self.decisions or self.left or self.faults or self.asked)


class Enhanced(msgspec.Struct, array_like=True, frozen=True):
    """What was done to a request before it was sent, see `enhancing`.

    `applied`: names of transformations, in order. `failed`: what applied and was not done, and why
    the request was left as it was; an experiment is `experiment:ID` here. `arms`: id of each
    experiment that the conversation is in, and its arm: `control`, a variant, `holdout`. `root`:
    what these were drawn from, 16 bytes; empty where there is no experiment. `user`, `system`,
    `tools`: ids of the patterns that were recognised, "" where none was. `kept`: the share of the
    cacheable prefix of the prompt that comes before the first edit; -1: it is not known.
    """

    applied: list[str] = []
    failed: list[tuple[str, str]] = []
    arms: list[tuple[str, str]] = []
    root: bytes = b""
    user: str = ""
    system: str = ""
    tools: str = ""
    kept: float = -1.0

    @property
    def says(self) -> bool:
        return bool(self.applied or self.failed or self.arms)


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """The head of an answer; `at` is the arrival of its headers."""

    at: int
    status: int
    reason: str
    http_version: str
    headers: Headers


class Opened(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """A request, written before it is forwarded. The body travels beside it."""

    id: bytes
    at: int
    namespace: str
    client: str
    """Address and port of the program, as `127.0.0.1:53124`."""
    proxy_user: str | None
    credential: str | None
    """Fingerprint of the provider key, see `hashing.fingerprint`."""
    provider: str
    wire: str
    scheme: str
    host: str
    port: int
    method: str
    path: str
    """Path and query."""
    http_version: str
    headers: Headers
    body_bytes: int
    body_kept: BodyKept
    hash_in: Hash
    hash_out: Hash
    external_id: str | None = None
    """The id it had in the file that it was imported from."""
    prefix: str = ""
    """What was put before the names of the client's tools, see `namespace`."""
    shortened: dict[str, str] = {}
    """Names that had to be shortened for it: as sent -> the client's."""
    left_alone: str = ""
    """Why names stayed as they were although the namespace has a prefix, see `namespace.outgoing`."""
    masked: int = 0
    """Secrets that were replaced in what is written; the hashes are of the bytes that passed."""
    kept_bytes: int = -1
    """Of what is written of the body; -1: as many as passed."""
    judged: Judgement | None = None
    enhanced: Enhanced | None = None


class Answered(msgspec.Struct, array_like=True, frozen=True, tag=2):
    id: bytes
    answer: Answer


class Piece(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """Bytes of an answer. `marks` tells when which of them came: (number of bytes, µs after `at`).

    `again`: they stand for all that was written of the answer before.
    """

    id: bytes
    at: int
    marks: list[tuple[int, int]]
    again: bool = False


class Closed(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """The end of an exchange. `answer` is there if no `Answered` was written before.

    `at` is the last byte; `first_at` the first byte of the body (0: there was none). `marks` is as
    in `Piece`, for the bytes beside this record, the first of which came at `pending_at` (0: there
    are none). `body_bytes` and the hashes are of the whole body.
    """

    id: bytes
    at: int
    ending: Ending
    error: str | None
    answer: Answer | None
    first_at: int
    marks: list[tuple[int, int]]
    body_bytes: int
    body_kept: BodyKept
    hash_in: Hash
    hash_out: Hash
    trailers: Headers
    upload: "Upload | None" = None
    pending_at: int = 0
    masked: int = 0
    kept_bytes: int = -1
    """As in `Opened`."""
    judged: Judgement | None = None
    again: bool = False
    """As in `Piece`, of the bytes beside this record."""


class Upload(msgspec.Struct, array_like=True, frozen=True):
    """What a request body turned out to be that was too large to be kept back before sending."""

    body_bytes: int
    hash_in: Hash
    hash_out: Hash


class Event(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """Something worth knowing that is not an exchange.

    kinds: `proxy_started`, `proxy_stopped`, `tls_failed` (a program does not trust the CA),
    `gap` (what could not be kept: `records`, or `bodies` of records that were, and their `bytes`;
    `reason`: `unwritable`, `damaged`, or the setting that stands in the way, `max_bytes` or
    `min_free_bytes`), `fault` (an addon failed and let the traffic pass), `feedback` (what a person
    says of an earlier answer: `about`, an id of ours or of the provider, `verdict`, `good` or `bad`;
    `by`: hex of the call in whose header it stood, and its `namespace`, both empty if it was none).
    """

    id: bytes
    at: int
    kind: str
    data: dict[str, str | int | float | bool | None]


class Whole(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """An exchange of the past, in one record: what is imported is there whole or not at all.

    The bodies of request and answer travel beside it, one after the other; `request_bytes` is how
    many of the bytes are the request's. `closed.answer` has the head of the answer, if there was one.
    """

    opened: Opened
    closed: Closed
    request_bytes: int

    @property
    def id(self) -> bytes:
        return self.opened.id

    @property
    def at(self) -> int:
        return self.opened.at


class Verdict(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """What was found in a call after its end, where no text is written that others could judge.

    `asked`: in the request, beyond what `Opened` has; `answered`: in the answer.
    """

    id: bytes
    at: int
    namespace: str
    asked: Judgement | None
    answered: Judgement | None


type Record = Opened | Answered | Piece | Closed | Event | Whole | Verdict


def without_body(record: Record) -> Record:
    """The record for a body that is not kept; its length and hashes stay those of the body."""
    if isinstance(record, Opened | Closed):
        return msgspec.structs.replace(record, body_kept="dropped")
    return record


encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Opened | Answered | Piece | Closed | Event | Whole | Verdict)


def decode(data: bytes | memoryview) -> Record:
    """Raises msgspec.DecodeError."""
    record: Record = _decoder.decode(data)
    return record
