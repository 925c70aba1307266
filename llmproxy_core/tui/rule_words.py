"""A transformation, in words: which requests it is for, what it does, in which formats it can be done."""

from datetime import datetime, tzinfo

from textual.content import Content

from llmproxy_core.errors import LlmproxyError
from llmproxy_core.plural import counted
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.transformations.transformation import checked
from llmproxy_core.tui import figures, operation_words, plain
from llmproxy_core.tui.guard_words import FAINT

MOST_WIRES = 8


def rule(one: StoredTransformation, now: datetime, zone: tzinfo | None = None) -> Content:
    state = ("on", "bold $success") if one.active else ("off", f"bold {FAINT}")
    used = f"done {counted(one.usage_count, 'time')}"
    if one.last_used is not None:
        used += f", last {figures.moment(one.last_used, now, zone)}"
    lines = [
        Content.assemble(
            (plain.line(one.name), "bold"), "  ", state,
            (f"  order {one.order}", FAINT), (f"  {used}", "$secondary"),
        ),
        Content.assemble(("when  ", FAINT), plain.block(one.expression)),
        *(Content.assemble((line.text, "$accent" if line.paint == "field" else ""))
          for line in operation_words.lines(one.logic)),
        Content.styled(wires(one), FAINT),
        Content.styled(_origin(one, now, zone), FAINT),
    ]  # fmt: skip
    return Content("\n").join(lines)


def wires(one: StoredTransformation) -> str:
    """In which wire formats it can be done, and why not in others; what is wrong with it."""
    table = {"name": one.name, "when": one.expression, "logic": [dict(each) for each in one.logic]}
    try:
        found = checked(TransformationConfig.model_validate(table))
    except (ValueError, LlmproxyError) as exc:  # anybody may have written into the table
        return f"it cannot be done: {plain.line(str(exc), 300)}"
    able = [wire for wire, why in found.items() if not why]
    unable = {wire: why for wire, why in found.items() if why}
    told = f"done in {_some(able)}" if able else "it can be done nowhere"
    if unable:
        reason = plain.line(next(iter(unable.values())), 120)
        told += f"; not in {_some(list(unable))} ({reason})"
    return told


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_WIRES} more" if len(names) > MOST_WIRES else ""
    return ", ".join(names[:MOST_WIRES]) + more


def _origin(one: StoredTransformation, now: datetime, zone: tzinfo | None) -> str:
    at = figures.moment(one.updated_at, now, zone)
    by = f"changed {at} by {plain.line(one.updated_by)}"
    if one.origin == "mitm.toml":
        return f"of the mitm.toml of {plain.line(one.home or 'a home')}: change it there"
    if one.origin.startswith("experiment:"):
        return f"the winner of {plain.line(one.origin)}, {by}"
    return f"of the database, {by}"
