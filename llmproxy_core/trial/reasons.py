"""Why a transformation does nothing to a stored call, in sentences."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from llmproxy_core import expressions
from llmproxy_core.expressions.parts import parts
from llmproxy_core.expressions.triggers import SAME, VARIABLES
from llmproxy_core.policies.facts import of_request
from llmproxy_core.sections.operations import Operation
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.store import call_lessons, reads
from llmproxy_core.store.call_lessons import CallPattern
from llmproxy_core.store.database import Database
from llmproxy_core.transformations.transformation import Transformation, transformation
from llmproxy_core.trial import calls
from llmproxy_core.trial.calls import Call

NOTHING_TO_DO: Mapping[str, str] = {
    "set": "{parameter} is so already, or the program sets it itself",
    "clamp": "the request has no {parameter}, or it is within the bounds",
    "drop": "the request has no {parameter}",
    "prepend_system": "the system prompt begins so already",
    "append_system": "the system prompt ends so already",
    "replace_system": "the system prompt is so already",
    "replace_text": "no text of the {role} has it",
    "add_messages": "the messages are there already",
    "cache_breakpoint": "there is one already",
    "model": "it is {to} already",
    "response_format": "it is so already",
    "drop_tools": "none of the tools on offer is called so",
    "add_tools": "tools of these names are there already",
    "add_header": "the header {name} is so already",
}
LONGEST = 200


def facts(
    compiled: Transformation, call: Call, patterns: Mapping[UUID, list[CallPattern]]
) -> dict[str, Any]:
    """What the expression may ask of the call."""
    found = of_request(call.about(), compiled.expression.variables, lambda: call.request)
    known = call_lessons.facts(patterns.get(call.id, []))
    return {**found, **known, "wire": call.asked.wire}


def unfit(database: Database, rule: TransformationConfig, id: UUID) -> list[str]:
    """Why it is not for this call; empty: it is. Raises ConfigError and StoreError."""
    compiled = transformation(rule)
    with database.connect() as connection:
        flows = reads.flows_by_id(connection, [id])
        patterns = call_lessons.patterns_of(connection, [id])
    for call in calls.read(database, flows, []):
        wire = call.asked.wire
        told = facts(compiled, call, patterns)
        said = [] if compiled.holds(told) else [*_not_held(rule.when, told)]
        why = compiled.check().get(wire) or compiled.check().get("other", "")
        if not compiled.fits(wire) and why:
            said.append(f"it cannot be done in {wire}: {why}")
        return said
    return ["the call cannot be read"]


def idle(operations: Sequence[Operation]) -> list[str]:
    """Why these change nothing of a request in which they could be done."""
    return [f"{one.op}: {NOTHING_TO_DO[one.op].format(**one.model_dump())}" for one in operations]


def before(database: Database, name: str, id: UUID) -> str:
    """What this rule did to the call when it was sent; empty: nothing is known of that."""
    with database.connect() as connection:
        applied = call_lessons.of_call(connection, id).applied
    for one in applied:
        if one.kind == "transformation" and one.name == name:
            if one.why:
                return f"it was left alone when it was sent: {one.why}"
            return "this rule was done to it when it was sent: what is stored is what came of it"
    return ""


def _not_held(when: str, told: Mapping[str, Any]) -> Iterator[str]:
    for part in parts(when):
        one = expressions.compile(part, VARIABLES, SAME)
        if one.holds(told):
            continue
        said = ", ".join(_fact(name, told) for name in sorted(one.variables))
        yield f"{part} does not hold{f': {said}' if said else ''}"


def _fact(name: str, told: Mapping[str, Any]) -> str:
    value = told.get(name, told.get(SAME.get(name, name)))
    if value is None or value == "":
        return f"{name} is not known"
    written = json.dumps(value, ensure_ascii=False, default=str)
    return f"{name} is {written if len(written) <= LONGEST else written[: LONGEST - 1] + '…'}"
