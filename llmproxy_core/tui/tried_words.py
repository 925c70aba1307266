"""What an edit would do to stored calls, as lines."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from llmproxy_core.tui import figures, flow_columns, plain, trend
from llmproxy_core.tui.widgets.text_pane import Line

if TYPE_CHECKING:  # it brings the detectors, which no other screen needs
    from llmproxy_core.trial.edits import Tried

LEAST_KEPT = 0.999
END = 200
"""Characters of both ends of a long value."""


def lines(
    tried: "Tried", now: datetime, zone: tzinfo | None = None, *, whole: bool = True
) -> list[Line]:
    """`tried` on one call: which it is, the difference, what becomes of the prompt cache.

    `whole`: long values are not cut.
    """
    flow = tried.flow
    at = figures.moment(flow.started_at, now, zone)
    told = f"call {flow_columns.short_id(flow.id)}  {at}  {flow_columns.model_name(flow)}"
    return [Line(told, "strong"), *_asked(tried), *_changes(tried, whole)]


def _asked(tried: "Tried") -> list[Line]:
    asked = plain.line(tried.flow.preview, 200)
    return [Line(f"asks: {asked}", "dim")] if asked else []


def _changes(tried: "Tried", whole: bool) -> list[Line]:
    if tried.left:
        return [Line(f"it would be left alone: {plain.line(tried.left)}", "warn")]
    if not tried.changes:
        return [Line("nothing of it would change", "dim")]
    found = [_line(one if whole else cut(one)) for one in tried.lines]
    if tried.kept < LEAST_KEPT:
        lost = f"keeps {trend.percent(tried.kept)} of what providers cache of it, at first"
        found.append(Line(lost, "warn"))
    else:
        found.append(Line("keeps all that providers cache of it", "good"))
    return found


def cut(text: str) -> str:
    """Both ends of a long text."""
    if len(text) <= 2 * END:
        return text
    return f"{text[:END]} ⋯ {len(text) - 2 * END:,} characters ⋯ {text[-END:]}"


def _line(text: str) -> Line:
    text = plain.block(text.replace("\n", "⏎"))
    if text.startswith("@"):
        return Line(text, "second")
    return Line(text, "added" if text.startswith("+") else "removed")


def of_one(tried: "Tried", is_for: bool, now: datetime, zone: tzinfo | None = None) -> list[Line]:
    """On a call that a person chose. `is_for`: the rule is for it."""
    found = lines(tried, now, zone)
    if not is_for:
        found.insert(0, Line("The rule is not for this call; it would change of it:", "warn"))
    return found


def of_all(found: "Sequence[Tried]", now: datetime, zone: tzinfo | None = None) -> list[Line]:
    """On many calls, one after the other."""
    if not found:
        return [Line("It is for none of the newest calls.", "dim")]
    said: list[Line] = []
    for one in found:
        said += [*lines(one, now, zone), Line("")]
    return said
