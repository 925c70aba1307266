"""What operations would have made of stored calls: the exact difference, without sending anything.

Bodies are stored as the provider got them, with marks for secrets: an edit is shown on top of those
that were made then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.sections.operations import Operation
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.store import call_lessons, reads
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.transformations.applying import apply
from llmproxy_core.transformations.cached_prefix import cached_prefix_kept
from llmproxy_core.transformations.diff import Change, changes
from llmproxy_core.transformations.transformation import transformation
from llmproxy_core.trial import calls, reasons
from llmproxy_core.trial.calls import Call

MOST = 500
"""Newest calls among which those are looked for that a rule is for."""


@dataclass(frozen=True, slots=True)
class Tried:
    """`changes`: by the places of the JSON; empty: nothing would change. `left`: why the request would
    be left alone, in a sentence; "": it would not. `kept`: the share of its cacheable prompt before
    the first edit, 0 to 1."""

    flow: Flow
    changes: list[Change] = field(default_factory=list)
    left: str = ""
    kept: float = 1.0

    @property
    def lines(self) -> list[str]:
        """As in a unified diff."""
        return [line for one in self.changes for line in one.lines()]


def tried(flow: Flow, call: Call, operations: Sequence[Operation]) -> Tried:
    """What they make of a call. Raises nothing."""
    asked = call.asked
    if asked.body_kept != "full":
        return Tried(flow, left="its body was not kept as it was")
    body, problem = decode_body(asked.headers, asked.body)
    if problem:
        return Tried(flow, left=problem)
    made = apply(asked.wire, asked.path, asked.headers, body, operations)
    if made.left:
        return Tried(flow, left=" ".join(made.notes) or made.left)
    found = changes(asked.path, asked.headers, body, made)
    return Tried(flow, found, kept=cached_prefix_kept(body, made.body) if made.edits else 1.0)


def on_call(database: Database, id: UUID, operations: Sequence[Operation]) -> Tried | None:
    """None: there is no such call, or it cannot be read. Raises StoreError."""
    return next(_each(database, [id], operations), None)


def on_first(
    database: Database, ids: Sequence[UUID], operations: Sequence[Operation]
) -> Tried | None:
    """On the first of these calls that is changed; else the first of all. Raises StoreError."""
    first: Tried | None = None
    for one in _each(database, ids, operations):
        if one.changes:
            return one
        first = first or one
    return first


def of_rule(database: Database, rule: TransformationConfig, most: int) -> list[Tried]:
    """On the newest calls that it is for, `most` at most, the newest first.

    Raises ConfigError (it can be done nowhere) and StoreError.
    """
    compiled = transformation(rule)
    found: list[Tried] = []
    flows = calls.newest(database, datetime.fromtimestamp(0, UTC), MOST)[::-1]
    for at in range(0, len(flows), calls.TOGETHER):
        part = flows[at : at + calls.TOGETHER]
        with database.connect() as connection:
            patterns = call_lessons.patterns_of(connection, [flow.id for flow in part])
        by_id = {flow.id: flow for flow in part}
        for call in calls.read(database, part, []):
            told = reasons.facts(compiled, call, patterns)
            if compiled.fits(call.asked.wire) and compiled.holds(told):
                found.append(tried(by_id[call.id], call, rule.logic))
                if len(found) == most:
                    return found
    return found


def applies(database: Database, rule: TransformationConfig, id: UUID) -> bool:
    """Is it for this call? Raises ConfigError and StoreError."""
    return not reasons.unfit(database, rule, id)


def _each(
    database: Database, ids: Sequence[UUID], operations: Sequence[Operation]
) -> Iterator[Tried]:
    with database.connect() as connection:
        known = {flow.id: flow for flow in reads.flows_by_id(connection, [*ids])}
    flows = [known[id] for id in ids if id in known]
    for call in calls.read(database, flows, []):
        yield tried(known[call.id], call, operations)
