"""The columns of the list of policies."""

from llmproxy_core.tui import plain
from llmproxy_core.tui.guard import PolicyLine
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone

MODES: dict[str, Tone] = {"active": "good", "shadow": "warn", "off": "faint"}
ALLOWED = "max_false_positive_rate"


def allowed(one: PolicyLine) -> float | None:
    """The rate of false positives below which it is enforced."""
    value = one.policy.settings.get(ALLOWED)
    return float(value) if isinstance(value, int | float) else None


def waits(one: PolicyLine) -> bool:
    """Is it in shadow until it is proven?"""
    return one.policy.mode == "active" and allowed(one) is not None and not one.proven


def _mode(one: PolicyLine, _: Glance) -> Cell:
    if waits(one):
        return Cell("unproven", "warn")
    return Cell(one.policy.mode, MODES.get(one.policy.mode, "text"))


def _bound(one: PolicyLine, _: Glance) -> Cell:
    if one.bound is None:
        return Cell("", "faint")
    most = allowed(one)
    tone: Tone = "text" if most is None else "good" if one.bound <= most else "warn"
    return Cell(f"≤{one.bound:.1%}", tone)


def _hits(count: int) -> Cell:
    return Cell(f"{count:,}", "text" if count else "faint")


def _name(one: PolicyLine, _: Glance) -> Cell:
    return Cell(plain.line(one.name), "faint" if one.policy.mode == "off" else "strong")


COLUMNS: tuple[Column[PolicyLine], ...] = (
    Column("Policy", 18, 0, _name, grow=2, most=32, order=lambda one: one.name, rising=True),
    Column("Action", 12, 2, lambda one, _: Cell(one.policy.action.replace("_", " "), "second")),
    Column("Mode", 8, 1, _mode),
    Column(
        "24 h", 6, 3, lambda one, _: _hits(one.hits_day), right=True, order=lambda one: one.hits_day
    ),
    Column(
        "7 d",
        7,
        4,
        lambda one, _: _hits(one.hits_week),
        right=True,
        order=lambda one: one.hits_week,
    ),
    Column("Bound", 7, 5, _bound, right=True),
    Column("Prio", 5, 8, lambda one, _: Cell(str(one.policy.priority or ""), "dim"), right=True),
    Column("From", 9, 7, lambda one, _: Cell(plain.line(one.policy.origin), "dim")),
    Column("When", 20, 6, lambda one, _: Cell(plain.line(one.policy.expression), "dim"), grow=6),
)
