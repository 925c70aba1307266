"""The columns of the list of transformations."""

from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.tui import figures, operation_words, plain
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance


def _name(one: StoredTransformation, _: Glance) -> Cell:
    return Cell(plain.line(one.name), "strong" if one.active else "faint")


def _state(one: StoredTransformation, _: Glance) -> Cell:
    return Cell("on", "good") if one.active else Cell("off", "faint")


def _used(one: StoredTransformation, _: Glance) -> Cell:
    return Cell(f"{one.usage_count:,}", "text" if one.usage_count else "faint")


def _last(one: StoredTransformation, glance: Glance) -> Cell:
    if one.last_used is None:
        return Cell("never", "faint")
    return Cell(figures.when(one.last_used, glance.now, glance.zone), "dim")


COLUMNS: tuple[Column[StoredTransformation], ...] = (
    Column("Order", 6, 3, lambda one, _: Cell(str(one.order), "dim"), right=True),
    Column("Rule", 18, 0, _name, grow=2, most=36, order=lambda one: one.name, rising=True),
    Column("State", 5, 1, _state),
    Column("Hits", 8, 2, _used, right=True, order=lambda one: one.usage_count),
    Column("Last", 8, 5, _last, order=lambda one: one.last_used),
    Column("Does", 20, 4, lambda one, _: Cell(operation_words.short(one.logic), "accent"), grow=3),
    Column("From", 10, 7, lambda one, _: Cell(plain.line(one.origin.partition(":")[0]), "dim")),
    Column("When", 20, 6, lambda one, _: Cell(plain.line(one.expression), "dim"), grow=5),
)
