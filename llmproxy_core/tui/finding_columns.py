"""The columns of the queue of findings."""

from llmproxy_core.store.guard_rows import Anomaly
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.guard_words import STATUSES, TONES, family, where
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone


def _seen(one: Anomaly, glance: Glance) -> Cell:
    return Cell(figures.when(one.last_at, glance.now, glance.zone), "dim")


def _severity(one: Anomaly, _: Glance) -> Cell:
    return Cell(plain.line(one.severity), _tone(one, TONES.get(one.severity, "text")))


def _family(one: Anomaly, _: Glance) -> Cell:
    return Cell(family(one.family), _tone(one, "strong"))


def _said(one: Anomaly, _: Glance) -> Cell:
    return Cell(plain.line(one.said), _tone(one, "text"))


def _times(one: Anomaly, _: Glance) -> Cell:
    return Cell(f"{one.times:,}" if one.times > 1 else "", "dim")


def _status(one: Anomaly, _: Glance) -> Cell:
    tone: Tone = "accent" if one.status == "detected" else "good"
    return Cell(STATUSES[one.status], tone)


def _tone(one: Anomaly, tone: Tone) -> Tone:
    """What is settled stands back."""
    return "faint" if one.status in ("resolved", "false_positive") else tone


COLUMNS: tuple[Column[Anomaly], ...] = (
    Column("Seen", 8, 2, _seen),
    Column("Severity", 8, 0, _severity),
    Column("Family", 16, 1, _family, grow=1, most=18),
    Column("What was found", 30, 3, _said, grow=6),
    Column("Where", 16, 6, lambda one, _: Cell(where(one), "dim"), grow=3, most=34),
    Column("Score", 5, 8, lambda one, _: Cell(f"{one.score:.2f}", "dim"), right=True),
    Column("Space", 8, 7, lambda one, _: Cell(plain.line(one.namespace), "second"), most=14),
    Column("Times", 6, 5, _times, right=True),
    Column("Status", 12, 4, _status, most=14, grow=1),
)
