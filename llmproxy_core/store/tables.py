"""The tables, for SQLAlchemy. `migrations/` makes them; a test holds the two together.

Rules, so that the tables can be partitioned by id and spread over servers unchanged: `ns_id`
first in every key and index, uuidv7 ids made by the client, no sequences, no triggers. A row of a
hot table (requests, responses, tool_calls, analytics_events) is inserted once and never updated.

Hot tables have no foreign keys: each would cost a locked look-up a row, and the writer alone
writes them, a whole exchange from one journal in order. `spool_offsets` belongs to no namespace:
a journal carries the flows of all.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

type _Namespace = Annotated[int, mapped_column(Integer)]
type _Time = Annotated[datetime, mapped_column(DateTime(timezone=True))]
type _Tokens = Annotated[int, mapped_column(BigInteger)]
type _Count = Annotated[int, mapped_column(BigInteger)]
type _Bytes = Annotated[int, mapped_column(BigInteger)]
type _Millis = Annotated[float, mapped_column(Double)]
type _Usd = Annotated[Decimal, mapped_column(Numeric)]
type _Hash = Annotated[UUID, mapped_column(Uuid)]
"""128 bits of xxh3, see `hashing`."""
type _Body = Annotated[bytes, mapped_column(LargeBinary)]
"""Compressed as `*_encoding` says."""
type _Names = Annotated[list[str], mapped_column(ARRAY(Text))]
type _Json = Annotated[Any, mapped_column(JSONB)]
type _Buckets = Annotated[list[int], mapped_column(ARRAY(SmallInteger))]
type _Counts = Annotated[list[int], mapped_column(ARRAY(Integer))]
type _Amount = Annotated[float, mapped_column(Double)]
type _Score = Annotated[float, mapped_column(REAL)]
type _Small = Annotated[int, mapped_column(SmallInteger)]
type _Ids = Annotated[list[UUID], mapped_column(ARRAY(Uuid))]


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    type_annotation_map = {str: Text, int: Integer, UUID: Uuid}  # noqa: RUF012 - SQLAlchemy's way


class NamespaceTable(Table):
    """`match` to `source` are its rule, see `namespaces`; a prefix is that of one namespace."""

    __tablename__ = "namespaces"
    ns_id: Mapped[_Namespace] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[_Time] = mapped_column(server_default=sql("now()"))
    retention_days: Mapped[int | None]
    prefix: Mapped[str | None] = mapped_column(unique=True)
    match: Mapped[_Json | None]
    reserved: Mapped[_Json | None]
    on_too_long: Mapped[str | None]
    position: Mapped[int | None]
    source: Mapped[str | None]
    home: Mapped[str | None]
    former_names: Mapped[_Names] = mapped_column(server_default=sql("'{}'::text[]"))
    plain_text: Mapped[bool | None]
    capture: Mapped[str | None]


class MemberTable(Table):
    """Which namespaces a role may read; row-level security asks it."""

    __tablename__ = "namespace_members"
    ns_id: Mapped[_Namespace] = mapped_column(ForeignKey(NamespaceTable.ns_id))
    role_name: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "role_name"),)


class SessionTable(Table):
    __tablename__ = "sessions"
    ns_id: Mapped[_Namespace] = mapped_column(ForeignKey(NamespaceTable.ns_id))
    id: Mapped[UUID]
    external_id: Mapped[str | None]
    source: Mapped[str]
    client: Mapped[str]
    user_agent: Mapped[str | None]
    provider: Mapped[str]
    model: Mapped[str | None]
    title: Mapped[str]
    started_at: Mapped[_Time]
    last_at: Mapped[_Time]
    requests: Mapped[_Tokens]
    responses: Mapped[_Tokens]
    errors: Mapped[_Tokens]
    input_tokens: Mapped[_Tokens]
    output_tokens: Mapped[_Tokens]
    cached_tokens: Mapped[_Tokens]
    cost_usd: Mapped[_Usd]
    starred: Mapped[bool] = mapped_column(server_default=sql("false"))
    __table_args__ = (PrimaryKeyConstraint("ns_id", "id"), Index(None, "ns_id", "last_at"))


class RequestTable(Table):
    """A week that has grown also has indexes by model and by head: see the migration 0008."""

    __tablename__ = "requests"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    session_id: Mapped[UUID]
    started_at: Mapped[_Time]
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
    tool_names: Mapped[_Names | None]
    preview: Mapped[str]
    body_bytes: Mapped[_Bytes]
    body_kept: Mapped[str | None]
    hash_in: Mapped[_Hash | None]
    hash_out: Mapped[_Hash]
    parse_error: Mapped[str | None]
    headers: Mapped[_Json | None]
    parameters: Mapped[_Json | None]
    body_encoding: Mapped[str | None]
    body: Mapped[_Body | None]
    external_id: Mapped[str | None]
    parent_id: Mapped[UUID | None]
    relation: Mapped[str] = mapped_column(server_default="root")
    parent_call: Mapped[str | None]
    head: Mapped[_Hash | None]
    base_id: Mapped[UUID | None]
    namespace_prefix: Mapped[str | None]
    shortened: Mapped[_Hash | None]
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
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    state: Mapped[str]
    ended_at: Mapped[_Time]
    status: Mapped[int | None]
    reason: Mapped[str | None]
    http_version: Mapped[str | None]
    head_ms: Mapped[_Millis | None]
    first_byte_ms: Mapped[_Millis | None]
    first_token_ms: Mapped[_Millis | None]
    duration_ms: Mapped[_Millis | None]
    model: Mapped[str | None]
    response_id: Mapped[str | None]
    finish_reasons: Mapped[_Names]
    text_start: Mapped[str]
    n_tool_calls: Mapped[int]
    tool_names: Mapped[_Names]
    input_tokens: Mapped[_Tokens | None]
    output_tokens: Mapped[_Tokens | None]
    cached_tokens: Mapped[_Tokens | None]
    cache_write_tokens: Mapped[_Tokens | None]
    reasoning_tokens: Mapped[_Tokens | None]
    cost_usd: Mapped[_Usd | None]
    cost_source: Mapped[str | None]
    cost_confidence: Mapped[str | None]
    error_type: Mapped[str | None]
    error: Mapped[str | None]
    n_events: Mapped[int]
    body_bytes: Mapped[_Bytes]
    body_kept: Mapped[str | None]
    hash_in: Mapped[_Hash | None]
    hash_out: Mapped[_Hash]
    upload_bytes: Mapped[_Bytes | None]
    upload_hash_in: Mapped[_Hash | None]
    upload_hash_out: Mapped[_Hash | None]
    headers: Mapped[_Json | None]
    trailers: Mapped[_Json | None]
    usage: Mapped[Any] = mapped_column(JSON, nullable=True)
    text: Mapped[str | None]
    reasoning: Mapped[str | None]
    refusal: Mapped[str | None]
    body_encoding: Mapped[str | None]
    body: Mapped[_Body | None]
    base_id: Mapped[UUID | None]
    estimated: Mapped[bool] = mapped_column(server_default=sql("false"))
    words: Mapped[_Body | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        # only what `previous_response_id` may name
        Index(None, "ns_id", "response_id", postgresql_where=sql("response_id LIKE 'resp%'")),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class ToolCallTable(Table):
    __tablename__ = "tool_calls"
    ns_id: Mapped[_Namespace]
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
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    at: Mapped[_Time]
    kind: Mapped[str]
    request_id: Mapped[UUID | None]
    data: Mapped[_Json]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "kind", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class BlobTable(Table):
    """What documents are made of, once per week: a week is dropped with its blobs."""

    __tablename__ = "blobs"
    ns_id: Mapped[_Namespace]
    epoch: Mapped[int]
    hash: Mapped[_Hash]
    data: Mapped[_Body]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "epoch", "hash"),
        {"postgresql_partition_by": "RANGE (epoch)"},
    )


class OffsetTable(Table):
    __tablename__ = "spool_offsets"
    writer: Mapped[str] = mapped_column(primary_key=True)
    segment: Mapped[_Bytes]
    offset: Mapped[_Bytes]
    replay_segment: Mapped[_Bytes]
    replay_offset: Mapped[_Bytes]


class StreamDeltaTable(Table):
    """UNLOGGED: lost in a crash of the server, which is fine for text still being written."""

    __tablename__ = "stream_deltas"
    ns_id: Mapped[_Namespace]
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
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    words: Mapped[Any] = mapped_column(ARRAY(Integer))
    __table_args__ = ({"postgresql_partition_by": "RANGE (id)"},)
    __mapper_args__ = {"primary_key": ("ns_id", "id")}  # noqa: RUF012 - the mapper's, not the table's


class ModelTable(Table):
    """Which model answered for which, as far as has been seen: '' where none was named. A row of
    two stars: there were too many names to keep them all."""

    __tablename__ = "models"
    ns_id: Mapped[_Namespace]
    asked: Mapped[str]
    answered: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "asked", "answered"),)


class ShortenedTable(Table):
    """Sets of names that were shortened for a prefix, see `shortened`."""

    __tablename__ = "shortened_names"
    ns_id: Mapped[_Namespace]
    hash: Mapped[_Hash]
    epoch: Mapped[int]
    names: Mapped[_Json]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "hash"),)


class RollupTable(Table):
    """Sums per hour. `part`: one of several rows for the same, each kept by one writer."""

    __tablename__ = "rollups"
    ns_id: Mapped[_Namespace]
    hour: Mapped[_Time]
    provider: Mapped[str]
    model: Mapped[str]
    client: Mapped[str]
    part: Mapped[_Bytes]
    requests: Mapped[_Tokens]
    errors: Mapped[_Tokens]
    tool_calls: Mapped[_Tokens]
    input_tokens: Mapped[_Tokens]
    output_tokens: Mapped[_Tokens]
    cached_tokens: Mapped[_Tokens]
    cache_write_tokens: Mapped[_Tokens]
    reasoning_tokens: Mapped[_Tokens]
    cost_usd: Mapped[_Usd]
    duration_buckets: Mapped[_Buckets]
    duration_counts: Mapped[_Counts]
    first_token_buckets: Mapped[_Buckets]
    first_token_counts: Mapped[_Counts]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "hour", "provider", "model", "client", "part"),)


class AnomalyTable(Table):
    """What detectors found: in the call `request_id`, and again in others, `times` in all. People
    change its status. `evidence`: made of the excerpt; tells several findings in a text apart."""

    __tablename__ = "anomalies"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    request_id: Mapped[UUID]
    side: Mapped[str]
    at: Mapped[_Time]
    detector: Mapped[str]
    family: Mapped[str]
    score: Mapped[_Score]
    severity: Mapped[str]
    author: Mapped[str]
    kind: Mapped[str]
    tool: Mapped[str]
    said: Mapped[str]
    excerpt: Mapped[str]
    mark_start: Mapped[int]
    mark_end: Mapped[int]
    text_hash: Mapped[_Hash]
    evidence: Mapped[_Hash]
    times: Mapped[int]
    last_at: Mapped[_Time]
    last_request_id: Mapped[UUID]
    status: Mapped[str]
    status_by: Mapped[str | None]
    status_why: Mapped[str | None]
    status_at: Mapped[_Time | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        UniqueConstraint("ns_id", "text_hash", "detector", "evidence"),
        Index(None, "ns_id", "status", "severity", "id"),
        Index(None, "ns_id", "status", "family", "severity", "id"),
        Index(None, "ns_id", "request_id"),
        Index(None, "ns_id", "last_request_id"),
        Index(None, "ns_id", "status_at", postgresql_where=sql("status_at IS NOT NULL")),
    )


class PolicyTable(Table):
    """Of no namespace: a policy is for all calls that its expression holds for. `since`: when that
    became what it is."""

    __tablename__ = "security_policies"
    name: Mapped[str] = mapped_column(primary_key=True)
    expression: Mapped[str]
    action: Mapped[str]
    mode: Mapped[str]
    priority: Mapped[int]
    settings: Mapped[_Json]
    origin: Mapped[str]
    home: Mapped[str | None]
    since: Mapped[_Time] = mapped_column(server_default=sql("now()"))
    created_at: Mapped[_Time] = mapped_column(server_default=sql("now()"))
    created_by: Mapped[str]
    updated_at: Mapped[_Time] = mapped_column(server_default=sql("now()"))
    updated_by: Mapped[str]


class DecisionTable(Table):
    """What policies decided about a call. `findings`: the anomalies because of which."""

    __tablename__ = "policy_decisions"
    ns_id: Mapped[_Namespace]
    request_id: Mapped[UUID]
    id: Mapped[UUID]
    at: Mapped[_Time]
    policy: Mapped[str]
    mode: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    why: Mapped[str]
    findings: Mapped[_Ids]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "id"),
        Index(None, "ns_id", "policy", "request_id"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )


class ApprovalTable(Table):
    """Calls that wait for a person, or waited; and calls of tools in their answers (`tool`)."""

    __tablename__ = "approvals"
    ns_id: Mapped[_Namespace]
    request_id: Mapped[UUID]
    policy: Mapped[str]
    asked_at: Mapped[_Time]
    expires_at: Mapped[_Time]
    said: Mapped[str]
    tool: Mapped[str]
    state: Mapped[str]
    decided_by: Mapped[str | None]
    why: Mapped[str | None]
    decided_at: Mapped[_Time | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "tool"),
        Index(None, "ns_id", "state", "request_id"),
    )


class UnjudgedTable(Table):
    """Calls with texts that the worker of a home is still to judge."""

    __tablename__ = "unjudged"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    home: Mapped[str]
    request: Mapped[bool]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "id"),)


class DeliveryTable(Table):
    """What is to be told to a webhook, or was. `answer`: what it said last, or why it did not."""

    __tablename__ = "webhook_deliveries"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    home: Mapped[str]
    webhook: Mapped[str]
    event: Mapped[str]
    body: Mapped[str]
    at: Mapped[_Time]
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[_Time]
    answer: Mapped[str | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "state", "next_at"),
    )


class PatternTable(Table):
    """Templates of prompts (`kind`: user, system, tools). `state`: what the miner needs to go on.
    One that was merged stays, and says into which. `changed_at`: a person named or merged it;
    `wanted_at`: one wants the advisor to be asked."""

    __tablename__ = "prompt_patterns"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    named_by: Mapped[str | None]
    type: Mapped[str | None]
    type_confidence: Mapped[_Score | None]
    pieces: Mapped[_Json]
    structure: Mapped[_Json]
    state: Mapped[_Json]
    calls: Mapped[_Count]
    first_seen: Mapped[_Time]
    last_seen: Mapped[_Time]
    merged_into: Mapped[UUID | None]
    changed_at: Mapped[_Time | None]
    wanted_at: Mapped[_Time | None]
    wanted_by: Mapped[str | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "kind", "last_seen"),
        Index(None, "ns_id", "merged_into", postgresql_where=sql("merged_into IS NOT NULL")),
        Index(None, "ns_id", "changed_at", postgresql_where=sql("changed_at IS NOT NULL")),
        Index(None, "ns_id", "wanted_at", postgresql_where=sql("wanted_at IS NOT NULL")),
    )


class PatternVersionTable(Table):
    """The wordings of a system prompt or a set of tools, numbered from 1."""

    __tablename__ = "pattern_versions"
    ns_id: Mapped[_Namespace]
    pattern_id: Mapped[UUID]
    number: Mapped[int]
    text_hash: Mapped[_Hash]
    text: Mapped[str]
    first_seen: Mapped[_Time]
    last_seen: Mapped[_Time]
    calls: Mapped[_Count]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "pattern_id", "number"),)


class PatternHistoryTable(Table):
    """What became of patterns: born, renamed, merged, split, a new version."""

    __tablename__ = "pattern_history"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    at: Mapped[_Time]
    pattern_id: Mapped[UUID]
    what: Mapped[str]
    other: Mapped[UUID | None]
    why: Mapped[str]
    actor: Mapped[str]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        Index(None, "ns_id", "pattern_id", "at"),
    )


class PatternDayTable(Table):
    """Sums of a pattern per day (UTC) and model; `part` as of rollups. `bad`: signal -> calls."""

    __tablename__ = "pattern_days"
    ns_id: Mapped[_Namespace]
    pattern_id: Mapped[UUID]
    day: Mapped[date]
    model: Mapped[str]
    part: Mapped[_Count]
    calls: Mapped[_Count]
    judged: Mapped[_Count]
    good: Mapped[_Count]
    input_tokens: Mapped[_Tokens]
    output_tokens: Mapped[_Tokens]
    cached_tokens: Mapped[_Tokens]
    cost_usd: Mapped[_Usd]
    duration_buckets: Mapped[_Buckets]
    duration_counts: Mapped[_Counts]
    bad: Mapped[_Json]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "pattern_id", "day", "model", "part"),
        {"postgresql_with": {"fillfactor": 50}},
    )


class UnlearntTable(Table):
    """Calls that the worker of a home is still to learn from."""

    __tablename__ = "unlearnt"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    home: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "id"),)


class TransformationTable(Table):
    """Of no namespace: a transformation is for all calls that its expression holds for."""

    __tablename__ = "transformations"
    name: Mapped[str] = mapped_column(primary_key=True)
    expression: Mapped[str]
    logic: Mapped[_Json]
    sort_order: Mapped[int]
    active: Mapped[bool]
    usage_count: Mapped[_Count] = mapped_column(server_default=sql("0"))
    last_used: Mapped[_Time | None]
    origin: Mapped[str]
    home: Mapped[str | None]
    created_at: Mapped[_Time] = mapped_column(server_default=sql("now()"))
    created_by: Mapped[str]
    updated_at: Mapped[_Time] = mapped_column(server_default=sql("now()"))
    updated_by: Mapped[str]


class EnhancementTable(Table):
    """What was suggested for a pattern, and what became of it. `digest`: of the edit."""

    __tablename__ = "enhancements"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    pattern_id: Mapped[UUID]
    type: Mapped[str]
    aim: Mapped[str]
    edit: Mapped[_Json]
    digest: Mapped[_Hash]
    wires: Mapped[_Names]
    confidence: Mapped[_Score]
    reasoning: Mapped[str]
    source_engine: Mapped[str]
    saving_usd_per_day: Mapped[_Amount | None]
    status: Mapped[str]
    was_applied: Mapped[bool]
    effectiveness_score: Mapped[_Score | None]
    evidence: Mapped[_Json]
    history: Mapped[_Json]
    created_at: Mapped[_Time]
    decided_by: Mapped[str]
    decided_why: Mapped[str]
    decided_at: Mapped[_Time]
    experiment_id: Mapped[UUID | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        UniqueConstraint("ns_id", "pattern_id", "digest"),
        Index(None, "ns_id", "status", "id"),
        Index(None, "ns_id", "pattern_id", "id"),
    )


class AdvisedTable(Table):
    """What the advisor was asked about, so that it is asked once; and what came of it."""

    __tablename__ = "advised"
    ns_id: Mapped[_Namespace]
    pattern_id: Mapped[UUID]
    evidence_hash: Mapped[_Hash]
    at: Mapped[_Time]
    said: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "pattern_id", "evidence_hash"),)


class ExperimentTable(Table):
    """What is compared, and with what result. `definition`: as `Experiment.to_json` writes it;
    `probation`: what was counted since it was promoted, and what that says."""

    __tablename__ = "experiments"
    ns_id: Mapped[_Namespace]
    id: Mapped[UUID]
    name: Mapped[str]
    pattern_id: Mapped[UUID | None]
    enhancement_id: Mapped[UUID | None]
    definition: Mapped[_Json]
    status: Mapped[str]
    tally: Mapped[_Json]
    verdict: Mapped[_Json]
    probation: Mapped[_Json | None]
    judged_at: Mapped[_Time | None]
    created_at: Mapped[_Time]
    created_by: Mapped[str]
    started_at: Mapped[_Time | None]
    ended_at: Mapped[_Time | None]
    ended_by: Mapped[str | None]
    ended_why: Mapped[str | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "id"),
        UniqueConstraint("ns_id", "name"),
        Index(None, "ns_id", "status", "id"),
    )


class UnitTable(Table):
    """One conversation of an experiment. `success`: 1, 0, or none while nothing says. `judged_at`:
    when it was counted."""

    __tablename__ = "experiment_units"
    ns_id: Mapped[_Namespace]
    experiment_id: Mapped[UUID]
    root: Mapped[_Hash]
    arm: Mapped[str]
    first_request_id: Mapped[UUID]
    first_at: Mapped[_Time]
    last_at: Mapped[_Time]
    calls: Mapped[int]
    success: Mapped[_Small | None]
    errors: Mapped[int]
    cost_usd: Mapped[_Usd | None]
    latency_ms: Mapped[_Score | None]
    input_tokens: Mapped[_Tokens]
    cached_tokens: Mapped[_Tokens]
    predicted_cached: Mapped[_Tokens]
    judged_at: Mapped[_Time | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "experiment_id", "root"),
        Index(None, "ns_id", "experiment_id", "last_at"),
        Index(None, "ns_id", "first_at", postgresql_where=sql("judged_at IS NULL")),
        {"postgresql_with": {"fillfactor": 70}},
    )


class PatternCallTable(Table):
    """Which patterns the prompt of a call is of, one of each kind."""

    __tablename__ = "pattern_calls"
    ns_id: Mapped[_Namespace]
    request_id: Mapped[UUID]
    kind: Mapped[str]
    pattern_id: Mapped[UUID]
    version: Mapped[int | None]
    model: Mapped[str | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "kind"),
        Index(None, "ns_id", "pattern_id", "request_id"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )


class SignalTable(Table):
    """One observation about one call, good (1) or bad (-1); of one source the newest counts."""

    __tablename__ = "signals"
    ns_id: Mapped[_Namespace]
    request_id: Mapped[UUID]
    name: Mapped[str]
    source: Mapped[str]
    verdict: Mapped[_Small]
    weight: Mapped[_Score]
    why: Mapped[str]
    at: Mapped[_Time]
    told_by: Mapped[UUID | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "name", "source", "at"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )


class AppliedTable(Table):
    """What the proxy did to a request: a transformation (`name`), or an experiment (its id).

    `why`: it was left alone. `kept`: the share of the cacheable prefix before the first edit.
    """

    __tablename__ = "applied"
    ns_id: Mapped[_Namespace]
    request_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    arm: Mapped[str | None]
    why: Mapped[str | None]
    root: Mapped[_Hash | None]
    kept: Mapped[_Score | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "kind", "name"),
        Index(None, "ns_id", "kind", "name", "request_id"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )


class AuditTable(Table):
    """Triggers refuse UPDATE, DELETE and TRUNCATE. Not a hot table: a handful of rows a day."""

    __tablename__ = "audit_events"
    ns_id: Mapped[_Namespace]
    seq: Mapped[_Count]
    at: Mapped[_Time]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[str]
    prev_hash: Mapped[_Body]
    hash: Mapped[_Body]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "seq"),)


class AuditHeadTable(Table):
    """The last event of each chain, so that a removed tail is noticed."""

    __tablename__ = "audit_heads"
    ns_id: Mapped[_Namespace] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[_Count]
    hash: Mapped[_Body]
