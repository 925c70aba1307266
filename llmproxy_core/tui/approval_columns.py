"""The columns of calls that wait for a person, or waited."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from llmproxy_core.store.flows import Flow
from llmproxy_core.store.guard_rows import Approval
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.flow_columns import client_name, model_name
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone

SOON_SECONDS = 30
TONES: dict[str, Tone] = {"approved": "good", "denied": "bad", "expired": "faint"}


def seconds_left(one: Approval, now: datetime) -> float:
    return max(0.0, (one.expires_at - now).total_seconds())


def is_waiting(one: Approval, now: datetime) -> bool:
    """Can it be decided still?"""
    return one.state == "waiting" and one.expires_at > now


def why(one: Approval, flow: Flow | None) -> str:
    """What was found, where that is why it waits; else what is asked."""
    if one.said or flow is None:
        return plain.line(one.said) or f"policy {plain.line(one.policy)}"
    return plain.line(flow.preview) or f"{plain.line(flow.method)} {plain.line(flow.path)}"


def _left(one: Approval, glance: Glance) -> Cell:
    if one.state != "waiting":
        return Cell(one.state, TONES[one.state])
    seconds = seconds_left(one, glance.now)
    if seconds <= 0:
        return Cell("too late", "faint")
    said = figures.ms(seconds * 1000) if seconds >= 60 else f"{seconds:.0f}s"
    return Cell(said, "bad" if seconds < SOON_SECONDS else "busy")


def columns(flows: Mapping[UUID, Flow]) -> tuple[Column[Approval], ...]:
    """`flows`: the calls that they are about, by their id."""

    def client(one: Approval, _: Glance) -> Cell:
        flow = flows.get(one.request_id)
        return Cell(client_name(flow) if flow else "", "dim")

    def model(one: Approval, _: Glance) -> Cell:
        flow = flows.get(one.request_id)
        return Cell(model_name(flow) if flow else "", "second")

    def reason(one: Approval, _: Glance) -> Cell:
        return Cell(why(one, flows.get(one.request_id)), _tone(one))

    return (
        Column("Left", 8, 0, _left, right=True),
        Column("Policy", 14, 2, lambda one, _: Cell(plain.line(one.policy), "strong"), most=24),
        Column("Why", 24, 1, reason, grow=6),
        Column("Tool", 10, 5, lambda one, _: Cell(plain.line(one.tool), "accent"), most=18),
        Column("Client", 12, 4, client, grow=1, most=16),
        Column("Model", 14, 6, model, grow=1, most=24),
        Column("Space", 8, 7, lambda one, _: Cell(plain.line(one.namespace), "second")),
        Column("Asked", 8, 3, _asked),
    )


def _asked(one: Approval, glance: Glance) -> Cell:
    return Cell(figures.when(one.asked_at, glance.now, glance.zone), "dim")


def _tone(one: Approval) -> Tone:
    return "text" if one.state == "waiting" else "faint"
