"""How often calls were a success: the share of those that no signal says was none."""

from collections.abc import Collection, Iterable
from math import sqrt
from typing import NamedTuple, Protocol
from uuid import UUID

from llmproxy_core.success.registry import COUNTED
from llmproxy_core.success.signal import Signal, Verdict

LEAST = 0.5
"""The weight from which on a signal counts."""
Z = 1.959963984540054
"""For intervals that hold the true rate in 95 of 100 cases."""
DECIDING = "feedback"
"""What a person says of an answer outweighs all that is seen of it."""


class Saying(Protocol):
    """A signal, as far as it decides."""

    @property
    def name(self) -> str: ...
    @property
    def verdict(self) -> Verdict: ...


class Rate(NamedTuple):
    """`rate` from 0 to 1, None where there are no calls; `interval` around it, by Wilson."""

    successes: int
    calls: int
    rate: float | None
    interval: tuple[float, float]


def rate_of(successes: int, calls: int) -> Rate:
    """Raises ValueError where there cannot be so many."""
    if not 0 <= successes <= calls:
        raise ValueError(f"{successes} of {calls} calls cannot be successes")
    share = successes / calls if calls else None
    return Rate(successes, calls, share, wilson(successes, calls))


def wilson(successes: int, calls: int, z: float = Z) -> tuple[float, float]:
    """The score interval of a share; (0, 1) of no calls.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not calls:
        return 0.0, 1.0
    share = successes / calls
    scale = 1 + z * z / calls
    middle = (share + z * z / (2 * calls)) / scale
    reach = z / scale * sqrt(share * (1 - share) / calls + z * z / (4 * calls * calls))
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    return low, 1.0 if successes == calls else min(1.0, middle + reach)


def rate(
    signals: Iterable[Signal],
    counting: Collection[str] = COUNTED,
    calls: Iterable[UUID] = (),
    least: float = LEAST,
) -> Rate:
    """Of the calls that the counted signals are about, and of `calls`, of which there may be none.

    `counting`: the names of the signals that count. `least`: the weight from which on they do.
    """
    told: dict[UUID, list[Signal]] = {call: [] for call in calls}
    for signal in signals:
        if signal.name in counting and signal.weight >= least:
            told.setdefault(signal.request, []).append(signal)
    good = sum(verdict(about) == "good" for about in told.values())
    return rate_of(good, len(told))


def verdict(signals: Iterable[Saying]) -> Verdict:
    """Of one call: as its latest feedback says; else bad if any signal says so."""
    found = list(signals)
    said = [signal for signal in found if signal.name == DECIDING]
    if said:
        return said[-1].verdict
    return "bad" if any(signal.verdict == "bad" for signal in found) else "good"
