"""Rows of what is learnt, as the columns of their statements have them."""

from typing import Any

from llmproxy_core.store.learning_rows import (
    AppliedRow,
    HistoryRow,
    PatternCallRow,
    PatternRow,
    SignalRow,
    UnitRow,
    UnlearntRow,
    VersionRow,
)
from llmproxy_core.store.values import clean, clean_or_none, hash_id, hash_id_or_none, json_text

GOOD, BAD = 1, -1


def applied(row: AppliedRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.request_id,
        row.kind,
        clean(row.name),
        clean_or_none(row.arm),
        clean_or_none(row.why),
        hash_id_or_none(row.root or None),
        row.kept,
    )


def call(row: PatternCallRow) -> tuple[Any, ...]:
    model = clean_or_none(row.model)
    return row.ns_id, row.request_id, row.kind, row.pattern_id, row.version, model


def signal(row: SignalRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.request_id,
        clean(row.name),
        clean(row.source),
        GOOD if row.verdict == "good" else BAD,
        row.weight,
        clean(row.why),
        row.at,
        row.told_by,
    )


def unlearnt(row: UnlearntRow) -> tuple[Any, ...]:
    return row.ns_id, row.id, clean(row.home)


def pattern(row: PatternRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.id,
        row.kind,
        clean(row.name),
        clean_or_none(row.type),
        row.type_confidence,
        json_text(row.pieces),
        json_text(row.structure),
        json_text(row.state),
        row.calls,
        row.first_seen,
        row.last_seen,
        row.merged_into,
    )


def version(row: VersionRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.pattern_id,
        row.number,
        hash_id(row.text_hash),
        clean(row.text),
        row.first_seen,
        row.last_seen,
        row.calls,
    )


def history(row: HistoryRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.id,
        row.at,
        row.pattern_id,
        clean(row.what),
        row.other,
        clean(row.why),
        clean(row.actor),
    )


def unit(row: UnitRow) -> tuple[Any, ...]:
    return (
        row.ns_id,
        row.experiment_id,
        hash_id(row.root),
        clean(row.arm),
        row.first_request_id,
        row.first_at,
        row.last_at,
        row.calls,
        None if row.success is None else int(row.success),
        row.errors,
        row.cost_usd,
        row.latency_ms,
        row.input_tokens,
        row.cached_tokens,
        row.predicted_cached,
        row.judged_at,
    )
