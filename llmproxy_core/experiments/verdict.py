"""What the outcomes say of an experiment, at any time and as often as one likes.

* **won**: a variant succeeds more often than the control. If no variant does, this is said, ever,
  with a probability of at most `alpha`, shared among the variants.
* **harmful**: it succeeds less often (`HARM_ALPHA`), or a guard has been breached (`guards.ALPHA`
  each). Such a variant is dropped; when none is left, the experiment has harmed.
* **futile**: it is not `min_effect` better (`FUTILE_ALPHA`), or `most` conversations were not
  enough to tell. Of one that rather seems worse, this is said only when it is nearly certain
  (`FUTILE_THOUGH_WORSE`): what harms is to be called so.
* **open**: go on.

Where conversations of an arm are missing (`balance`), nothing is said but harm. A variant must also
be better if those without an outcome count as bad: else one whose bad answers never come would win
(analysis by intention to treat). The verdict depends
on the sums alone, not on their order. Harm goes before winning.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from llmproxy_core.experiments.balance import unbalanced
from llmproxy_core.experiments.compared import Compared, Kind
from llmproxy_core.experiments.comparison import Comparison, Floats
from llmproxy_core.experiments.experiment import CONTROL, Experiment
from llmproxy_core.experiments.guards import watch
from llmproxy_core.experiments.reasons import reason
from llmproxy_core.experiments.tally import ArmTally, Tally

HARM_ALPHA = 0.05
"""How often a variant that is just as good may be taken for a worse one."""
FUTILE_ALPHA = 0.05
"""How often a variant that is `min_effect` better may be given up as not that good."""
FUTILE_THOUGH_WORSE = 0.0001
LEAST = 50
"""Conversations of each arm before anything but harm is said."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`variant`: the one that won. `dropped`: those that have harmed. `why`: for people."""

    kind: Kind
    why: str
    compared: tuple[Compared, ...]
    variant: str | None = None
    dropped: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Of each variant."""


class Judge:
    """Judges one experiment; what it has to work out beforehand, it keeps. `control`: the arm that
    variants are compared with."""

    def __init__(self, experiment: Experiment, control: str = CONTROL) -> None:
        self._experiment, self._control = experiment, control
        shares = experiment.shares
        self._shares = {
            one.name: shares[one.name] / (shares[one.name] + shares[control])
            for one in experiment.variants
        }
        self._comparisons = {name: Comparison(share) for name, share in self._shares.items()}

    def verdict(self, tally: Tally) -> Verdict:
        compared = tuple(self._compare(name, tally) for name in self._comparisons)
        reasons = {one.variant: reason(self._experiment, one, self._control) for one in compared}
        dropped = tuple(
            one.variant
            for one in compared
            if one.kind == "harmful" or one.variant in self._experiment.dropped
        )
        left = [one for one in compared if one.variant not in dropped]
        winners = [one for one in left if one.kind == "won"]
        if winners:
            best = max(winners, key=lambda one: (one.low, one.log_better))
            return Verdict("won", reasons[best.variant], compared, best.variant, dropped, reasons)
        found = self._kind(left, tally)
        return Verdict(found, self._why(found, left, reasons), compared, None, dropped, reasons)

    def _kind(self, left: list[Compared], tally: Tally) -> Kind:
        if not left:
            return "harmful"
        if self._judged(tally) >= self._experiment.most or all(
            one.kind == "futile" for one in left
        ):
            return "futile"
        return "open"

    def _judged(self, tally: Tally) -> int:
        """Without those of other arms: the holdout."""
        return sum(tally.arm(name).judged for name in (self._control, *self._shares))

    def _why(self, kind: Kind, left: list[Compared], reasons: Mapping[str, str]) -> str:
        told = [reasons[one.variant] for one in left] if left else list(reasons.values())
        why = " ".join(told)
        if kind == "futile" and any(one.kind != "futile" for one in left):
            return f"{self._experiment.most:,} conversations were not enough to tell. {why}"
        return why

    def _compare(self, name: str, tally: Tally) -> Compared:
        one, comparison = self._experiment, self._comparisons[name]
        control, variant = tally.arm(self._control), tally.arm(name)
        counts = _counts(control, variant)
        alpha = one.alpha / len(one.variants)
        better = float(min(comparison.better(counts), comparison.better(_all(control, variant))))
        slight = float(comparison.less(counts, one.min_effect))
        missing = unbalanced(control.judged, variant.judged, self._shares[name])
        worse = comparison.harm_as_sized(counts) if missing else float(comparison.harm(counts))
        watches = tuple(watch(guard, control, variant, comparison) for guard in one.guards)
        harmed = any(guard.breached for guard in watches)
        least = 0 if missing else min(control.judged, variant.judged)
        return Compared(
            name,
            "harmful" if harmed else kind(better, worse, slight, alpha, least),
            *comparison.interval(counts, alpha),
            better,
            worse,
            slight,
            control.good,
            control.judged,
            variant.good,
            variant.judged,
            watches,
            missing,
        )


def kind(better: float, worse: float, slight: float, alpha: float, least: int) -> Kind:
    """By the evidence as in `Compared`; `least`: conversations in the smaller arm."""
    if worse >= -math.log(HARM_ALPHA):
        return "harmful"
    if least < LEAST:
        return "open"
    if better >= -math.log(alpha):
        return "won"
    if slight >= -math.log(FUTILE_ALPHA if worse <= 0 else FUTILE_THOUGH_WORSE):
        return "futile"
    return "open"


def _counts(control: ArmTally, variant: ArmTally) -> Floats:
    return np.array([control.good, control.bad, variant.good, variant.bad], dtype=np.float64)


def _all(control: ArmTally, variant: ArmTally) -> Floats:
    """As `_counts`; what nobody knows is bad."""
    unknown = [0, control.unknown, 0, variant.unknown]
    return _counts(control, variant) + np.array(unknown, dtype=np.float64)
