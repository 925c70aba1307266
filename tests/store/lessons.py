"""Rows of what is learnt, with defaults for what a test does not care about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from llmproxy_core.enhancements.enhancement import Enhancement, Suggestion, candidate
from llmproxy_core.experiments.experiment import CONTROL, Experiment, Variant
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.learning_rows import (
    AppliedRow,
    HistoryRow,
    PatternCallRow,
    PatternRow,
    PatternSum,
    SignalRow,
    UnitRow,
    VersionRow,
)
from tests.store.flows import AT, HASH, new_id

PIECES = ["Classify this ticket: ", None]


def a_pattern(**changes: Any) -> PatternRow:
    values: dict[str, Any] = {
        "ns_id": 1,
        "id": new_id(),
        "kind": "user",
        "name": "classify this ticket",
        "pieces": PIECES,
        "calls": 3,
        "first_seen": AT,
        "last_seen": AT + timedelta(hours=1),
        "type": "classification",
        "type_confidence": 0.9,
        "state": {"runs": ["classify this ticket"]},
    }
    return PatternRow(**values | changes)


def a_version(pattern: PatternRow, number: int = 1, **changes: Any) -> VersionRow:
    values: dict[str, Any] = {
        "ns_id": pattern.ns_id,
        "pattern_id": pattern.id,
        "number": number,
        "text_hash": HASH,
        "text": "You triage tickets.",
        "first_seen": AT,
        "last_seen": AT,
        "calls": 1,
    }
    return VersionRow(**values | changes)


def an_event_of(pattern: PatternRow, what: str = "born", **changes: Any) -> HistoryRow:
    return HistoryRow(pattern.ns_id, new_id(), AT, pattern.id, what, **changes)


def of_pattern(request: RequestRow, pattern: PatternRow, **changes: Any) -> PatternCallRow:
    values: dict[str, Any] = {
        "ns_id": request.ns_id,
        "request_id": request.id,
        "kind": pattern.kind,
        "pattern_id": pattern.id,
        "model": request.model,
    }
    return PatternCallRow(**values | changes)


def a_signal(request: RequestRow, **changes: Any) -> SignalRow:
    values: dict[str, Any] = {
        "ns_id": request.ns_id,
        "request_id": request.id,
        "name": "answered",
        "source": "wire",
        "verdict": "good",
        "weight": 1.0,
        "why": "",
        "at": AT,
    }
    return SignalRow(**values | changes)


def a_sum(pattern: PatternRow, request: RequestRow | None = None, **changes: Any) -> PatternSum:
    values: dict[str, Any] = {
        "ns_id": pattern.ns_id,
        "pattern_id": pattern.id,
        "day": AT.date(),
        "model": "gpt-4o",
        "calls": 1,
        "judged": 1,
        "good": 1,
        "input_tokens": 100,
        "output_tokens": 10,
        "duration_ms": 500.0,
        "call": request.id if request else None,
    }
    return PatternSum(**values | changes)


def a_change(request: RequestRow, name: str = "brief", **changes: Any) -> AppliedRow:
    values: dict[str, Any] = {"kind": "transformation", "kept": 1.0}
    return AppliedRow(request.ns_id, request.id, name=name, **values | changes)


def a_unit(experiment: UUID, root: bytes = HASH, **changes: Any) -> UnitRow:
    values: dict[str, Any] = {
        "ns_id": 1,
        "experiment_id": experiment,
        "root": root,
        "arm": "control",
        "first_request_id": new_id(),
        "first_at": AT,
        "last_at": AT,
    }
    return UnitRow(**values | changes)


def an_enhancement(pattern: UUID, **changes: Any) -> Enhancement:
    suggestion = Suggestion(
        "clarification", ({"op": "append_system", "text": "Be brief."},), 0.8, "Answers are long.",
        "built-in:brief", wires=("openai.chat",),
    )  # fmt: skip
    born = candidate(suggestion, str(new_id()), str(pattern), AT)
    return replace(born, **changes)


def an_experiment(pattern: UUID | None = None, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "id": str(new_id()),
        "name": "brief",
        "variants": (Variant("short", ({"op": "append_system", "text": "Be brief."},)),),
        "shares": {CONTROL: 0.5, "short": 0.5},
        "pattern": str(pattern) if pattern else None,
    }
    return Experiment(**values | changes)
