"""Why an experiment is judged as it is, in words."""

from llmproxy_core.experiments.compared import Compared
from llmproxy_core.experiments.experiment import CONTROL, Experiment, Metric
from llmproxy_core.experiments.guards import Watch

NAMES: dict[Metric, str] = {
    "cost_usd": "the typical cost of a conversation that went well",
    "latency_ms": "the typical latency of a call in conversations that went well",
    "failed": "the share of conversations with an error",
    "cached_share": "the share of input tokens that are read from a cache",
}


def reason(experiment: Experiment, one: Compared, control: str = CONTROL) -> str:
    """Of one variant: what was counted, and what follows."""
    counted = (
        f"{one.variant!r} succeeded in {_rate(one.variant_good, one.variant_judged)} "
        f"conversations, {control} in {_rate(one.control_good, one.control_judged)}"
    )
    return f"{counted}: {_follows(experiment, one)}."


def _follows(experiment: Experiment, one: Compared) -> str:
    apart = f"the difference is between {_points(one.low)} and {_points(one.high)} points"
    if one.breached:
        return "; ".join(map(_breach, one.breached)) + ", which is more than the guard allows"
    if one.kind == "harmful":
        return f"it is worse; {apart}"
    if one.kind == "won":
        return f"it is better; {apart}"
    if one.kind == "futile":
        least = f"{experiment.min_effect * 100:g} points"
        return f"it is not better by {least}, the least that is worth having; {apart}"
    if one.unbalanced:
        return (
            "as many of both were not drawn, so conversations of one are missing (calls that never "
            "end, outcomes that are not stored) and nothing can be told"
        )
    return f"it cannot be told yet; {apart}"


def _breach(watch: Watch) -> str:
    name = NAMES[watch.guard.metric]
    return f"{name} went from {_value(watch, watch.control)} to {_value(watch, watch.variant)}"


def _value(watch: Watch, value: float | None) -> str:
    if value is None:
        return "unknown"
    if watch.guard.metric == "cost_usd":
        return f"{value:.4g} USD"
    if watch.guard.metric == "latency_ms":
        return f"{value:,.0f} ms"
    return f"{value * 100:.1f} %"


def _rate(good: int, judged: int) -> str:
    return f"{good / judged * 100:.1f} % of {judged:,}" if judged else "none of 0"


def _points(value: float) -> str:
    return f"{value * 100:+.1f}"
