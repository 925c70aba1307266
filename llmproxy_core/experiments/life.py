"""What may happen to an experiment: each step makes a new one, and says who took it and why.

    draft → running → won | harmful | futile | stopped → promoted | rolled_back

Only what has won can be promoted; what was promoted can be rolled back. A verdict ends a running
experiment by itself, and rolls a harmful one back; a variant that harms beside others is dropped,
and so is what turns out to harm after it was promoted.
Verdicts that come after the end change nothing: what has been said stays.
"""

from collections.abc import Mapping
from dataclasses import replace

from llmproxy_core.errors import ExperimentError
from llmproxy_core.experiments.experiment import Experiment, Status, Step
from llmproxy_core.experiments.verdict import Verdict

ITSELF = "llmproxy"
"""Who takes the steps that nobody asks for."""

NEXT: Mapping[Status, frozenset[Status]] = {
    "draft": frozenset({"running", "rolled_back"}),
    "running": frozenset({"won", "harmful", "futile", "stopped"}),
    "won": frozenset({"promoted", "rolled_back"}),
    "harmful": frozenset({"rolled_back"}),
    "futile": frozenset({"rolled_back"}),
    "stopped": frozenset({"rolled_back"}),
    "promoted": frozenset({"rolled_back"}),
    "rolled_back": frozenset(),
}


def started(experiment: Experiment, at: float, by: str) -> Experiment:
    """All steps: `at` in seconds since 1970. Raises ExperimentError: what is possible instead."""
    experiment.check()
    return _moved(experiment, "running", at, by, "Started.")


def stopped(experiment: Experiment, at: float, by: str, why: str) -> Experiment:
    """Conversations that began in it keep their arm until they end."""
    return _moved(experiment, "stopped", at, by, why)


def promoted(experiment: Experiment, at: float, by: str, why: str) -> Experiment:
    """All conversations that begin from now on get the winner, but for the holdout."""
    return _moved(experiment, "promoted", at, by, why)


def rolled_back(experiment: Experiment, at: float, by: str, why: str) -> Experiment:
    """From now on nothing is changed, also within conversations."""
    return _moved(experiment, "rolled_back", at, by, why)


def judged(experiment: Experiment, verdict: Verdict, at: float) -> Experiment:
    """What follows from a verdict; the same experiment where nothing does."""
    if experiment.status != "running":
        return experiment
    if verdict.kind == "won":
        experiment = replace(experiment, promoted=verdict.variant)
    moved = experiment
    if verdict.kind != "open":
        moved = _moved(moved, verdict.kind, at, ITSELF, verdict.why)
    if verdict.kind == "harmful":
        moved = _moved(moved, "rolled_back", at, ITSELF, f"It has harmed: {verdict.why}")
    fresh = [name for name in verdict.dropped if name not in experiment.dropped]
    return _dropped(moved, verdict, fresh, at) if fresh else moved


def watched(experiment: Experiment, verdict: Verdict, at: float) -> Experiment:
    """What follows from a verdict about what was promoted, beside the holdout (`probation`)."""
    if experiment.status != "promoted" or verdict.kind != "harmful":
        return experiment
    why = f"Since it was promoted: {verdict.why}"
    return _moved(experiment, "rolled_back", at, ITSELF, why)


def _dropped(experiment: Experiment, verdict: Verdict, names: list[str], at: float) -> Experiment:
    steps = experiment.steps
    if experiment.status != "rolled_back":
        why = " ".join(f"Dropped: {verdict.reasons[name]}" for name in names)
        steps = (*steps, Step(at, experiment.status, ITSELF, why))
    return replace(experiment, dropped=(*experiment.dropped, *names), steps=steps)


def _moved(experiment: Experiment, to: Status, at: float, by: str, why: str) -> Experiment:
    possible = NEXT[experiment.status]
    if to not in possible:
        can = " or ".join(sorted(possible)) or "nothing else"
        raise ExperimentError(
            f"Experiment {experiment.name!r} is {experiment.status}: it can become {can}, not {to}."
        )
    return replace(experiment, status=to, steps=(*experiment.steps, Step(at, to, by, why)))
