"""The columns of the list of enhancements."""

from llmproxy_core.enhancements.enhancement import Status
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.tui import figures, operation_words, plain
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone

STATUSES: dict[Status, tuple[str, Tone]] = {
    "candidate": ("waits", "warn"),
    "approved": ("approved", "busy"),
    "rejected": ("rejected", "faint"),
    "experimenting": ("experiment", "busy"),
    "promoted": ("promoted", "good"),
    "rolled_back": ("rolled back", "bad"),
}


def _status(one: StoredEnhancement, _: Glance) -> Cell:
    return Cell(*STATUSES[one.one.status])


def _tone(one: StoredEnhancement, tone: Tone) -> Tone:
    """What is settled stands back."""
    return "faint" if one.one.status in ("rejected", "rolled_back") else tone


def _pattern(one: StoredEnhancement, _: Glance) -> Cell:
    return Cell(plain.line(one.pattern), _tone(one, "strong"))


def _edit(one: StoredEnhancement, _: Glance) -> Cell:
    return Cell(operation_words.short(one.one.edit), _tone(one, "accent"))


def _score(one: StoredEnhancement, _: Glance) -> Cell:
    score = one.one.effectiveness_score
    if score is None:
        return Cell("", "faint")
    return Cell(f"{score:+.2f}", "good" if score > 0 else "bad" if score < 0 else "text")


def _saves(one: StoredEnhancement, _: Glance) -> Cell:
    saving = one.one.saving_usd_per_day
    return Cell(f"${saving:,.2f}" if saving is not None else "", "accent")


def _why(one: StoredEnhancement, _: Glance) -> Cell:
    return Cell(plain.line(one.one.reasoning), "dim")


COLUMNS: tuple[Column[StoredEnhancement], ...] = (
    Column("Status", 11, 0, _status),
    Column("Pattern", 20, 1, _pattern, grow=3, most=36, order=lambda one: one.pattern, rising=True),
    Column("Type", 13, 4, lambda one, _: Cell(plain.line(one.one.type), _tone(one, "second"))),
    Column("Edit", 16, 2, _edit, grow=2, most=30),
    Column("Sure", 5, 3, lambda one, _: Cell(f"{one.one.confidence:.0%}", "text"), right=True, order=lambda one: one.one.confidence),
    Column("Effect", 6, 5, _score, right=True, order=lambda one: one.one.effectiveness_score),
    Column("$ a day", 8, 8, _saves, right=True, order=lambda one: one.one.saving_usd_per_day),
    Column("From", 16, 7, lambda one, _: Cell(plain.line(one.one.source_engine), "dim"), most=30, grow=1),
    Column("Made", 8, 9, lambda one, g: Cell(figures.when(one.created_at, g.now, g.zone), "dim"), order=lambda one: one.created_at),
    Column("Why", 20, 6, _why, grow=6),
)  # fmt: skip
