"""What the worker writes of calls, as plain values; what screens and commands read is in `flows`.

Times are aware datetimes (UTC), durations milliseconds, sizes bytes, costs USD.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from llmproxy_core.model import Headers, Json
from llmproxy_core.namespace.client_names import ClientNames

type Relation = Literal["root", "append", "retry", "branch", "compaction", "subagent"]
"""What a request is to its parent."""

type FlowState = Literal["open", "complete", "partial", "failed"]
"""open: no answer yet, or still streaming. partial: the answer was cut short. failed: there was
no whole answer at all, or the provider answered with an error."""


@dataclass(slots=True)
class RequestRow:
    """One request; written when it is seen, never changed."""

    ns_id: int
    id: UUID
    session_id: UUID
    started_at: datetime
    client: str
    user_agent: str | None
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
    model: str | None
    stream: bool
    n_messages: int
    tool_names: list[str]
    parameters: dict[str, Json]
    preview: str
    """The first 120 characters of what was said last, in one line."""
    body: bytes
    """As it passed; compressed by the store, not by the caller."""
    body_bytes: int
    body_kept: str
    hash_in: bytes
    hash_out: bytes
    parse_error: str | None = None
    external_id: str | None = None
    """The id it had in the file that it was imported from."""
    parent_id: UUID | None = None
    """The request that this one continues."""
    relation: Relation = "root"
    parent_call: str | None = None
    """The id of the tool call that a sub-agent carries out."""
    head: bytes | None = None
    """The prefix hash over all of its canonical messages, 16 bytes."""
    rereadable: bool = False
    """`parameters` and `tool_names` are what `providers` reads in the body: not stored again."""
    namespace_prefix: str | None = None
    """What was put before the names of the client's tools: the names in it are those with it."""
    shortened: dict[str, str] | None = None
    """Names that were too long for it: as sent -> the client's."""
    left_alone: str | None = None
    """Why names stayed as they were, though the namespace has a prefix."""

    @property
    def client_names(self) -> ClientNames:
        return ClientNames(self.namespace_prefix or "", self.shortened or {})


@dataclass(slots=True)
class ResponseRow:
    """One answer; written when it has ended. Has the id of its request."""

    ns_id: int
    id: UUID
    state: FlowState
    ended_at: datetime
    status: int | None = None
    reason: str | None = None
    http_version: str | None = None
    headers: Headers = field(default_factory=list)
    trailers: Headers = field(default_factory=list)
    head_ms: float | None = None
    """From the request to the answer's headers."""
    first_byte_ms: float | None = None
    first_token_ms: float | None = None
    duration_ms: float | None = None
    model: str | None = None
    response_id: str | None = None
    finish_reasons: list[str] = field(default_factory=list)
    text: str = ""
    reasoning: str = ""
    refusal: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage: Json = None
    cost_usd: Decimal | None = None
    cost_source: str | None = None
    cost_confidence: str | None = None
    error_type: str | None = None
    error: str | None = None
    n_events: int = 0
    body: bytes = b""
    """As it passed on the wire, content-encoding included."""
    body_bytes: int = 0
    body_kept: str = "full"
    hash_in: bytes = b"\0" * 16
    hash_out: bytes = b"\0" * 16
    upload_bytes: int | None = None
    upload_hash_in: bytes | None = None
    upload_hash_out: bytes | None = None
    estimated: bool = False
    """The client hung up, or the provider told no usage: tokens and cost are estimates."""
    rereadable: bool = False
    """`text`, `reasoning`, `usage` and the tool calls are what `providers` reads in the body: not
    stored again."""
    words: bytes | None = None
    """Those of its call, as `words.packed` makes them; set by the store, where they are kept here."""


@dataclass(slots=True)
class ToolCallRow:
    ns_id: int
    request_id: UUID
    ordinal: int
    call_id: str | None
    name: str
    arguments: str


@dataclass(slots=True)
class SessionDelta:
    """What a batch adds to a session; the store creates the session or adds to it."""

    ns_id: int
    id: UUID
    external_id: str | None
    """The id the client itself gave; None: found by client and time."""
    source: str
    """Where `external_id` came from, e.g. `x-claude-code-session-id`, or `gap`."""
    client: str
    user_agent: str | None
    provider: str
    model: str | None
    title: str
    """First words of the first user message; kept from the first batch that has one."""
    at: datetime
    requests: int = 0
    responses: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    flow: UUID | None = None
    """The flow whose request or answer this counts, so that it can be taken out with it."""


@dataclass(slots=True)
class EventRow:
    """A row of analytics_events: see `records.Event` for the kinds."""

    ns_id: int
    id: UUID
    at: datetime
    kind: str
    request_id: UUID | None
    data: dict[str, Json]


@dataclass(slots=True)
class StreamDelta:
    """Text of an answer that is still being written. Gone once the ResponseRow is there."""

    ns_id: int
    request_id: UUID
    seq: int
    kind: str
    text: str


@dataclass(slots=True)
class SearchRow:
    """The words of what is new in a call: hashes, see `words`."""

    ns_id: int
    id: UUID
    words: list[int]


@dataclass(slots=True)
class Contribution:
    """What a call that has ended, and has this id, adds to the rollups of its hour."""

    ns_id: int
    id: UUID
    hour: datetime
    """The one in which the request began."""
    provider: str
    model: str
    client: str
    asked: str | None = None
    """The model that the request named."""
    answered: str | None = None
    """The one that the answer named."""
    error: bool = False
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    duration_ms: float | None = None
    first_token_ms: float | None = None


@dataclass(slots=True)
class OffsetRow:
    """How far a writer's journal is stored. `replay_*`: where the oldest open exchange begins."""

    writer: str
    segment: int
    offset: int
    replay_segment: int
    replay_offset: int
