"""What is learnt of a call, in the lines of `llmproxy show`."""

from collections.abc import Iterator

from llmproxy_core.store.call_lessons import Applied, CallLessons
from llmproxy_core.tui import plain

LABELS = {"user": "pattern", "system": "system", "tools": "tools"}


def lines(learnt: CallLessons) -> Iterator[str]:
    """None where nothing is known."""
    for one in learnt.patterns:
        version = f" v{one.version}" if one.version else ""
        kind = f" ({one.type.replace('_', ' ')})" if one.type else ""
        yield f"{LABELS[one.kind]:<9} {plain.line(one.name)}{version}{kind}"
    for done in learnt.applied:
        yield f"changed   {_done(done)}"
    for said in learnt.signals:
        why = f": {plain.line(said.why)}" if said.why else ""
        yield f"{said.verdict:<9} {plain.line(said.name).replace('_', ' ')}{why}"


def _done(one: Applied) -> str:
    """`by brief`, `by shorter, arm enhanced`, `not by brief: signed`"""
    arm = f", arm {plain.line(one.arm)}" if one.arm else ""
    if one.why:
        return f"not by {plain.line(one.name)}{arm}: {plain.line(one.why)}"
    return f"by {plain.line(one.name)}{arm}"
