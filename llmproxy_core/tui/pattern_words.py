"""A pattern, in words: its template, how it does, its wordings, what became of it."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from textual.content import Content

from llmproxy_core.plural import counted
from llmproxy_core.store.pattern_detail import Version
from llmproxy_core.store.patterns import DAYS, PatternLine, Sums
from llmproxy_core.tui import figures, plain, trend
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.learning import PatternAbout
from llmproxy_core.tui.pattern_columns import BY_DAY, MODELS, type_name
from llmproxy_core.tui.table_words import ROOMY, table

SLOT = " … "
SLOT_STYLE = "bold $background on $accent"
TITLE = "bold $primary"
EXCERPT = 600
"""Characters of a template that are shown below the list."""
SURE = 0.5
"""A type is told with a question mark below it."""
MOST_PIECE = 200_000

KINDS = {
    "user": ("prompt of users", "prompts of users"),
    "system": ("system prompt", "system prompts"),
    "tools": ("set of tools", "sets of tools"),
}
"""One of them, and many."""


def template(pieces: Sequence[str | None], most: int = MOST_PIECE) -> Content:
    """The constant words, and a coloured gap for each slot; at most so many characters."""
    parts: list[str | tuple[str, str]] = []
    left, spaced = most, True
    for piece in pieces:
        text = SLOT if piece is None else plain.block(piece)[:left]
        if not spaced and (piece is None or not text[:1].isspace()):
            parts.append(" ")
        parts.append((text, SLOT_STYLE) if piece is None else text)
        spaced = text[-1:].isspace() and piece is not None
        left -= 0 if piece is None else len(text)
        if left <= 0:
            parts.append((" …", FAINT))
            break
    return Content.assemble(*parts) if parts else Content.styled("no words are the same", FAINT)


def head(one: PatternLine) -> Content:
    """One line: its name, type and kind."""
    named = "" if one.given else "  named by its words"
    return Content.assemble(
        (plain.line(one.name), "bold"), (f"  {_type(one)}", "$secondary"), (named, FAINT)
    )


def _type(one: PatternLine) -> str:
    if not one.type:
        return KINDS[one.kind][0]
    unsure = one.type_confidence is not None and one.type_confidence < SURE
    return f"{type_name(one.type)}{'?' if unsure else ''}"


def summary(one: PatternLine, sums: Sums, now: datetime, zone: tzinfo | None = None) -> Content:
    """`sums`: as much of the last days as is known."""
    seen = f"first seen {figures.moment(one.first_seen, now, zone)}"
    last = f"last {figures.moment(one.last_seen, now, zone)}"
    lines = [
        head(one),
        success(sums),
        Content.styled(
            f"{counted(max(one.calls, sums.calls), 'call')} in all, {seen}, {last}", FAINT
        ),
    ]
    if one.candidates:
        told = f"{counted(one.candidates, 'suggestion waits', 'suggestions wait')}: 8"
        lines.append(Content.styled(told, "$warning"))
    return Content("\n").join(lines)


def success(sums: Sums) -> Content:
    """`82.4% success, of 1,204 judged calls (80-85 %, 95 % sure); not: refusal 120, truncated 92`"""
    rate = sums.rate
    if rate.rate is None:
        told = f"nothing is known of how its calls of the last {DAYS} days went"
        return Content.styled(told, FAINT)
    style = trend.STYLES[trend.tone(rate)]
    parts: list[str | tuple[str, str]] = [
        (trend.percent(rate.rate), f"bold {style}"),
        f" success, of {counted(rate.calls, 'judged call')} in {DAYS} days",
        (f" ({trend.interval(rate)}, 95 % sure)", FAINT),
    ]
    if sums.bad:
        parts += [("; not: ", FAINT), (bad(sums), "$error")]
    return Content.assemble(*parts)


def bad(sums: Sums) -> str:
    """`refusal 12, truncated 3`: the most frequent first."""
    found = sorted(sums.bad.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{plain.line(name).replace('_', ' ')} {many:,}" for name, many in found)


def pane(
    one: PatternLine,
    about: PatternAbout | None,
    now: datetime,
    zone: tzinfo | None = None,
    width: int = ROOMY,
) -> Content:
    """Below the list."""
    lines = [summary(one, about.total if about else one.sums, now, zone)]
    if about is not None:
        if about.versions:
            lines.append(version_line(about.versions, now, zone))
        lines += [Content(""), template(about.pieces, EXCERPT)]
        lines += [Content(""), *table(MODELS, about.models, width)] if about.models else []
        if about.nearest:
            near = ", ".join(plain.line(name, 60) for name in about.nearest)
            lines += [Content(""), Content.styled(f"near to it: {near}", FAINT)]
    return Content("\n").join(lines)


def version_line(versions: Sequence[Version], now: datetime, zone: tzinfo | None = None) -> Content:
    """`v3, first seen Nov 18, since then refusal +4.0`"""
    latest = versions[-1]
    first = f"v{latest.number}, first seen {figures.moment(latest.first_seen, now, zone)}"
    if len(versions) < 2:
        return Content.styled(first, "$secondary")
    since = ", ".join(_changes(versions)) or "no change that can be told"
    return Content.assemble((first, "$secondary"), (", since then ", FAINT), since)


def _changes(versions: Sequence[Version]) -> Iterator[str]:
    """Of signals whose shares differ more than chance explains, in percentage points."""
    now, before = versions[-1].sums, versions[-2].sums
    if not now.judged or not before.judged:
        return
    for name in sorted({*now.bad, *before.bad}):
        one, other = now.bad.get(name, 0), before.bad.get(name, 0)
        differs = one / now.judged - other / before.judged
        if _apart(one, now.judged, other, before.judged):
            yield f"{plain.line(name).replace('_', ' ')} {trend.points(differs)} points"


def _apart(one: int, of: int, other: int, others: int) -> bool:
    """Two shares that differ by two standard errors."""
    pooled = (one + other) / (of + others)
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / others))
    return error > 0 and abs(one / of - other / others) > 2 * error


# the pages of one pattern ----------------------------------------------------------------------


def numbers(
    one: PatternLine,
    about: PatternAbout,
    now: datetime,
    zone: tzinfo | None = None,
    width: int = ROOMY,
) -> Content:
    """By model, by signal, by day."""
    models = table(MODELS, about.models, width)
    days = table(BY_DAY, reversed(about.days), width)
    head = summary(one, about.total, now, zone)
    return Content("\n").join([head, Content(""), *models, Content(""), *days])


def history(about: PatternAbout, now: datetime, zone: tzinfo | None = None) -> Content:
    """What became of it, the newest first."""
    if not about.history:
        return Content.styled("Nothing has happened to it since it was found.", FAINT)
    lines = []
    for one in about.history:
        other = f" {plain.line(one.other)}" if one.other else ""
        lines.append(
            Content.assemble(
                (f"{figures.moment(one.at, now, zone):<14}", FAINT),
                (f"{plain.line(one.what)}{other}", "bold"),
                f"  {plain.line(one.why)}",
                (f"  {plain.line(one.actor)}", FAINT),
            )
        )
    return Content("\n").join(lines)
