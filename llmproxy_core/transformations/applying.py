"""Does operations on a request: all of them, or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmproxy_core.model import Headers
from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.namespace.signed import signed
from llmproxy_core.sections.operations import Operation
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.actions.registry import action
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.draft import Draft
from llmproxy_core.transformations.nodes import Span

WORTH = 16
"""Bytes that are looked for in what stands in their place."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A request as it is sent. `edits`: of the body that came: (start, end, what is there now), in
    order, none within another; `places`: where the values of that body stand in it, by their keys,
    if anything was edited. `left`: a word why the request is as it was, "" if all was done, or
    nothing was to do; `notes`: what people should know, and the reason in a sentence."""

    body: bytes
    path: str
    headers: Headers
    edits: list[Edit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: str = ""
    places: Mapping[str, Span] = field(default_factory=dict)

    def differs(self, path: str, headers: Headers) -> bool:
        """Was anything changed of a request with these?"""
        return bool(self.edits) or self.path != path or self.headers != headers


def apply(
    wire: str, path: str, headers: Headers, body: bytes, operations: Iterable[Operation]
) -> Applied:
    """`body`: without content codings, or a frame of a WebSocket's client. Raises nothing."""
    return do(wire, path, headers, body, [action(one) for one in operations])


def do(wire: str, path: str, headers: Headers, body: bytes, actions: Sequence[Action]) -> Applied:
    """As `apply`, with operations that are ready."""
    draft = Draft(wire, path, headers, body, signed=signed(headers, path))
    try:
        for one in actions:
            one(draft)
        return finished(draft)
    except Cannot as why:
        return Applied(body, path, headers, notes=[why.said], left=why.reason)


def finished(draft: Draft) -> Applied:
    """Raises Cannot."""
    document = draft.changed
    edits = [] if document is None else minimal(draft.body, document.edits())
    if document is None or not edits:
        return Applied(draft.body, draft.path, draft.headers, [], draft.notes)
    body, places = document.written(edits), document.places()
    return Applied(body, draft.path, draft.headers, edits, draft.notes, places=places)


def minimal(body: bytes, edits: Iterable[Edit]) -> list[Edit]:
    """Without those that change nothing; what is only written around does not count as changed."""
    found: list[Edit] = []
    for start, end, new in edits:
        old = body[start:end]
        around = new.find(old) if len(old) >= WORTH else -1
        if old == new:
            continue
        if around < 0:
            found.append((start, end, new))
            continue
        after = new[around + len(old) :]
        found += [(start, start, new[:around])] if around else []
        found += [(end, end, after)] if after else []
    return found
