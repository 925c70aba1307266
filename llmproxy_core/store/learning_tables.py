"""The tables of what is learnt: patterns, transformations, enhancements, experiments, signals."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from llmproxy_core.store.table import (
    Amount,
    Buckets,
    Count,
    Counts,
    Hash,
    Json,
    Names,
    NamespaceId,
    Score,
    Small,
    Table,
    Time,
    Tokens,
    Usd,
)


class PatternTable(Table):
    """Templates of prompts (`kind`: user, system, tools). `state`: what the miner needs to go on.
    One that was merged stays, and says into which. `changed_at`: a person named or merged it;
    `wanted_at`: one wants the advisor to be asked."""

    __tablename__ = "prompt_patterns"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    named_by: Mapped[str | None]
    type: Mapped[str | None]
    type_confidence: Mapped[Score | None]
    pieces: Mapped[Json]
    structure: Mapped[Json]
    state: Mapped[Json]
    calls: Mapped[Count]
    first_seen: Mapped[Time]
    last_seen: Mapped[Time]
    merged_into: Mapped[UUID | None]
    changed_at: Mapped[Time | None]
    wanted_at: Mapped[Time | None]
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
    ns_id: Mapped[NamespaceId]
    pattern_id: Mapped[UUID]
    number: Mapped[int]
    text_hash: Mapped[Hash]
    text: Mapped[str]
    first_seen: Mapped[Time]
    last_seen: Mapped[Time]
    calls: Mapped[Count]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "pattern_id", "number"),)


class PatternHistoryTable(Table):
    """What became of patterns: born, renamed, merged, split, a new version."""

    __tablename__ = "pattern_history"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    at: Mapped[Time]
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
    ns_id: Mapped[NamespaceId]
    pattern_id: Mapped[UUID]
    day: Mapped[date]
    model: Mapped[str]
    part: Mapped[Count]
    calls: Mapped[Count]
    judged: Mapped[Count]
    good: Mapped[Count]
    input_tokens: Mapped[Tokens]
    output_tokens: Mapped[Tokens]
    cached_tokens: Mapped[Tokens]
    cost_usd: Mapped[Usd]
    duration_buckets: Mapped[Buckets]
    duration_counts: Mapped[Counts]
    bad: Mapped[Json]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "pattern_id", "day", "model", "part"),
        {"postgresql_with": {"fillfactor": 50}},
    )


class UnlearntTable(Table):
    """Calls that the worker of a home is still to learn from."""

    __tablename__ = "unlearnt"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    home: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "id"),)


class TransformationTable(Table):
    """Of no namespace: a transformation is for all calls that its expression holds for."""

    __tablename__ = "transformations"
    name: Mapped[str] = mapped_column(primary_key=True)
    expression: Mapped[str]
    logic: Mapped[Json]
    sort_order: Mapped[int]
    active: Mapped[bool]
    usage_count: Mapped[Count] = mapped_column(server_default=sql("0"))
    last_used: Mapped[Time | None]
    origin: Mapped[str]
    home: Mapped[str | None]
    created_at: Mapped[Time] = mapped_column(server_default=sql("now()"))
    created_by: Mapped[str]
    updated_at: Mapped[Time] = mapped_column(server_default=sql("now()"))
    updated_by: Mapped[str]


class EnhancementTable(Table):
    """What was suggested for a pattern, and what became of it. `digest`: of the edit."""

    __tablename__ = "enhancements"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    pattern_id: Mapped[UUID]
    type: Mapped[str]
    aim: Mapped[str]
    edit: Mapped[Json]
    digest: Mapped[Hash]
    wires: Mapped[Names]
    confidence: Mapped[Score]
    reasoning: Mapped[str]
    source_engine: Mapped[str]
    saving_usd_per_day: Mapped[Amount | None]
    status: Mapped[str]
    was_applied: Mapped[bool]
    effectiveness_score: Mapped[Score | None]
    evidence: Mapped[Json]
    history: Mapped[Json]
    created_at: Mapped[Time]
    decided_by: Mapped[str]
    decided_why: Mapped[str]
    decided_at: Mapped[Time]
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
    ns_id: Mapped[NamespaceId]
    pattern_id: Mapped[UUID]
    evidence_hash: Mapped[Hash]
    at: Mapped[Time]
    said: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("ns_id", "pattern_id", "evidence_hash"),)


class ExperimentTable(Table):
    """What is compared, and with what result. `definition`: as `Experiment.to_json` writes it;
    `probation`: what was counted since it was promoted, and what that says."""

    __tablename__ = "experiments"
    ns_id: Mapped[NamespaceId]
    id: Mapped[UUID]
    name: Mapped[str]
    pattern_id: Mapped[UUID | None]
    enhancement_id: Mapped[UUID | None]
    definition: Mapped[Json]
    status: Mapped[str]
    tally: Mapped[Json]
    verdict: Mapped[Json]
    probation: Mapped[Json | None]
    judged_at: Mapped[Time | None]
    created_at: Mapped[Time]
    created_by: Mapped[str]
    started_at: Mapped[Time | None]
    ended_at: Mapped[Time | None]
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
    ns_id: Mapped[NamespaceId]
    experiment_id: Mapped[UUID]
    root: Mapped[Hash]
    arm: Mapped[str]
    first_request_id: Mapped[UUID]
    first_at: Mapped[Time]
    last_at: Mapped[Time]
    calls: Mapped[int]
    success: Mapped[Small | None]
    errors: Mapped[int]
    cost_usd: Mapped[Usd | None]
    latency_ms: Mapped[Score | None]
    input_tokens: Mapped[Tokens]
    cached_tokens: Mapped[Tokens]
    predicted_cached: Mapped[Tokens]
    judged_at: Mapped[Time | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "experiment_id", "root"),
        Index(None, "ns_id", "experiment_id", "last_at"),
        Index(None, "ns_id", "first_at", postgresql_where=sql("judged_at IS NULL")),
        {"postgresql_with": {"fillfactor": 70}},
    )


class PatternCallTable(Table):
    """Which patterns the prompt of a call is of, one of each kind."""

    __tablename__ = "pattern_calls"
    ns_id: Mapped[NamespaceId]
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
    ns_id: Mapped[NamespaceId]
    request_id: Mapped[UUID]
    name: Mapped[str]
    source: Mapped[str]
    verdict: Mapped[Small]
    weight: Mapped[Score]
    why: Mapped[str]
    at: Mapped[Time]
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
    ns_id: Mapped[NamespaceId]
    request_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    arm: Mapped[str | None]
    why: Mapped[str | None]
    root: Mapped[Hash | None]
    kept: Mapped[Score | None]
    __table_args__ = (
        PrimaryKeyConstraint("ns_id", "request_id", "kind", "name"),
        Index(None, "ns_id", "kind", "name", "request_id"),
        {"postgresql_partition_by": "RANGE (request_id)"},
    )
