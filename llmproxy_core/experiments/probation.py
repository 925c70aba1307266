"""What was promoted stays on probation: it must not harm beside the holdout, which is never changed.

The evidence is that of any experiment (`verdict`), of conversations that began since the promotion,
with the holdout as the control. Only harm follows from it. It begins anew every `PERIOD`, so that
months of doing well do not hide for months that a rule harms since the model has changed; what is
said is as sure as ever within a period.
"""

from dataclasses import replace

from llmproxy_core.experiments.experiment import HOLDOUT, Experiment

PERIOD = 28 * 86_400.0
"""Seconds."""


def period(experiment: Experiment, now: float) -> float | None:
    """When the period of `now` began, seconds since 1970; None: it is not promoted, or nobody is
    held out."""
    begun = experiment.since("promoted")
    if experiment.status != "promoted" or not experiment.holdout:
        return None
    return begun + max(0.0, now - begun) // PERIOD * PERIOD


def beside_holdout(experiment: Experiment) -> Experiment:
    """The winner alone, as a `Judge` whose control is the holdout takes it."""
    return replace(
        experiment,
        variants=tuple(one for one in experiment.variants if one.name == experiment.promoted),
        shares={HOLDOUT: experiment.holdout, str(experiment.promoted): 1 - experiment.holdout},
        dropped=(),
    )
