"""The rows of the store as plain values: what the worker writes and what screens and commands read.

ORM objects do not leave `store/`. Times are aware datetimes (UTC), durations milliseconds, sizes
bytes, costs USD.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from llmproxy_core.model import Headers, Json
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.store.learning_rows import Lessons

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
class AnomalyRow:
    """A finding as the worker writes it; the same one again (`ns_id`, `detector`, `text_hash`, the
    span and the excerpt) is counted, not stored. `id`: a uuidv7 of the time of the call. See
    `anomaly.finding` and `records.Found`."""

    ns_id: int
    id: UUID
    request_id: UUID
    """The call in which it was found."""
    side: Literal["request", "response"]
    at: datetime
    detector: str
    family: str
    score: float
    severity: str
    author: str
    kind: str
    tool: str
    said: str
    excerpt: str
    """Without secrets; the evidence is its characters `mark_start:mark_end`."""
    mark_start: int
    mark_end: int
    text_hash: bytes


@dataclass(slots=True)
class DecisionRow:
    """What a policy decided about a call, see `records.Decision`. The same one has the same id,
    however often it is read."""

    ns_id: int
    id: UUID
    policy: str
    request_id: UUID
    at: datetime
    mode: str
    action: str
    outcome: str
    why: str
    side: Literal["request", "response"] = "request"
    findings: list[UUID] = field(default_factory=list)
    """Ids of anomalies, those of the same batch or of stored ones."""


@dataclass(slots=True)
class ApprovalRow:
    """A call that waits for a person, or what became of it: a later state comes in place of
    `waiting`, and of a decision nothing."""

    ns_id: int
    request_id: UUID
    policy: str
    asked_at: datetime
    expires_at: datetime
    said: str
    state: Literal["waiting", "approved", "denied", "expired"] = "waiting"
    tool: str = ""
    """Whose call was held; empty: the request waits."""


@dataclass(slots=True)
class UnjudgedRow:
    """A call with texts that the worker of `home` is still to judge; `request`: also its request."""

    ns_id: int
    id: UUID
    home: str
    request: bool


@dataclass(slots=True)
class DeliveryRow:
    """What is to be told to a webhook. `anomaly`: the one that it tells of: nothing is told if that
    was stored before, and is only counted."""

    ns_id: int
    id: UUID
    home: str
    webhook: str
    event: str
    body: str
    at: datetime
    anomaly: UUID | None = None


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


@dataclass(slots=True)
class Batch:
    """What one transaction of the worker writes, offsets included: all of it or nothing."""

    requests: list[RequestRow] = field(default_factory=list)
    responses: list[ResponseRow] = field(default_factory=list)
    tool_calls: list[ToolCallRow] = field(default_factory=list)
    sessions: list[SessionDelta] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    deltas: list[StreamDelta] = field(default_factory=list)
    search: list[SearchRow] = field(default_factory=list)
    rollups: list[Contribution] = field(default_factory=list)
    anomalies: list[AnomalyRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    approvals: list[ApprovalRow] = field(default_factory=list)
    unjudged: list[UnjudgedRow] = field(default_factory=list)
    judged: list[tuple[int, UUID]] = field(default_factory=list)
    """Of what was `unjudged` before."""
    deliveries: list[DeliveryRow] = field(default_factory=list)
    lessons: Lessons = field(default_factory=Lessons)
    offsets: list[OffsetRow] = field(default_factory=list)
    finished_writers: list[str] = field(default_factory=list)
    """Journals that are stored whole and will be removed: their offset rows go, too."""


@dataclass(slots=True)
class Flow:
    """A line of the feed: a request and, once it has ended, its answer."""

    ns_id: int
    namespace: str
    id: UUID
    session_id: UUID
    started_at: datetime
    state: FlowState
    client: str
    user_agent: str | None
    proxy_user: str | None
    credential: str | None
    provider: str
    wire: str
    host: str
    method: str
    path: str
    model: str | None
    """The model that answered, else the one asked for."""
    request_model: str | None
    stream: bool
    n_messages: int
    preview: str
    body_bytes: int
    request_changed: bool
    parse_error: str | None
    status: int | None = None
    finish_reasons: list[str] = field(default_factory=list)
    text_start: str = ""
    """The first 120 characters of the answer, in one line."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: Decimal | None = None
    cost_confidence: str | None = None
    first_byte_ms: float | None = None
    first_token_ms: float | None = None
    duration_ms: float | None = None
    n_tool_calls: int = 0
    response_bytes: int | None = None
    response_changed: bool = False
    error_type: str | None = None
    error: str | None = None
    tool_names: list[str] = field(default_factory=list)
    """Of the tools that the answer calls."""
    estimated: bool = False
    """Tokens and cost are estimates."""
    namespace_prefix: str | None = None
    """Part of `tool_names`, not of the client's."""
    shortened: dict[str, str] | None = None
    """As sent -> the client's; only of an answer that calls tools."""
    left_alone: str | None = None
    client_tool_names: list[str] = field(default_factory=list)
    """`tool_names` as the client has them."""

    def __post_init__(self) -> None:
        if self.tool_names and not self.client_tool_names:
            names = ClientNames(self.namespace_prefix or "", self.shortened or {})
            self.client_tool_names = names.all(self.tool_names)


@dataclass(slots=True)
class FlowDetail:
    """Everything about one flow. `live` holds what has been streamed so far if it is open."""

    flow: Flow
    request: RequestRow
    response: ResponseRow | None
    tool_calls: list[ToolCallRow]
    previous_id: UUID | None
    """The request before it in the same session, if there is one."""
    live: list[StreamDelta]


@dataclass(slots=True)
class Session:
    ns_id: int
    namespace: str
    id: UUID
    external_id: str | None
    source: str
    client: str
    user_agent: str | None
    provider: str
    model: str | None
    title: str
    started_at: datetime
    last_at: datetime
    requests: int
    responses: int
    errors: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Decimal
    starred: bool = False
    """Kept whatever the retention says."""


@dataclass(slots=True)
class Summary:
    """The whole store in a few numbers, for a status bar."""

    requests: int
    responses: int
    errors: int
    sessions: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    last_minute: int
    """Requests that began in the last 60 seconds."""
    open: int
    """Of those of the last hour: not answered yet."""
    lost_records: int
    """Told in `gap` events: what could not be written to the spool."""
    refused_rows: int
    """Told in `row_refused` events."""
    lost_bodies: int = 0
    """Of calls that were kept without, told in `gap` events."""


@dataclass(slots=True)
class Change:
    """What a NOTIFY says: ids of flows that began, streamed or ended in one batch; of anomalies that
    were found or whose status changed, and of calls that wait for a person or no longer do.
    `learning`: of patterns, enhancements and experiments of which there is news; NEWS: of others.

    `overflow`: there were too many to name; read again from the last id known. It is also how
    the first message after a reconnect looks.
    """

    started: list[UUID] = field(default_factory=list)
    streamed: list[UUID] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    events: list[UUID] = field(default_factory=list)
    anomalies: list[UUID] = field(default_factory=list)
    approvals: list[UUID] = field(default_factory=list)
    learning: list[UUID] = field(default_factory=list)
    overflow: bool = False
    flows: list[Flow] = field(default_factory=list)
    """Some of `started` and `ended` as they are now, where one process reads for many."""
