"""What must not become worse: cost, latency, errors, cached tokens.

Whether calls fail is compared as success is, exactly (`comparison`). Cost and latency have heavy
tails: their logarithms are compared, cut off at both ends, so that one conversation that cost a
thousand times as much counts no more than `log` of it; what is compared are typical (geometric)
means, not bills. The share of cached tokens is between 0 and 1 and compared as it is.

For means, the evidence is a one-sided normal mixture of the standardised difference: Howard,
Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann.
Stat. 49 (2021), propositions 5 and 6, with the estimated variance of
Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic
confidence sequences", Ann. Stat. 52 (2024), section 3. It is asymptotic, so nothing is said before
each arm has `LEAST` conversations.
"""

import math
from dataclasses import dataclass

import numpy as np

from llmproxy_core.experiments.balance import unbalanced
from llmproxy_core.experiments.comparison import Comparison, Floats
from llmproxy_core.experiments.experiment import Guard, Metric
from llmproxy_core.experiments.tally import SCALES, ArmTally, Moments

ALPHA = 0.01
"""How often a guard may stop a variant that is as bad as it may be, and no worse."""
LEAST = 50
CERTAIN = 700.0
"""A logarithm of evidence that is as good as infinite, and still a number in JSON."""
AT = 400
"""Conversations at which the evidence about means is best."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A guard's state: the log of its evidence, whether that is enough, and what it compares.

    `control` and `variant`: USD, ms, or shares; None: nothing is known yet.
    """

    guard: Guard
    log_e: float
    breached: bool
    control: float | None
    variant: float | None


def watch(
    guard: Guard, control: ArmTally, variant: ArmTally, comparison: Comparison, alpha: float = ALPHA
) -> Watch:
    if guard.metric == "failed":
        return _watch_failed(guard, control, variant, comparison, alpha)
    before, after = control.moments[guard.metric], variant.moments[guard.metric]
    scale = SCALES[guard.metric]
    allowed = math.log1p(guard.worse_by) if scale.log else guard.worse_by
    sign = -1 if guard.metric == "cached_share" else 1
    log_e = log_evidence(before, after, allowed, sign)
    return Watch(
        guard,
        log_e,
        log_e >= -math.log(alpha),
        _typical(guard.metric, before),
        _typical(guard.metric, after),
    )


def log_evidence(before: Moments, after: Moments, allowed: float, sign: int = 1) -> float:
    """Against "the mean after is at most `allowed` more than before"; `sign` -1: less."""
    if min(before.n, after.n) < LEAST:
        return 0.0
    apart = sign * (after.mean - before.mean) - allowed
    error = math.sqrt(before.variance / before.n + after.variance / after.n)
    n = before.n + after.n
    if error == 0.0:
        return CERTAIN if apart > 0 else -CERTAIN
    return normal_mixture(apart / error * math.sqrt(n), float(n), rho(AT, 2 * ALPHA))


def normal_mixture(s: float, v: float, rho: float) -> float:
    """log of the one-sided normal mixture supermartingale of a sum `s` of variance `v`."""
    root = math.sqrt(v + rho)
    above = 0.5 * math.erfc(-s / root / math.sqrt(2))
    if above == 0.0:
        return -CERTAIN
    return 0.5 * math.log(4 * rho / (v + rho)) + s * s / (2 * (v + rho)) + math.log(above)


def rho(v: float, alpha: float) -> float:
    """With which the two-sided boundary for `alpha` is lowest at about a variance `v`: Howard et
    al., proposition 3, as their library `confseq` has it."""
    return v / (2 * math.log(1 / alpha) + math.log(1 + 2 * math.log(1 / alpha)))


def _watch_failed(
    guard: Guard, control: ArmTally, variant: ArmTally, comparison: Comparison, alpha: float
) -> Watch:
    counts = _failures(control, variant)
    sizes = (control.failed + control.answered, variant.failed + variant.answered)
    if unbalanced(*sizes, comparison.share):
        log_e = comparison.better_as_sized(counts, guard.worse_by)
    else:
        log_e = float(comparison.better(counts, guard.worse_by))
    return Watch(guard, log_e, log_e >= -math.log(alpha), _share(control), _share(variant))


def _failures(control: ArmTally, variant: ArmTally) -> Floats:
    return np.array(
        [control.failed, control.answered, variant.failed, variant.answered], dtype=np.float64
    )


def _typical(metric: Metric, moments: Moments) -> float | None:
    return SCALES[metric].back(moments.mean) if moments.n else None


def _share(arm: ArmTally) -> float | None:
    known = arm.failed + arm.answered
    return arm.failed / known if known else None
