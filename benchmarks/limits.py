"""What ten limits cost a call: CPU µs to reserve and to settle.

    python -m benchmarks.limits [--calls 20000]

Prints them for ten limits of each kind and for a mix, counted in a file of the home; then the mix
counted in memory alone, ten of the package `limits` (its moving window, which cannot give back
what was not used), and the estimate of a call by the bytes of its body.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from llmproxy_core.config import LimitConfig
from llmproxy_core.limits import Amount, Call, Limiter, Reservation
from llmproxy_core.limits.estimate import Estimator

KINDS: dict[str, dict[str, Any]] = {
    "requests": {"requests_per_minute": 10**6, "burst": 10**6},
    "tokens": {"tokens_per_minute": 10**12},
    "usd": {"usd_per_day": 10**6},
    "concurrent": {"concurrent": 10**6},
}
CALLS = [Call(f"team{n % 5}", f"fp_{n % 7:012x}", "anna", "gpt-4o", "openai") for n in range(35)]
ROUNDS = 7


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=20_000)
    calls: int = parser.parse_args().calls
    mix = list(KINDS.values())
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, terms) in enumerate(KINDS.items()):
            _measure(f"10 x {kind}", [terms], Path(folder) / str(number), calls)
        _measure("10 mixed", mix, Path(folder) / "mix", calls)
    _measure("10 mixed, in memory", mix, None, calls)
    _measure_package(calls)
    _measure_estimates()


def _measure(name: str, kinds: Sequence[dict[str, Any]], path: Path | None, calls: int) -> None:
    tables = [
        LimitConfig(name=f"l{n}", per=["namespace", "key"], **kinds[n % len(kinds)])
        for n in range(10)
    ]
    limiter = Limiter(tables, path)

    def both(number: int) -> None:
        reserved = limiter.reserve(CALLS[number % 35], Amount(1500, 0.01))
        if isinstance(reserved, Reservation):
            limiter.settle(reserved, Amount(900, 0.006))

    print(f"{name:24} {_best(both, calls):6.1f} µs a call")
    limiter.close()


def _measure_package(calls: int) -> None:
    storage = MemoryStorage()
    window, item = MovingWindowRateLimiter(storage), parse("1000000/minute")

    def ten(number: int) -> None:
        keys = [f"{number % 35}/{n}" for n in range(10)]
        if all(window.test(item, key) for key in keys):
            for key in keys:
                window.hit(item, key)

    print(f"{'10 of the package limits':24} {_best(ten, calls // 4):6.1f} µs a call")
    storage.timer.cancel()


def _measure_estimates() -> None:
    estimator = Estimator(lambda provider, model: (1e-6, 2e-6))
    for size in (2_000, 20_000, 1_000_000):
        text = b"What is the weather like? " * (size // 26)
        body = b'{"messages":[{"role":"user","content":"' + text + b'"}],"max_tokens":100}'

        def estimate(number: int, body: bytes = body) -> None:
            estimator.estimate("openai", "gpt-4o", body)

        print(f"estimate of {size:9,} bytes {_best(estimate, 2_000_000 // size):6.1f} µs")


def _best(work: Callable[[int], None], calls: int) -> float:
    """CPU µs of one, in the best of some rounds: what else runs here can only slow it down."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for number in range(calls // ROUNDS + 1):
            work(number)
        best = min(best, (time.process_time() - started) / (calls // ROUNDS + 1))
    return best * 1e6


if __name__ == "__main__":
    main()
