"""What is learnt of one call: its patterns, what was changed of it, how it went."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from textual.content import Content

from llmproxy_core.store.call_lessons import Applied, CallLessons, CallPattern
from llmproxy_core.store.verdicts import Told
from llmproxy_core.success.registry import SIGNALS
from llmproxy_core.tui import figures, plain, trend
from llmproxy_core.tui.flow_columns import short_id
from llmproxy_core.tui.guard_words import FAINT
from llmproxy_core.tui.pattern_columns import type_name

TITLE = "bold $primary"
NAMES = {"user": "prompt", "system": "system prompt", "tools": "tools"}
NOTHING = "Nothing has been learnt of this call (yet), and it was not changed."
ASK = "How was the answer? + good, - bad"
LEAST_KEPT = 0.999


def report(learnt: CallLessons, now: datetime, zone: tzinfo | None = None) -> Content:
    """All of it."""
    parts: list[Content] = []
    if learnt.patterns:
        parts.append(_section("Patterns", map(_pattern, learnt.patterns)))
    if learnt.applied:
        parts.append(_section("Changed by rules and experiments", map(applied, learnt.applied)))
    if learnt.signals:
        told = (_signal(one, now, zone) for one in learnt.signals)
        parts.append(_section("How it went", told))
    if not parts:
        parts.append(Content.styled(NOTHING, FAINT))
    return Content("\n\n").join([*parts, Content.styled(ASK, "$accent")])


def _section(title: str, lines: Iterator[Content]) -> Content:
    return Content("\n").join([Content.styled(title, TITLE), *lines])


def _pattern(one: CallPattern) -> Content:
    version = f" v{one.version}" if one.version else ""
    return Content.assemble(
        (f"{NAMES[one.kind]:<14}", FAINT),
        (f"{plain.line(one.name)}{version}", "bold"),
        (f"  {type_name(one.type)}", "$secondary"),
    )


def applied(one: Applied, *, brief: bool = False) -> Content:
    """`brief-triage: done`, `shorter: arm enhanced`, `brief-triage: left alone, signed`"""
    name = plain.line(one.name)
    said, style = ("done", "$success") if one.kind == "transformation" else ("", "$success")
    if one.kind == "experiment":
        said = f"arm {plain.line(one.arm or '?')}"
    if one.why:
        said, style = (
            f"{said + ', ' if one.arm else ''}left alone: {plain.line(one.why)}",
            "$warning",
        )
    kept = ""
    if one.kept is not None and one.kept < LEAST_KEPT and not brief:
        kept = f"  keeps {trend.percent(one.kept)} of what is cached"
    what = "experiment " if one.kind == "experiment" else "rule "
    return Content.assemble((what, FAINT), (name, "bold"), ": ", (said, style), (kept, FAINT))


def _signal(one: Told, now: datetime, zone: tzinfo | None) -> Content:
    style = "$success" if one.verdict == "good" else "$error"
    by = f"  told by call {short_id(one.told_by)}" if one.told_by else ""
    sure = f"  {one.weight:.0%} sure" if one.weight < 1 else ""
    return Content.assemble(
        ("● ", style),
        (f"{plain.line(one.name).replace('_', ' '):<13}", "bold"),
        plain.line(one.why) or _about(one),
        (f"{sure}{by}  {figures.moment(one.at, now, zone)}", FAINT),
    )


def _about(one: Told) -> str:
    """Where nobody said why."""
    if one.source == "user":
        return f"a person calls it {one.verdict}"
    return SIGNALS[one.name].about if one.name in SIGNALS else ""


def summary(learnt: CallLessons) -> list[Content]:
    """A line for the head of a call: its pattern and what was done; none: nothing is known."""
    told: list[Content] = []
    for one in learnt.patterns:
        if one.kind == "user":
            told.append(Content.assemble(("pattern ", FAINT), (plain.line(one.name), "$secondary")))
    told += [applied(one, brief=True) for one in learnt.applied]
    bad = [plain.line(one.name).replace("_", " ") for one in learnt.signals if one.verdict == "bad"]
    if bad:
        told.append(Content.styled(", ".join(dict.fromkeys(bad)), "$error"))
    if not told:
        return []
    return [Content(" ") + Content("  ").join(told) + Content.styled("  (8)", FAINT)]
