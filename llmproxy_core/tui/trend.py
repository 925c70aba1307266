"""Rates of success and trends, as short as a table needs them."""

from collections.abc import Sequence

from llmproxy_core.success.rate import Rate
from llmproxy_core.tui import figures
from llmproxy_core.tui.widgets.columns import Tone

BLOCKS = "▁▂▃▄▅▆▇█"
ENOUGH = 0.8
"""Below it a pattern is worth a suggestion."""
STYLES: dict[str, str] = {
    "good": "$success",
    "bad": "$error",
    "warn": "$warning",
    "faint": "$foreground 50%",
}


def spark(counts: Sequence[int]) -> str:
    """`▁▁▃█▅`: as high as its share of the highest; a space where there is nothing."""
    most = max(counts, default=0)
    if not most:
        return " " * len(counts)
    steps = len(BLOCKS) - 1
    return "".join(BLOCKS[round(one * steps / most)] if one else " " for one in counts)


def tone(rate: Rate) -> Tone:
    """Good or bad only where the whole interval is."""
    if rate.rate is None:
        return "faint"
    low, high = rate.interval
    return "good" if low >= ENOUGH else "bad" if high < ENOUGH else "warn"


def percent(share: float | None) -> str:
    """Up to five characters: `100 %`, `97.4%`."""
    if share is None:
        return figures.NONE
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def whole(share: float | None) -> str:
    """`50%`"""
    return figures.NONE if share is None else f"{share:.0%}"


def interval(rate: Rate) -> str:
    """`94-98 %`; empty where nothing is known."""
    if rate.rate is None:
        return ""
    low, high = rate.interval
    return f"{100 * low:.0f}-{100 * high:.0f} %"


def points(difference: float) -> str:
    """A difference of shares: `+4.2`, in percentage points."""
    value = round(100 * difference, 1)
    return f"{value:+.1f}" if value else "0.0"
