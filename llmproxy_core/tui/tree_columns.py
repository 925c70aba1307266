"""The columns of a session's tree. A heading shows the sums of its branch."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from llmproxy_core.store.tree import TreeNode
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.flow_columns import SPINNER, shorter_model
from llmproxy_core.tui.kinship import HEADINGS
from llmproxy_core.tui.misses import Misses
from llmproxy_core.tui.session_tree import ASIDES, DEEPEST, Heading, Line
from llmproxy_core.tui.widgets.columns import Cell, Column, Glance, Tone

RETRY = "↻ "
MISSED = "▲"
ASKED_MOST = 48


def tone_of(node: TreeNode) -> Tone:
    if node.state == "open":
        return "busy"
    if node.state == "failed" or (node.status or 0) >= 400:
        return "bad"
    return "warn" if node.state == "partial" else "good"


def columns_for(
    misses: Misses, nodes: Sequence[TreeNode], now: datetime, zone: tzinfo | None
) -> list[Column[Line]]:
    """Days are told where the session is not all of today."""
    times = [node.started_at for node in (*nodes[:1], *nodes[-1:])]
    days = any(at.astimezone(zone).date() != now.astimezone(zone).date() for at in times)
    return [
        Column("Time", 12 if days else 8, 0, _time),
        Column("St", 3, 2, _status),
        Column("Turn", 30, 1, _turn, grow=8),
        Column("Model", 14, 9, _model, grow=1, most=22),
        Column("In", 6, 4, lambda line, _: _tokens(line, "input_tokens"), right=True),
        Column("Cached", 6, 5, _cached, right=True),
        Column("Missed", 7, 6, lambda line, _: _missed(line, misses), right=True),
        Column("Out", 6, 7, lambda line, _: _tokens(line, "output_tokens"), right=True),
        Column("Cost", 8, 3, _cost, right=True),
        Column("Took", 6, 8, _took, right=True),
    ]


def _time(line: Line, glance: Glance) -> Cell:
    return Cell(figures.moment(line.node.started_at, glance.now, glance.zone), "dim")


def _status(line: Line, glance: Glance) -> Cell:
    spinner = SPINNER[glance.frame % len(SPINNER)]
    if isinstance(line, Heading):
        if line.open:
            return Cell(spinner, "busy")
        return Cell(f"!{line.sums.errors}" if line.sums.errors else "", "bad")
    node = line.node
    if node.state == "open":
        return Cell(spinner, "busy")
    sign = str(node.status or "") or ("✗" if node.state == "failed" else "…")
    return Cell(sign, tone_of(node))


def margin(depth: int) -> str:
    return "│ " * min(depth, DEEPEST)


def _turn(line: Line, _: Glance) -> Cell:
    if isinstance(line, Heading):
        sign = "▸" if line.folded else "▾"
        return Cell(f"{margin(line.depth)}{sign} {heading_words(line)}", "strong")
    node = line.node
    sign = RETRY if node.relation == "retry" else ""
    said, tone = said_in(node)
    return Cell(f"{margin(line.depth)}{sign}{said}", tone)


def heading_words(line: Heading) -> str:
    calls = f"{line.sums.requests} call{'s' * (line.sums.requests != 1)}"
    if line.number == ASIDES:
        return f"beside it, {calls}: titles, token counts, warm-ups"
    what = HEADINGS[line.relation]
    if line.tool:
        what = f"{plain.line(line.tool)} {what}"
    return f"{what}, {calls}: {plain.line(line.node.preview or line.node.text_start)}"


def said_in(node: TreeNode) -> tuple[str, Tone]:
    """What was asked and answered, or what went wrong; and how to paint it."""
    if node.error:
        return plain.line(node.error), "bad"
    asked, answered = plain.line(node.preview), plain.line(node.text_start)
    calls = f" ({node.n_tool_calls} tool call{'s' * (node.n_tool_calls != 1)})"
    answered = (answered + (calls if node.n_tool_calls else "")).strip()
    if asked and answered:
        asked = asked if len(asked) <= ASKED_MOST else asked[: ASKED_MOST - 1] + "…"
        return f"{asked} → {answered}", "dim"
    return asked or answered or "nothing was said", "dim"


def _model(line: Line, _: Glance) -> Cell:
    return Cell(shorter_model(line.node.model), "second")


def _tokens(line: Line, name: str) -> Cell:
    of = line.sums if isinstance(line, Heading) else line.node
    value: int | None = getattr(of, name)
    guessed = "~" if not isinstance(line, Heading) and line.node.estimated and value else ""
    return Cell(guessed + figures.tokens(value), _strong(line) if value else "faint")


def _strong(line: Line) -> Tone:
    return "strong" if isinstance(line, Heading) else "text"


def _cached(line: Line, _: Glance) -> Cell:
    value = (line.sums if isinstance(line, Heading) else line.node).cached_tokens
    return Cell(figures.tokens(value), "second" if value else "faint")


def _missed(line: Line, misses: Misses) -> Cell:
    """Tokens; of a branch only while it is folded, else its turns tell."""
    if isinstance(line, Heading):
        lost = misses.lost(line.nodes) if line.folded else 0
    else:
        lost = misses.lost([line.node])
    return Cell(f"{MISSED}{figures.tokens(lost)}" if lost else "", "warn")


def _cost(line: Line, _: Glance) -> Cell:
    value = (line.sums if isinstance(line, Heading) else line.node).cost_usd
    guessed = not isinstance(line, Heading) and line.node.estimated and value
    return Cell(("~" if guessed else "") + figures.usd(value), "accent" if value else "faint")


def is_open(line: Line) -> bool:
    return line.open if isinstance(line, Heading) else line.node.state == "open"


def _took(line: Line, glance: Glance) -> Cell:
    if is_open(line):
        waited = (glance.now - line.node.started_at).total_seconds() * 1000
        return Cell(figures.ms(max(0.0, waited)), "busy")
    if isinstance(line, Heading):
        took = (line.ended - line.node.started_at).total_seconds() * 1000 if line.ended else None
        return Cell(figures.ms(took), "strong")
    return Cell(figures.ms(line.node.duration_ms), "text")
