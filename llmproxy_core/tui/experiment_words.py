"""An experiment, in words: what is tried, how the arms do, what follows."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from textual.content import Content

from llmproxy_core.experiments.experiment import CONTROL
from llmproxy_core.experiments.plan import conversations_needed
from llmproxy_core.experiments.tally import SCALES
from llmproxy_core.plural import counted
from llmproxy_core.store.experiments import Arm, StoredExperiment
from llmproxy_core.tui import figures, operation_words, plain, trend
from llmproxy_core.tui.experiment_columns import ARMS, STATUSES, arm_lines
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.table_words import ROOMY, table

if TYPE_CHECKING:  # they bring numpy, which no other screen needs
    from llmproxy_core.experiments.guards import Watch
    from llmproxy_core.experiments.verdict import Verdict

RATIOS = frozenset(name for name, scale in SCALES.items() if scale.log)
"""Metrics of which the ratio is compared."""
METRICS = {
    "cost_usd": "cost",
    "latency_ms": "latency",
    "failed": "errors",
    "cached_share": "cached tokens",
}
NEXT = {
    "draft": "s starts it",
    "running": "o stops it; it ends by itself when it has won, harmed, or could not tell",
    "won": "p promotes the winner: all conversations that begin get it",
    "harmful": "it is being rolled back",
    "futile": "b rolls it back within conversations, too",
    "stopped": "b rolls it back within conversations, too",
    "promoted": "b rolls it back",
    "rolled_back": "nothing is changed any more",
}


def head(line: StoredExperiment) -> Content:
    """One line."""
    one = line.one
    name, tone = STATUSES[one.status]
    return Content.assemble(
        (f"{name}  ", f"bold {trend.STYLES.get(tone, '$primary')}"),
        (plain.line(one.name), "bold"),
        (f"  of {plain.line(line.pattern)}" if line.pattern else "", "$secondary"),
        (f"  when {plain.line(one.when)}" if one.when else "", FAINT),
    )


def pane(
    line: StoredExperiment,
    verdict: "Verdict | None",
    arms: Mapping[str, Arm],
    now: datetime,
    zone: tzinfo | None = None,
    width: int = ROOMY,
) -> Content:
    one = line.one
    lines = [head(line)]
    if one.steps:
        step = one.steps[-1]
        at = figures.moment(datetime.fromtimestamp(step.at, UTC), now, zone)
        told = f"{step.status.replace('_', ' ')} by {plain.line(step.by)}, {at}: "
        lines.append(Content.assemble((told, FAINT), plain.line(step.why, 1000)))
    if verdict is not None and one.status == "running" and line.tally.judged:
        lines.append(Content.assemble(("so far: ", FAINT), plain.line(verdict.why, 1000)))
    lines += [Content(""), *table(ARMS, arm_lines(line, arms), width)]
    if verdict is not None:
        lines += [Content(""), *_differences(line, verdict), *_guards(verdict)]
    if told := left(line):
        lines.append(Content.styled(told, FAINT))
    for variant in one.variants:
        edit = operation_words.short(variant.operations) or "nothing is changed"
        lines.append(Content.assemble((f"{plain.line(variant.name)}  ", "$accent"), (edit, FAINT)))
    lines.append(Content.styled(NEXT[one.status], "$accent"))
    return Content("\n").join(lines)


def _differences(line: StoredExperiment, verdict: "Verdict") -> Iterator[Content]:
    for one in verdict.compared:
        if not one.control_judged or not one.variant_judged:
            continue
        apart = one.variant_good / one.variant_judged - one.control_good / one.control_judged
        style = "$success" if one.low > 0 else "$error" if one.high < 0 else ""
        missing = "  conversations of an arm are missing" if one.unbalanced else ""
        yield Content.assemble(
            (f"{plain.line(one.variant)}  ", "bold"),
            (f"{trend.points(apart)} points", style),
            (f" ({trend.points(one.low)} to {trend.points(one.high)}, at all times)", FAINT),
            (missing, "$warning"),
        )


def _guards(verdict: "Verdict") -> Iterator[Content]:
    """`guards  cost -2.1 %, latency +5.4 % (+20 % allowed)`, of each variant."""
    for one in verdict.compared:
        known = any(_apart(watch) is not None for watch in one.watches)
        told = [_watched(watch) for watch in one.watches]
        if known:
            yield Content.assemble(("guards  ", FAINT), Content(", ").join(told))


def _watched(one: "Watch") -> Content:
    """How far a metric is from the control's, in red once it is worse than allowed for sure."""
    metric, allowed = METRICS[one.guard.metric], one.guard.worse_by
    apart = _apart(one)
    if apart is None:
        return Content.styled(f"{metric} {figures.NONE}", FAINT)
    unit = "%" if one.guard.metric in RATIOS else "points"
    said = f"{metric} {trend.points(apart)} {unit}"
    if one.breached:
        return Content.styled(f"{said}, {100 * allowed:.0f} allowed", "bold $error")
    return Content(said)


def _apart(one: "Watch") -> float | None:
    if one.control is None or one.variant is None:
        return None
    if one.guard.metric not in RATIOS:
        return one.variant - one.control
    return one.variant / one.control - 1 if one.control else None


def left(line: StoredExperiment) -> str:
    """How many conversations it may still take; empty where it is over, or cannot be told."""
    one, control = line.one, line.tally.arm(CONTROL)
    if one.status != "running" or control.rate is None or not one.variants:
        return ""
    share = max(one.shares[variant.name] for variant in one.variants)
    both = share + one.shares[CONTROL]
    try:
        needed = conversations_needed(control.rate, one.min_effect, share / both, one.alpha)
    except ValueError:
        return ""
    more = round(needed / both) - line.tally.judged
    sure = f"{trend.points(one.min_effect)} points"
    if more <= 0:
        return f"enough conversations for {sure}; it goes on to {one.most:,} at most"
    return f"about {more:,} more conversations to be sure of {sure}; {one.most:,} in all at most"


def course_head(line: StoredExperiment, variant: str, arms: Mapping[str, Arm]) -> Content:
    """Above the plot of one experiment."""
    began = counted(sum(arm.conversations for arm in arms.values()), "conversation")
    judged = f"{line.tally.judged:,} judged"
    return Content("\n").join(
        [
            Content(" ") + head(line),
            Content.assemble(
                f" {began}, {judged}",
                (f"  {plain.line(variant)} beside {CONTROL}", "$accent"),
            ),
        ]
    )
