"""What screens and commands read of calls, as plain values: ORM objects do not leave `store/`.

Times are aware datetimes (UTC), durations milliseconds, sizes bytes, costs USD.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.store.call_rows import (
    FlowState,
    RequestRow,
    ResponseRow,
    StreamDelta,
    ToolCallRow,
)


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
