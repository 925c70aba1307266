"""Experiments simulated, many at once, each looked at after every conversation."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from llmproxy_core.experiments.comparison import (
    WORSE,
    Comparison,
    Floats,
    Guesses,
    guesses,
    swapped,
)
from llmproxy_core.experiments.guards import ALPHA, log_evidence
from llmproxy_core.experiments.tally import SCALES, Moments
from llmproxy_core.experiments.verdict import FUTILE_ALPHA, HARM_ALPHA, kind

USERS, IN_A_ROW = 10, 25
NEVER = 0
ROUGH = 0.05
"""How far sums in 32 bits may be off."""
ALPHA_WIN = 0.05
MIN_EFFECT = 0.05


@dataclass(slots=True)
class Runs:
    """`over`: conversations of both arms when each run was over, or NEVER; `kinds`: as what."""

    over: np.ndarray
    kinds: np.ndarray

    def share(self, kind: str) -> float:
        return float((self.kinds == kind).mean())

    def quantile(self, share: float) -> float:
        """Conversations after which this share of the runs was over."""
        told = np.where(self.over == NEVER, math.inf, self.over)
        return float(np.quantile(told, share, method="higher"))


class Question:
    """Is there enough evidence? Asked of many runs at once, most of which are far from it."""

    def __init__(self, guesses: Guesses, alpha: float, *, mirrored: bool = False) -> None:
        self._guesses, self._mirrored = guesses, mirrored
        self._enough = -math.log(alpha)
        self._near = self._enough - math.log(guesses.terms.shape[-1]) - ROUGH
        self._terms = guesses.terms[0].astype(np.float32)
        self._log_weights = guesses.log_weights[0].astype(np.float32)

    def answered(self, counts: Floats) -> np.ndarray:
        """counts (runs, 4) -> which runs there is enough for."""
        counts = swapped(counts) if self._mirrored else counts
        logs = counts.astype(np.float32) @ self._terms + self._log_weights
        near = np.flatnonzero(logs.max(axis=1) >= self._near)
        sums = self._guesses.log_e(counts[near])[:, 0]
        found: np.ndarray = near[sums >= self._enough]
        return found


type Base = Callable[[int, np.ndarray, int], Floats | float]
"""The rate of both arms, by the number of the conversation, the numbers of the runs, and the seed."""


def drifting(number: int, runs: np.ndarray, seed: int) -> float:
    """A model, or its users, that become better and worse."""
    return 0.6 + 0.35 * math.sin(number / 70)


def of_users(number: int, runs: np.ndarray, seed: int) -> Floats:
    """Users with rates of their own, most of them far from the mean, who ask many times in a row."""
    rates = np.random.default_rng([seed, 1]).beta(0.4, 0.2, (int(runs.max(initial=0)) + 1, USERS))
    found: Floats = rates[runs, number // IN_A_ROW % USERS]
    return found


class Arms:
    """Many runs of a control and a variant, which all get one conversation after the other.
    `unknown`: of each arm, the share of conversations whose outcome nobody knows."""

    def __init__(
        self,
        rates: tuple[float, float],
        runs: int,
        seed: int,
        share: float,
        base: Base | None = None,
        unknown: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.rates, self.share = rates, share
        self.counts, self.alive = np.zeros((runs, 4)), np.arange(runs)
        self.untold = np.zeros((runs, 2))
        self._base, self._unknown, self._seed, self._number = base, unknown, seed, 0
        self._rng = np.random.default_rng(seed)

    def go_on(self) -> None:
        many = len(self.alive)
        variant = self._rng.random(many) < self.share
        rates: Floats | float = np.where(variant, self.rates[1], self.rates[0])
        if self._base is not None:
            rates = self._base(self._number, self.alive, self._seed)
        bad = self._rng.random(many) >= rates
        told = np.ones(many, dtype=bool)
        if any(self._unknown):
            told = self._rng.random(many) >= np.where(variant, *self._unknown[::-1])
        self.counts[np.arange(many)[told], (2 * variant + bad)[told]] += 1
        self.untold[np.arange(many)[~told], variant[~told].astype(int)] += 1
        self._number += 1

    def with_unknown(self, which: np.ndarray) -> Floats:
        """Counts of these, where what nobody knows is bad."""
        found: Floats = self.counts[which].copy()
        found[:, [1, 3]] += self.untold[which]
        return found

    def end(self, over: np.ndarray) -> None:
        """`over`: positions among those that go on."""
        self.alive = np.delete(self.alive, over)
        self.counts = np.delete(self.counts, over, axis=0)
        self.untold = np.delete(self.untold, over, axis=0)


def false_wins(
    rate: float,
    runs: int,
    most: int,
    seed: int,
    share: float = 0.5,
    base: Base | None = None,
) -> tuple[float, float]:
    """Of runs with equal arms that are never stopped: how many are told better, and worse."""
    asked = _questions(share)[:2]
    arms = [Arms((rate, rate), runs, seed + n, share, base) for n in range(2)]
    for _ in range(most):
        for question, one in zip(asked, arms, strict=True):
            one.go_on()
            if len(over := question.answered(one.counts)):
                one.end(over)
    better, worse = (1 - len(one.alive) / runs for one in arms)
    return better, worse


def simulate(
    rates: tuple[float, float],
    runs: int,
    most: int,
    seed: int,
    share: float = 0.5,
    unknown: tuple[float, float] = (0.0, 0.0),
) -> Runs:
    """`rates`: of the control and the variant. Each run ends as a verdict without guards does."""
    asked, comparison = _questions(share), Comparison(share)
    found = Runs(np.full(runs, NEVER), np.full(runs, "open", dtype="U8"))
    arms = Arms(rates, runs, seed, share, unknown=unknown)
    for number in range(1, most + 1):
        arms.go_on()
        near = np.unique(np.concatenate([one.answered(arms.counts) for one in asked]))
        if len(near):
            kinds = _kinds(comparison, arms.counts[near], arms.with_unknown(near))
            over = kinds != "open"
            found.over[arms.alive[near[over]]] = number
            found.kinds[arms.alive[near[over]]] = kinds[over]
            arms.end(near[over])
        if not len(arms.alive):
            break
    return found


def _questions(share: float) -> list[Question]:
    """Better, worse, and not better by MIN_EFFECT."""
    return [
        Question(guesses(share, np.array([0.0])), ALPHA_WIN),
        Question(guesses(1 - share, np.array([0.0]), WORSE), HARM_ALPHA, mirrored=True),
        Question(guesses(1 - share, np.array([-MIN_EFFECT])), FUTILE_ALPHA, mirrored=True),
    ]


def _kinds(comparison: Comparison, counts: Floats, all_counts: Floats) -> np.ndarray:
    least = np.minimum(counts[:, :2].sum(axis=1), counts[:, 2:].sum(axis=1))
    evidence = zip(
        np.minimum(comparison.better(counts), comparison.better(all_counts)),
        comparison.harm(counts),
        comparison.less(counts, MIN_EFFECT),
        least,
        strict=True,
    )
    return np.array([kind(b, w, s, ALPHA_WIN, int(n)) for b, w, s, n in evidence])


def guard_alarms(
    draw: Callable[[np.random.Generator, int], Floats],
    metric: str,
    runs: int,
    most: int,
    seed: int,
    worse: float = 1.0,
    allowed: float = 1.0,
) -> np.ndarray:
    """Conversations after which a guard stopped each run, or NEVER. `draw`: values of a metric;
    the variant's are `worse` times as much, and may be `allowed` times as much."""
    rng = np.random.default_rng(seed)
    scale, told = SCALES[metric], np.zeros(runs, dtype=np.int64)
    for run in range(runs):
        variant = rng.random(most) < 0.5
        values = np.clip(draw(rng, most) * np.where(variant, worse, 1.0), scale.low, scale.high)
        values = np.log(values) if scale.log else values
        told[run] = _alarm(values, variant, math.log(allowed) if scale.log else allowed)
    return told


def _alarm(values: Floats, variant: np.ndarray, allowed: float) -> int:
    arms = [Moments(), Moments()]
    for number, (value, one) in enumerate(zip(values.tolist(), variant.tolist(), strict=True), 1):
        arms[one].add(value)
        if log_evidence(arms[0], arms[1], allowed) >= -math.log(ALPHA):
            return number
    return NEVER


def lognormal(rng: np.random.Generator, n: int) -> Floats:
    """Costs in USD: the mean is 3 times the median."""
    return 0.01 * np.exp(1.5 * rng.standard_normal(n))


def pareto(rng: np.random.Generator, n: int) -> Floats:
    """Latencies in ms without a variance."""
    return 500 * (1 + rng.pareto(1.5, n))
