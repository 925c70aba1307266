"""Evidence that one arm succeeds more often than another, good at every moment one looks at it.

Each conversation is put into one of two arms by chance, the variant with probability `share` = w,
and succeeds or does not. For a guess (θc, θv) of the two rates and the nearest rates (c, v) with
v - c = by, that is those with the least KL((θc, θv) ‖ (c, v)) weighted by 1 - w and w,

    E = Π θ_arm^success (1 - θ_arm)^failure / the same of (c, v)

has an expectation of at most 1 whatever rates with v - c <= by are true (reverse information
projection onto a convex set): Turner, Ly, Grünwald, "Generic E-variables for exact sequential
k-sample tests that allow for optional stopping", J. Stat. Plan. Inference 230 (2024), theorem 1;
Turner, Grünwald, "Exact anytime-valid confidence intervals for contingency tables and beyond",
Stat. Probab. Lett. 198 (2023). So has the mean of E over many guesses, and by Ville's inequality
it is 20 or more at any time with a probability of at most 1/20. The guesses and their weights are
fixed before the first conversation: E needs four counts, and no order of them.

Nothing here is asymptotic. What it needs: arms drawn by chance, and conversations that are judged
at a time that does not depend on how they went.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

type Effects = Mapping[float, float]
"""Guessed differences beyond the one that is tested, and how likely each is held to be."""

BETTER: Effects = dict.fromkeys((0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5), 1)
WORSE: Effects = {0.02: 1, 0.05: 1, 0.1: 2, 0.15: 4, 0.2: 6, 0.3: 4, 0.5: 1}
"""Harm that matters is found sooner when little of the evidence is kept for what hardly harms."""
OVERALL = 1 / (1 + np.exp(-np.arange(-4.0, 4.1, 0.8)))
"""Guessed rates of both arms together: 1.8 % to 98.2 %, even steps of their log odds."""
LEAST = 0.001
"""A guessed rate is between this and 1 less it."""
STEP = 0.0025
"""Of the ends of intervals."""
HALVINGS = 48


GRID: Floats = np.arange(-396, 397, dtype=np.float64) * STEP
"""Differences of which an interval asks whether they can be excluded."""


@dataclass(frozen=True, slots=True)
class Guesses:
    """`terms` (n, 4, guesses): by what each count changes log E, for n differences that are
    tested. `log_rates`, of the same shape: by what it changes the likelihood of the guess alone.
    `log_weights` (n, guesses); minus infinity: no such rates."""

    terms: Floats
    log_rates: Floats
    log_weights: Floats

    def log_e(self, counts: Floats) -> Floats:
        """counts (..., 4) -> (..., n)"""
        return _log_sum(np.tensordot(counts, self.terms, axes=(-1, 1)) + self.log_weights)


class Comparison:
    """Of a variant with the control. `share`: of the variant among the conversations of both.

    `counts`, everywhere: (..., 4), the control's successes and failures, then the variant's.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self._made: dict[tuple[float, float, str], Guesses] = {}

    def better(self, counts: Floats, by: float = 0.0) -> Floats:
        """log E against "the variant's rate is at most `by` higher than the control's": (...)."""
        return self._guesses(self.share, by, "better").log_e(counts)[..., 0]

    def harm(self, counts: Floats) -> Floats:
        """log E against "the variant's rate is at least the control's", soonest for much harm."""
        return self._guesses(1 - self.share, 0.0, "worse").log_e(swapped(counts))[..., 0]

    def less(self, counts: Floats, by: float) -> Floats:
        """log E against "the variant's rate is at least `by` higher than the control's": (...)."""
        return self._guesses(1 - self.share, -by, "better").log_e(swapped(counts))[..., 0]

    def better_as_sized(self, counts: Floats, by: float = 0.0) -> float:
        """As `better`, of one comparison (4,), and true whatever the sizes of the arms are."""
        return as_sized(self._guesses(self.share, by, "better"), counts, by)

    def harm_as_sized(self, counts: Floats) -> float:
        return as_sized(self._guesses(1 - self.share, 0.0, "worse"), swapped(counts), 0.0)

    def interval(self, counts: Floats, alpha: float) -> tuple[float, float]:
        """Of the difference of the rates, variant less control; `counts`: (4,).

        Each end is ever wrong with a probability of at most `alpha`. Where the arms have not the
        sizes that were drawn, no difference may be possible: the ends are then in order only.
        """
        enough = -np.log(alpha)
        above, below = self._tables
        low = _first_possible(above.log_e(counts) < enough)
        high = -_first_possible(below.log_e(swapped(counts)) < enough)
        return min(low, high), max(low, high)

    @cached_property
    def _tables(self) -> tuple[Guesses, Guesses]:
        return guesses(self.share, GRID), guesses(1 - self.share, GRID, WORSE)

    def _guesses(self, share: float, by: float, effects: Literal["better", "worse"]) -> Guesses:
        key = (share, by, effects)
        if (found := self._made.get(key)) is None:
            guessed = WORSE if effects == "worse" else BETTER
            found = self._made[key] = guesses(share, np.array([by]), guessed)
        return found


def swapped(counts: Floats) -> Floats:
    """The control as the variant."""
    return counts[..., [2, 3, 0, 1]]


def as_sized(found: Guesses, counts: Floats, by: float) -> float:
    """log of the likelihood of the guesses over the most that any rates which are tested give: at
    most 1 in the mean whatever the arms' sizes (universal inference: Wasserman, Ramdas,
    Balakrishnan, PNAS 117 (2020), section 8). Less than E where arms are as they were drawn."""
    sizes = counts.reshape(2, 2).sum(axis=1)
    if not sizes.all():
        return 0.0
    rates = np.clip(counts[[0, 2]] / sizes, 1e-9, 1 - 1e-9)
    if rates[1] - rates[0] > by:
        share = float(sizes[1] / sizes.sum())
        nearest = _nearest(rates[:1], rates[1:], np.array([by]), share).item()
        rates = np.clip(np.array([nearest, nearest + by]), 1e-9, 1 - 1e-9)
    tested = counts @ np.log([rates[0], 1 - rates[0], rates[1], 1 - rates[1]])
    guessed = _log_sum(counts @ found.log_rates[0] + found.log_weights[0])
    return float(guessed - tested)


def guesses(share: float, by: Floats, effects: Effects = BETTER) -> Guesses:
    """`by`: (n,), differences of rates that are tested."""
    overall, effect = (one.ravel() for one in np.meshgrid(OVERALL, np.array(list(effects))))
    likely = np.array([effects[one] for one in effect])
    apart = by[:, None] + effect
    control, variant = overall - share * apart, overall + (1 - share) * apart
    possible = (np.minimum(control, variant) > LEAST) & (np.maximum(control, variant) < 1 - LEAST)
    control, variant = np.where(possible, control, 0.5), np.where(possible, variant, 0.5)
    nearest = _nearest(control, variant, by[:, None], share)
    terms = np.stack(
        [
            np.log(control / nearest),
            np.log((1 - control) / (1 - nearest)),
            np.log(variant / (nearest + by[:, None])),
            np.log((1 - variant) / (1 - nearest - by[:, None])),
        ],
        axis=1,
    )
    log_rates = np.log(np.stack([control, 1 - control, variant, 1 - variant], axis=1))
    weights = np.where(possible, likely, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights / np.where(total, total, 1.0))
    return Guesses(np.where(possible[:, None], terms, 0.0), log_rates, log_weights)


def _nearest(control: Floats, variant: Floats, by: Floats, share: float) -> Floats:
    """The c with the least KL of rates (control, variant) from (c, c + by): a convex function of
    it, whose slope is halved in on."""
    low = np.broadcast_to(np.maximum(0.0, -by), control.shape)
    high = np.broadcast_to(np.minimum(1.0, 1 - by), control.shape)
    for _ in range(HALVINGS):
        c = (low + high) / 2
        v = c + by
        falls = (1 - share) * (control - c) / (c * (1 - c)) + share * (variant - v) / (v * (1 - v))
        low, high = np.where(falls > 0, c, low), np.where(falls > 0, high, c)
    found: Floats = (low + high) / 2
    return found


def _first_possible(possible: NDArray[np.bool_]) -> float:
    """The last difference that is excluded before the first that is not."""
    first = int(np.argmax(possible)) if possible.any() else len(GRID)
    return float(GRID[first - 1]) if first else -1.0


def _log_sum(logs: Floats) -> Floats:
    """log of the sum of exponentials over the last axis; also of nothing but -inf."""
    most = np.maximum(logs.max(axis=-1, keepdims=True), -1e300)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(logs - most).sum(axis=-1))
    found: Floats = most[..., 0] + total
    return found
