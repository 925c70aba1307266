"""The tables of calls: sessions, requests, answers, what is counted of them, journals as far as stored."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, Integer, PrimaryKeyConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from llmproxy_core.store.namespace_tables import NamespaceTable
from llmproxy_core.store.table import (
    Body,
    Buckets,
    Bytes,
    Counts,
    Hash,
    Json,
    Millis,
    Names,
    NamespaceId,
    Table,
    Time,
    Tokens,
    Usd,
)


class SessionTable(Table):
    __tablename__ = "sessions"
    ns_id: Mapped[NamespaceId] = mapped_column(ForeignKey(NamespaceTable.ns_id))
    id: Mapped[UUID]
    external_id: Mapped[str | None]
    source: Mapped[str]
    client: Mapped[str]
    user_agent: Mapped[str | None]
    provider: Mapped[str]
    model: Mapped[str | None]
    title: Mapped[str]
    started_at: Mapped[Time]
    last_at: Mapped[Time]
    requests: Mapped[Tokens]
    responses: Mapped[Tokens]
    errors: Mapped[Tokens]
    input_tokens: Mapped[Tokens]
    output_tokens: Mapped[Tokens]
    cached_tokens: Mapped[Tokens]
    cost_usd: Mapped[Usd]
    starred: Mapped[bool] = mapped_column(server_default=sql("false"))
    __table_args__ = (PrimaryKeyConstraint("ns_id", "id"), Index(None, "ns_id", "last_at"))


class RequestTable(Table):
    """A week that has grown also has indexes by model and by head: see the migration 0008."""

    __tablename__ = "requests"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    session_id: Mapped[UUID]
    started_at: Mapped[Time]
    client: Mapped[str]
    user_agent: Mapped[str | None]
    proxy_user: Mapped[str | None]
    credential: Mapped[str | None]
    provider: Mapped[str]
    wire: Mapped[str]
    scheme: Mapped[str | None]
    host: Mapped[str]
    port: Mapped[int | None]
    method: Mapped[str]
    path: Mapped[str]
    http_version: Mapped[str | None]
    model: Mapped[str | None]
    stream: Mapped[bool]
    n_messages: Mapped[int]
    tool_names: Mapped[Names | None]
    preview: Mapped[str]
    body_bytes: Mapped[Bytes]
    body_kept: Mapped[str | None]
    hash_in: Mapped[Hash | None]
    hash_out: Mapped[Hash]
    parse_error: Mapped[str | None]
    headers: Mapped[Json | None]
    parameters: Mapped[Json | None]
    body_encoding: Mapped[str | None]
    body: Mapped[Body | None]
    external_id: Mapped[str | None]
    parent_id: Mapped[UUID | None]
    relation: Mapped[str] = mapped_column(server_default="root")
    parent_call: Mapped[str | None]
    head: Mapped[Hash | None]
    base_id: Mapped[UUID | None]
    namespace_prefix: Mapped[str | None]
    shortened: Mapped[Hash | None]
    left_alone: Mapped[str | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "session_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class ResponseTable(Table):
    """`text_start`, `tool_names` (of the calls) and `n_tool_calls` are what the feed shows.

    `words`: what of the call is searched for, in a week that is small, see `words.packed`.
    """

    __tablename__ = "responses"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    state: Mapped[str]
    ended_at: Mapped[Time]
    status: Mapped[int | None]
    reason: Mapped[str | None]
    http_version: Mapped[str | None]
    head_ms: Mapped[Millis | None]
    first_byte_ms: Mapped[Millis | None]
    first_token_ms: Mapped[Millis | None]
    duration_ms: Mapped[Millis | None]
    model: Mapped[str | None]
    response_id: Mapped[str | None]
    finish_reasons: Mapped[Names]
    text_start: Mapped[str]
    n_tool_calls: Mapped[int]
    tool_names: Mapped[Names]
    input_tokens: Mapped[Tokens | None]
    output_tokens: Mapped[Tokens | None]
    cached_tokens: Mapped[Tokens | None]
    cache_write_tokens: Mapped[Tokens | None]
    reasoning_tokens: Mapped[Tokens | None]
    cost_usd: Mapped[Usd | None]
    cost_source: Mapped[str | None]
    cost_confidence: Mapped[str | None]
    error_type: Mapped[str | None]
    error: Mapped[str | None]
    n_events: Mapped[int]
    body_bytes: Mapped[Bytes]
    body_kept: Mapped[str | None]
    hash_in: Mapped[Hash | None]
    hash_out: Mapped[Hash]
    upload_bytes: Mapped[Bytes | None]
    upload_hash_in: Mapped[Hash | None]
    upload_hash_out: Mapped[Hash | None]
    headers: Mapped[Json | None]
    trailers: Mapped[Json | None]
    usage: Mapped[Any] = mapped_column(JSON, nullable=True)
    text: Mapped[str | None]
    reasoning: Mapped[str | None]
    refusal: Mapped[str | None]
    body_encoding: Mapped[str | None]
    body: Mapped[Body | None]
    base_id: Mapped[UUID | None]
    estimated: Mapped[bool] = mapped_column(server_default=sql("false"))
    words: Mapped[Body | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        # only what `previous_response_id` may name
        Index(None, "ns_id", "response_id", postgresql_where=sql("response_id LIKE 'resp%'")),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class ToolCallTable(Table):
    __tablename__ = "tool_calls"
    ns_id: Mapped[NamespaceId]
    request_id: Mapped[UUID]
    ordinal: Mapped[int]
    call_id: Mapped[str | None]
    name: Mapped[str]
    arguments_start: Mapped[str]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "ordinal"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )


class EventTable(Table):
    __tablename__ = "analytics_events"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    at: Mapped[Time]
    kind: Mapped[str]
    request_id: Mapped[UUID | None]
    data: Mapped[Json]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "kind", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class BlobTable(Table):
    """What documents are made of, once per week: a week is dropped with its blobs."""

    __tablename__ = "blobs"
    ns_id: Mapped[NamespaceId]
    epoch: Mapped[int]
    hash: Mapped[Hash]
    data: Mapped[Body]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "epoch", "hash"),
        {"postgresql_partition_by": "RANGE (epoch)"},
    )


class OffsetTable(Table):
    __tablename__ = "spool_offsets"
    writer: Mapped[str] = mapped_column(primary_key=True)
    segment: Mapped[Bytes]
    offset: Mapped[Bytes]
    replay_segment: Mapped[Bytes]
    replay_offset: Mapped[Bytes]


class StreamDeltaTable(Table):
    """UNLOGGED: lost in a crash of the server, which is fine for text still being written."""

    __tablename__ = "stream_deltas"
    ns_id: Mapped[NamespaceId]
    request_id: Mapped[UUID]
    seq: Mapped[int]
    kind: Mapped[str]
    text: Mapped[str]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "seq"),
        {"prefixes": ["UNLOGGED"]},
    )


class SearchTable(Table):
    """The words of what is new in a call, see `words`, in weeks that have grown."""

    __tablename__ = "search"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    words: Mapped[Any] = mapped_column(ARRAY(Integer))
    __table_args__ = ({"postgresql_partition_by": "RANGE (id)"},)
    __mapper_args__ = {"primary_key": ("ns_id", "id")}  # noqa: RUF012 - the mapper's, not the table's


class ModelTable(Table):
    """Which model answered for which, as far as has been seen: '' where none was named. A row of
    two stars: there were too many names to keep them all."""

    __tablename__ = "models"
    ns_id: Mapped[NamespaceId]
    asked: Mapped[str]
    answered: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "asked", "answered"),)


class ShortenedTable(Table):
    """Sets of names that were shortened for a prefix, see `shortened`."""

    __tablename__ = "shortened_names"
    ns_id: Mapped[NamespaceId]
    hash: Mapped[Hash]
    epoch: Mapped[int]
    names: Mapped[Json]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "hash"),)


class RollupTable(Table):
    """Sums per hour. `part`: one of several rows for the same, each kept by one writer."""

    __tablename__ = "rollups"
    ns_id: Mapped[NamespaceId]
    hour: Mapped[Time]
    provider: Mapped[str]
    model: Mapped[str]
    client: Mapped[str]
    part: Mapped[Bytes]
    requests: Mapped[Tokens]
    errors: Mapped[Tokens]
    tool_calls: Mapped[Tokens]
    input_tokens: Mapped[Tokens]
    output_tokens: Mapped[Tokens]
    cached_tokens: Mapped[Tokens]
    cache_write_tokens: Mapped[Tokens]
    reasoning_tokens: Mapped[Tokens]
    cost_usd: Mapped[Usd]
    duration_buckets: Mapped[Buckets]
    duration_counts: Mapped[Counts]
    first_token_buckets: Mapped[Buckets]
    first_token_counts: Mapped[Counts]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "hour", "provider", "model", "client", "part"),)
