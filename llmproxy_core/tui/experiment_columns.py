"""The columns of the list of experiments, and of the conversations of one."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from llmproxy_core.experiments.experiment import CONTROL, HOLDOUT, Status
from llmproxy_core.experiments.tally import SCALES, ArmTally
from llmproxy_core.store.experiments import Arm, StoredExperiment, Unit
from llmproxy_core.tui import figures, plain, trend
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone

STATUSES: dict[Status, tuple[str, Tone]] = {
    "draft": ("draft", "dim"),
    "running": ("running", "busy"),
    "won": ("won", "good"),
    "harmful": ("harmful", "bad"),
    "futile": ("futile", "faint"),
    "stopped": ("stopped", "warn"),
    "promoted": ("promoted", "good"),
    "rolled_back": ("rolled back", "bad"),
}


def best(line: StoredExperiment) -> str:
    """The variant that is shown: the one that won, else the one that does best."""
    one = line.one
    if one.promoted:
        return one.promoted
    names = [variant.name for variant in one.variants]
    left = [name for name in names if name not in one.dropped] or names
    return max(left, key=lambda name: line.tally.arm(name).rate or 0.0)


def _status(line: StoredExperiment, _: Glance) -> Cell:
    return Cell(*STATUSES[line.one.status])


def _judged(line: StoredExperiment, _: Glance) -> Cell:
    return Cell(f"{line.tally.judged:,}", "text" if line.tally.judged else "faint")


def _control(line: StoredExperiment, _: Glance) -> Cell:
    return Cell(trend.percent(line.tally.arm(CONTROL).rate), "text")


def _variant(line: StoredExperiment, _: Glance) -> Cell:
    rate = line.tally.arm(best(line)).rate
    before = line.tally.arm(CONTROL).rate
    if rate is None or before is None:
        return Cell(trend.percent(rate), "faint")
    return Cell(
        trend.percent(rate), "good" if rate > before else "bad" if rate < before else "text"
    )


def _apart(line: StoredExperiment) -> float | None:
    rate, before = line.tally.arm(best(line)).rate, line.tally.arm(CONTROL).rate
    return None if rate is None or before is None else rate - before


def _difference(line: StoredExperiment, _: Glance) -> Cell:
    apart = _apart(line)
    if apart is None:
        return Cell("", "faint")
    return Cell(trend.points(apart), "good" if apart > 0 else "bad" if apart < 0 else "text")


def _said(line: StoredExperiment, _: Glance) -> Cell:
    steps = line.one.steps
    return Cell(plain.line(steps[-1].why) if steps else "", "dim")


COLUMNS: tuple[Column[StoredExperiment], ...] = (
    Column("Status", 11, 0, _status),
    Column("Experiment", 20, 1, lambda one, _: Cell(plain.line(one.one.name), "strong"), grow=3, most=40, order=lambda one: one.one.name, rising=True),
    Column("Pattern", 14, 6, lambda one, _: Cell(plain.line(one.pattern), "second"), grow=2, most=30),
    Column("Judged", 6, 4, _judged, right=True, order=lambda one: one.tally.judged),
    Column("Control", 7, 3, _control, right=True),
    Column("Variant", 7, 2, _variant, right=True),
    Column("Points", 6, 7, _difference, right=True, order=_apart),
    Column("Made", 8, 9, lambda one, g: Cell(figures.when(one.created_at, g.now, g.zone), "dim"), order=lambda one: one.created_at),
    Column("Said", 20, 8, _said, grow=6),
)  # fmt: skip


def _success(one: Unit, _: Glance) -> Cell:
    if one.success is None:
        return Cell("not yet" if one.judged_at is None else figures.NONE, "faint")
    return Cell("good", "good") if one.success else Cell("bad", "bad")


def _cached(one: Unit, _: Glance) -> Cell:
    return Cell(figures.tokens(one.cached_tokens), "second" if one.cached_tokens else "faint")


def _predicted(one: Unit, _: Glance) -> Cell:
    missed = one.cached_tokens < 0.9 * one.predicted_cached
    return Cell(figures.tokens(one.predicted_cached), "warn" if missed else "dim")


UNITS: tuple[Column[Unit], ...] = (
    Column("Began", 12, 0, lambda one, g: Cell(figures.moment(one.first_at, g.now, g.zone), "dim")),
    Column("Arm", 10, 1, lambda one, _: Cell(plain.line(one.arm), "strong"), grow=2, most=24),
    Column("Success", 7, 2, _success),
    Column("Calls", 5, 3, lambda one, _: Cell(f"{one.calls:,}"), right=True),
    Column("Errors", 6, 5, lambda one, _: Cell(f"{one.errors:,}" if one.errors else "", "bad"), right=True),
    Column("Cost", 9, 4, lambda one, _: Cell(figures.usd(one.cost_usd), "accent"), right=True),
    Column("Latency", 7, 6, lambda one, _: Cell(figures.ms(one.latency_ms)), right=True),
    Column("In", 7, 9, lambda one, _: Cell(figures.tokens(one.input_tokens)), right=True),
    Column("Cached", 7, 7, _cached, right=True),
    Column("Predicted", 9, 8, _predicted, right=True),
    Column("Last", 12, 10, lambda one, g: Cell(figures.moment(one.last_at, g.now, g.zone), "dim")),
    Column("Known by", 12, 11, lambda one, _: Cell(one.root.hex[:12], "faint"), grow=1, most=32),
)  # fmt: skip


class ArmLine(NamedTuple):
    """`tally`: of the conversations that count; `known`: of all."""

    name: str
    share: float | None
    tally: ArmTally
    known: Arm
    is_best: bool
    dropped: bool


def arm_lines(line: StoredExperiment, arms: Mapping[str, Arm]) -> list[ArmLine]:
    """The control first, then the variants, then what else has conversations."""
    one = line.one
    names = [CONTROL, *(variant.name for variant in one.variants)]
    return [
        ArmLine(
            name,
            one.holdout if name == HOLDOUT else one.shares.get(name),
            line.tally.arm(name),
            arms.get(name, Arm()),
            name == best(line),
            name in one.dropped,
        )
        for name in (*names, *(name for name in arms if name not in names))
    ]


def _arm(one: ArmLine, _: Glance) -> Cell:
    return Cell(plain.line(one.name), "bad" if one.dropped else "strong")


def _counts(one: ArmLine, _: Glance) -> Cell:
    return Cell(f"{one.tally.judged:,}/{max(one.known.conversations, one.tally.judged):,}")


def _rate(one: ArmLine, _: Glance) -> Cell:
    return Cell(trend.percent(one.tally.rate), "good" if one.is_best else "text")


def _failed(one: ArmLine, _: Glance) -> Cell:
    known = one.tally.failed + one.tally.answered
    return Cell(trend.percent(one.tally.failed / known if known else None))


def _typical(metric: str, told: Callable[[float], str]) -> Callable[[ArmLine, Glance], Cell]:
    def cell(one: ArmLine, _: Glance) -> Cell:
        moments = one.tally.moments[metric]
        return Cell(told(SCALES[metric].back(moments.mean)) if moments.n else figures.NONE)

    return cell


ARMS: tuple[Column[ArmLine], ...] = (
    Column("Arm", 11, 0, _arm),
    Column("Share", 5, 6, lambda one, _: Cell(trend.whole(one.share)), right=True),
    Column("Judged", 11, 1, _counts, right=True),
    Column("Success", 8, 2, _rate, right=True),
    Column("Cost", 8, 3, _typical("cost_usd", lambda usd: f"${usd:.5f}"), right=True),
    Column("Latency", 7, 4, _typical("latency_ms", figures.ms), right=True),
    Column("Errors", 6, 5, _failed, right=True),
    Column("Cached", 6, 7, _typical("cached_share", trend.percent), right=True),
)
