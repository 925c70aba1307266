"""The columns of the list of patterns, and of the calls of one."""

from datetime import date

from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.patterns import DAYS, PatternLine, Sums
from llmproxy_core.tui import figures, flow_columns, plain, trend
from llmproxy_core.tui.learning import Exemplar
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone


def type_name(name: str | None) -> str:
    return plain.line(name or "").replace("_", " ")


def _name(one: PatternLine, _: Glance) -> Cell:
    return Cell(plain.line(one.name), "strong" if one.sums.calls else "faint")


def _success(one: PatternLine, _: Glance) -> Cell:
    return _rate(one.sums)


def cached_share(sums: Sums) -> float | None:
    return sums.cached_tokens / sums.input_tokens if sums.input_tokens else None


def _cached(one: PatternLine, _: Glance) -> Cell:
    share = cached_share(one.sums)
    return Cell(trend.percent(share), "second" if share else "faint")


def _cost(one: PatternLine, _: Glance) -> Cell:
    return Cell(figures.usd(one.sums.cost_usd), "accent" if one.sums.cost_usd else "faint")


def _calls(one: PatternLine, _: Glance) -> Cell:
    return Cell(f"{one.sums.calls:,}", "text" if one.sums.calls else "faint")


def _ideas(one: PatternLine, _: Glance) -> Cell:
    return Cell(f"{one.candidates}" if one.candidates else "", "warn")


def _version(one: PatternLine, _: Glance) -> Cell:
    return Cell(f"v{one.versions}" if one.versions else "", "dim")


COLUMNS: tuple[Column[PatternLine], ...] = (
    Column("Pattern", 28, 0, _name, grow=6, order=lambda one: one.name.casefold(), rising=True),
    Column("Ver", 4, 8, _version, order=lambda one: one.versions),
    Column(
        "Type", 12, 5, lambda one, _: Cell(type_name(one.type), "second"), grow=1, most=18,
        order=lambda one: one.type, rising=True,
    ),
    Column("Calls", 7, 1, _calls, right=True, order=lambda one: one.sums.calls),
    Column("Trend", DAYS, 3, lambda one, _: Cell(trend.spark(one.days), "busy")),
    Column("Success", 8, 2, _success, right=True, order=lambda one: one.sums.rate.rate),
    Column("95 %", 8, 4, lambda one, _: Cell(trend.interval(one.sums.rate), "dim")),
    Column("Ideas", 6, 6, _ideas, right=True, order=lambda one: one.candidates),
    Column("Cost", 8, 7, _cost, right=True, order=lambda one: one.sums.cost_usd),
    Column("Cached", 7, 9, _cached, right=True, order=lambda one: cached_share(one.sums)),
    Column(
        "Space", 8, 12, lambda one, _: Cell(plain.line(one.namespace), "second"), most=14,
        order=lambda one: one.namespace, rising=True,
    ),
    Column(
        "Seen", 8, 11,
        lambda one, glance: Cell(figures.when(one.last_seen, glance.now, glance.zone), "dim"),
        order=lambda one: one.last_seen,
    ),
)  # fmt: skip

OF_KINDS: dict[PatternKind, str] = {"user": "Ver", "system": "Type", "tools": "Type"}
"""The column that says nothing of a kind."""

VERDICTS: dict[str | None, tuple[str, Tone]] = {
    "good": ("good", "good"),
    "bad": ("bad", "bad"),
    None: (figures.NONE, "faint"),
}


def _call_time(one: Exemplar, glance: Glance) -> Cell:
    return Cell(figures.moment(one.flow.started_at, glance.now, glance.zone), "dim")


def _verdict(one: Exemplar, _: Glance) -> Cell:
    return Cell(*VERDICTS[one.of.verdict])


def _signals(one: Exemplar, _: Glance) -> Cell:
    return Cell(plain.line(", ".join(sorted(one.of.bad))).replace("_", " "), "bad")


def _asked(one: Exemplar, _: Glance) -> Cell:
    return Cell(plain.line(one.flow.preview), "text")


def _answered(one: Exemplar, _: Glance) -> Cell:
    return Cell(plain.line(one.flow.error or one.flow.text_start), "dim")


CALLS: tuple[Column[Exemplar], ...] = (
    Column("Time", 12, 1, _call_time),
    Column("Success", 7, 0, _verdict),
    Column("Ver", 4, 6, lambda one, _: Cell(f"v{one.of.version}" if one.of.version else "", "dim")),
    Column("Signals", 16, 3, _signals, grow=2, most=30),
    Column(
        "Model", 14, 4, lambda one, _: Cell(flow_columns.model_name(one.flow), "second"),
        grow=1, most=24,
    ),
    Column("Asked", 24, 2, _asked, grow=5),
    Column("Answered", 20, 5, _answered, grow=5),
)  # fmt: skip


type OfModel = tuple[str, Sums]
type OfDay = tuple[date, Sums]


def _rate(sums: Sums) -> Cell:
    return Cell(trend.percent(sums.rate.rate), trend.tone(sums.rate))


MODELS: tuple[Column[OfModel], ...] = (
    Column("Model", 25, 0, lambda one, _: Cell(plain.line(flow_columns.shorter_model(one[0])))),
    Column("Calls", 8, 1, lambda one, _: Cell(f"{one[1].calls:,}"), right=True),
    Column("Success", 8, 2, lambda one, _: _rate(one[1]), right=True),
    Column("95 %", 8, 3, lambda one, _: Cell(trend.interval(one[1].rate), "faint")),
    Column("Cost", 9, 4, lambda one, _: Cell(figures.usd(one[1].cost_usd), "accent"), right=True),
    Column("Cached", 7, 7, lambda one, _: Cell(trend.percent(cached_share(one[1]))), right=True),
    Column("p50", 7, 5, lambda one, _: Cell(figures.ms(one[1].p50_ms)), right=True),
    Column("p95", 7, 6, lambda one, _: Cell(figures.ms(one[1].p95_ms)), right=True),
)
BY_DAY: tuple[Column[OfDay], ...] = (
    Column("Day", 12, 0, lambda one, _: Cell(f"{one[0]:%a %b %d}")),
    Column("Calls", 8, 1, lambda one, _: Cell(f"{one[1].calls:,}"), right=True),
    Column("Success", 8, 2, lambda one, _: _rate(one[1]), right=True),
    Column("95 %", 8, 3, lambda one, _: Cell(trend.interval(one[1].rate), "faint")),
)
