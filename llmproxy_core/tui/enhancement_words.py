"""A suggestion, in words: why, what it changes, what became of it."""

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from textual.content import Content

from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.tui import figures, operation_words, plain, trend, tried_words
from llmproxy_core.tui.enhancement_columns import STATUSES
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.widgets.text_pane import Line

if TYPE_CHECKING:  # it brings the detectors, which no other screen needs
    from llmproxy_core.trial.edits import Tried

NEXT = {
    "candidate": "y approves it, n rejects it; approved ones are tried in an experiment",
    "approved": "its experiment begins as soon as the worker sees it",
    "rejected": "u: think about it again",
    "experimenting": "Enter: its experiment",
    "promoted": "all conversations that begin get it",
    "rolled_back": "nobody gets it any more; u: try it again",
}


def head(line: StoredEnhancement, now: datetime, zone: tzinfo | None = None) -> Content:
    one = line.one
    name, tone = STATUSES[one.status]
    saving = one.saving_usd_per_day
    lines = [
        Content.assemble(
            (f"{name}  ", f"bold {trend.STYLES.get(tone, '$primary')}"),
            (plain.line(line.pattern), "bold"),
            (f"  {one.type}, for {_aim(line)}", "$secondary"),
        ),
        Content(plain.block(one.reasoning[:2000])),
        Content.styled(
            f"{one.confidence:.0%} sure, says {plain.line(one.source_engine)}"
            + (f", saves about ${saving:,.2f} a day" if saving is not None else "")
            + (f", effect {one.effectiveness_score:+.2f}" if one.effectiveness_score else ""),
            FAINT,
        ),
    ]
    lines += _last(line, now, zone)
    lines.append(Content.styled(NEXT[one.status], "$accent"))
    return Content("\n").join(lines)


def _aim(line: StoredEnhancement) -> str:
    return "less cost" if line.one.aim == "cost" else "more success"


def _last(line: StoredEnhancement, now: datetime, zone: tzinfo | None) -> list[Content]:
    """The last step of its life, but for its birth."""
    steps = line.one.history[1:]
    if not steps:
        return []
    last = steps[-1]
    at = figures.moment(last.at, now, zone)
    told = f"{last.after.replace('_', ' ')} by {plain.line(last.who)}, {at}: {plain.line(last.why)}"
    return [Content.styled(told, "$secondary")]


def edit_lines(
    line: StoredEnhancement,
    tried: "Tried | None",
    now: datetime,
    zone: tzinfo | None = None,
    *,
    whole: bool = False,
) -> list[Line]:
    """The operations, and what they do to a call. `tried` None: no call is kept to show it on."""
    found = [Line("Edit", "strong"), *operation_words.lines(line.one.edit)]
    if line.one.wires:
        found.append(Line(f"only for {plain.line(', '.join(line.one.wires))}", "dim"))
    found += [Line(""), Line("On its newest call", "strong")]
    if tried is None:
        return [*found, Line("No call of this pattern is kept to show it on.", "dim")]
    return found + tried_words.lines(tried, now, zone, whole=whole)


def life_lines(line: StoredEnhancement, now: datetime, zone: tzinfo | None = None) -> list[Line]:
    """All steps of its life, the newest first."""
    found = [Line(""), Line("What became of it", "strong")]
    for step in reversed(line.one.history):
        at = figures.moment(step.at, now, zone)
        said = f"{at}  {step.after.replace('_', ' ')} by {plain.line(step.who)}"
        found += [Line(said, "second"), Line(f"    {plain.line(step.why, 2000)}")]
    return found
