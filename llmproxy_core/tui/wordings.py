"""The wordings of a system prompt or a set of tools as lines: each with what it changed."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from llmproxy_core.plural import counted
from llmproxy_core.store.pattern_detail import Version
from llmproxy_core.tui import figures, pages, plain, trend
from llmproxy_core.tui.pattern_words import bad
from llmproxy_core.tui.widgets.text_pane import Line


def version_lines(
    versions: Sequence[Version], now: datetime, zone: tzinfo | None = None
) -> list[Line]:
    """The newest first: what it changed of the one before, and at the end the first in full."""
    if not versions:
        return [Line("Only system prompts and sets of tools have versions.", "dim")]
    lines: list[Line] = []
    for number in range(len(versions) - 1, -1, -1):
        one = versions[number]
        lines += _head(one, f", beside v{versions[number - 1].number}" if number else "", now, zone)
        text = one.text.split("\n")
        if number:
            before = versions[number - 1].text.split("\n")
            changed = pages.unified(before, text)
            lines += changed or [Line("the same lines, in other words for the moment", "dim")]
        else:
            lines += [Line(plain.block(line)) for line in text]
        lines.append(Line(""))
    return lines


def _head(one: Version, beside: str, now: datetime, zone: tzinfo | None) -> list[Line]:
    first = figures.moment(one.first_seen, now, zone)
    last = figures.moment(one.last_seen, now, zone)
    rate = one.sums.rate
    told = f"{counted(one.calls, 'call')}, {first} to {last}"
    if rate.rate is not None:
        told += f", success {trend.percent(rate.rate)} ({trend.interval(rate)})"
    lines = [Line(f"v{one.number}{beside}", "strong"), Line(told, "dim")]
    return [*lines, Line(f"not: {bad(one.sums)}", "warn")] if one.sums.bad else lines
