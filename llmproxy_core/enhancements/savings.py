"""When an enhancement that aims at the cost has won: it is cheaper, and not worse.

`experiments` asks whether a variant succeeds more often; a cache mark never does. Here it has won
when both of these are ruled out, each with a probability of at most `alpha` of ever being ruled out
wrongly (so that both together are, too: an intersection-union test, Berger 1982, Technometrics
24:295):

* the typical cost of a conversation is not LEAST_SAVED lower (`experiments.guards`, asymptotic);
* the rate of success is `min_effect` lower or more (`experiments.comparison`, exact).

And it must not look worse by more than MARGIN. Harm is what it is for all experiments. Without a
saving the experiment goes on until `most` conversations.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from llmproxy_core.enhancements.effectiveness import MARGIN
from llmproxy_core.enhancements.enhancement import Aim
from llmproxy_core.experiments.compared import Compared
from llmproxy_core.experiments.comparison import Comparison
from llmproxy_core.experiments.experiment import CONTROL, Experiment
from llmproxy_core.experiments.guards import log_evidence
from llmproxy_core.experiments.tally import SCALES, ArmTally, Tally
from llmproxy_core.experiments.verdict import Verdict

METRIC = "cost_usd"
LEAST_SAVED = 0.01
"""Of the cost: less is not worth a change."""


@dataclass(frozen=True, slots=True)
class Saving:
    """`log_cheaper`, `log_no_worse`: evidence, 3 is 1 in 20. `saved`: of the typical cost, as it
    looks now; `lost`: of the rate of success."""

    variant: str
    log_cheaper: float
    log_no_worse: float
    saved: float
    lost: float

    def proven(self, alpha: float) -> bool:
        enough = -math.log(alpha)
        return min(self.log_cheaper, self.log_no_worse) >= enough and self.lost <= MARGIN


class Savings:
    """Judges one experiment; what it has to work out beforehand, it keeps."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        shares = experiment.shares
        self._comparisons = {
            one.name: Comparison(shares[one.name] / (shares[one.name] + shares[CONTROL]))
            for one in experiment.variants
        }
        self._alpha = experiment.alpha / len(experiment.variants)

    def saving(self, tally: Tally, name: str) -> Saving:
        """What is known of the variant `name`."""
        control, variant = tally.arm(CONTROL), tally.arm(name)
        before, after = control.moments[METRIC], variant.moments[METRIC]
        counts = np.array([control.good, control.bad, variant.good, variant.bad], dtype=np.float64)
        scale = SCALES[METRIC]
        known = bool(before.n and after.n)
        return Saving(
            name,
            log_evidence(before, after, -math.log1p(-LEAST_SAVED), sign=-1),
            float(self._comparisons[name].better(counts, -self._experiment.min_effect)),
            1 - scale.back(after.mean) / scale.back(before.mean) if known else 0.0,
            (control.rate or 0.0) - (variant.rate or 0.0),
        )

    def decided(self, aim: Aim, verdict: Verdict, tally: Tally) -> Verdict:
        """The verdict of `experiments`, or what the aim makes of it."""
        if aim == "success" or verdict.kind in ("won", "harmful"):
            return verdict
        savings = [
            self.saving(tally, one.variant) for one in verdict.compared if _counts(one, verdict)
        ]
        if proven := [one for one in savings if one.proven(self._alpha)]:
            best = max(proven, key=lambda one: (one.saved, one.variant))
            return replace(verdict, kind="won", variant=best.variant, why=_won(best, tally))
        if tally.judged >= self._experiment.most:
            why = "No saving could be shown with as many conversations as may be tried."
            return replace(verdict, kind="futile", why=why)
        return replace(verdict, kind="open", why="A saving cannot be told yet.")


def _counts(one: Compared, verdict: Verdict) -> bool:
    """Where conversations of an arm are missing, nothing can be told."""
    return not one.unbalanced and one.variant not in verdict.dropped


def _won(best: Saving, tally: Tally) -> str:
    control, variant = tally.arm(CONTROL), tally.arm(best.variant)
    return (
        f"{best.variant!r} costs {best.saved:.0%} less in a typical conversation, and does not "
        f"succeed less often: {_rate(variant)}, {CONTROL} {_rate(control)}."
    )


def _rate(arm: ArmTally) -> str:
    return f"{(arm.rate or 0.0) * 100:.1f} % of {arm.judged:,}"
