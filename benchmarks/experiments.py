"""How often experiments are wrong, and how many conversations they need: simulated.

    python -m benchmarks.experiments [--runs 10000] [--seed 6] [--short]

Each run is an experiment that is looked at after every conversation, in both arms by chance. Prints
how often two equal arms are told apart although no run is stopped for anything else (also where the
rate drifts, users are alike, and outcomes stay unknown), how many conversations (of both arms) it
takes to win, to stop harm and to give up, and how many of them had the variant that harms, how often
guards stop a variant that is as bad as it may be, and what a look costs. `--short`: a tenth of the runs.
"""

import argparse
import time

import numpy as np

from benchmarks.simulated_experiments import (
    drifting,
    false_wins,
    guard_alarms,
    lognormal,
    of_users,
    pareto,
    simulate,
)
from llmproxy_core.experiments.experiment import Experiment, Variant
from llmproxy_core.experiments.guards import ALPHA
from llmproxy_core.experiments.tally import Outcome, Tally
from llmproxy_core.experiments.verdict import Judge

EQUAL = (
    (0.7, 0.5, 10_000),
    (0.02, 0.5, 1_000),
    (0.3, 0.5, 1_000),
    (0.5, 0.5, 1_000),
    (0.9, 0.5, 1_000),
    (0.98, 0.5, 1_000),
    (0.7, 0.2, 1_000),
    (0.7, 0.8, 1_000),
)
"""Rate, share of the variant, conversations."""
WINNING = ((0.7, 0.72), (0.7, 0.75), (0.7, 0.8), (0.5, 0.55), (0.9, 0.95), (0.3, 0.35))
HARMING = ((0.7, 0.65), (0.7, 0.6), (0.7, 0.5), (0.7, 0.3), (0.9, 0.8), (0.95, 0.75), (0.5, 0.3))
SHARES = (0.5, 0.3, 0.2, 0.1, 0.05, 0.95)
"""Of the variant; the last: what was promoted, beside a holdout of 5 %."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    runs = options.runs // 10 if options.short else options.runs
    begun = time.process_time()
    _print_equal(runs, options.seed)
    _print_times(runs // 10, options.seed)
    _print_unknown(runs // 10, options.seed)
    _print_shares(runs // 10, options.seed)
    _print_guards(runs // 20, options.seed)
    _print_look()
    print(f"CPU: {time.process_time() - begun:.0f} s")


def _print_equal(runs: int, seed: int) -> None:
    print(f"Equal arms, {runs:,} runs, never stopped: told better, told worse")
    for rate, share, most in EQUAL:
        better, worse = false_wins(rate, runs, most, seed, share)
        print(
            f"  rate {rate:4}, {share:.0%} in the variant, {most:6,} conversations: "
            f"{better:6.2%} {worse:6.2%}",
            flush=True,
        )
    for base in (drifting, of_users):
        better, worse = false_wins(0.0, runs, 2_000, seed, base=base)
        print(f"  {base.__name__}, 2,000 conversations: {better:6.2%} {worse:6.2%}", flush=True)


def _print_times(runs: int, seed: int) -> None:
    print(f"Conversations of both arms until it is over, {runs:,} runs each, share one half:")
    print("  control variant   won  harmful futile open  median     80 %     95 %")
    for rates in (*WINNING, *HARMING, (0.7, 0.7), (0.9, 0.9)):
        found = simulate(rates, runs, 40_000, seed)
        shares = [found.share(one) for one in ("won", "harmful", "futile", "open")]
        ends = [found.quantile(share) for share in (0.5, 0.8, 0.95)]
        print(
            f"  {rates[0]:7} {rates[1]:7} "
            + " ".join(f"{share:6.1%}" for share in shares)
            + " ".join(f"{end:8,.0f}" for end in ends),
            flush=True,
        )


def _print_unknown(runs: int, seed: int) -> None:
    print(f"Outcomes that nobody knows, {runs:,} runs until it is over: won, harmful; median, 80 %")
    for rates, unknown in (
        ((0.7, 0.7), (0.2, 0.2)),
        ((0.7, 0.75), (0.1, 0.1)),
        ((0.7, 0.75), (0.2, 0.2)),
        ((0.7, 0.75), (0.3, 0.3)),
        ((0.7, 0.8), (0.3, 0.3)),
    ):
        found = simulate(rates, runs, 40_000, seed, unknown=unknown)
        print(
            f"  {rates[0]} {rates[1]}, {unknown[0]:.0%} unknown: {found.share('won'):6.1%} "
            f"{found.share('harmful'):6.1%} {found.quantile(0.5):8,.0f} {found.quantile(0.8):8,.0f}",
            flush=True,
        )


def _print_shares(runs: int, seed: int) -> None:
    print(f"Harm, {runs:,} runs: median of both arms, of the variant's, 80 % of both, told worse")
    for share in SHARES:
        for rates in ((0.7, 0.5), (0.7, 0.3)):
            found = simulate(rates, runs, 20_000, seed, share)
            median = found.quantile(0.5)
            print(
                f"  {share:4.0%} in the variant, {rates[0]} and {rates[1]}: {median:7,.0f} "
                f"{median * share:6,.0f} {found.quantile(0.8):7,.0f} {found.share('harmful'):6.1%}",
                flush=True,
            )


def _print_guards(runs: int, seed: int) -> None:
    print(f"Guards (alpha {ALPHA}), {runs:,} runs of 5,000 conversations: stopped, median")
    for name, draw, metric in (
        ("cost, lognormal", lognormal, "cost_usd"),
        ("latency, Pareto 1.5", pareto, "latency_ms"),
    ):
        for worse, allowed in ((1.0, 1.0), (1.25, 1.25), (1.5, 1.25), (2.0, 1.25), (3.0, 1.25)):
            told = guard_alarms(draw, metric, runs, 5_000, seed, worse, allowed)
            median = f"{np.median(told[told > 0]):,.0f}" if (told > 0).any() else "-"
            print(f"  {name:20} x {worse}, allowed x {allowed}: {(told > 0).mean():6.1%} {median}")


def _print_look() -> None:
    one = Experiment("e", "e", (Variant("b"),), {"control": 0.5, "b": 0.5})
    judge, tally = Judge(one), Tally()
    for number in range(1000):
        tally.add(Outcome(b"%d" % number, ("control", "b")[number % 2], number % 3 > 0, 0.01, 900))
    judge.verdict(tally)
    begun = time.process_time()
    for _ in range(50):
        judge.verdict(tally)
    print(f"A look: {(time.process_time() - begun) / 50 * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
