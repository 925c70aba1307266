"""A form of the answer that answers keep violating.

Wanted: LEAST_CALLS judged calls that want JSON (by parameter; or the prompt speaks of it, and MEANT
of the answers are), LEAST_BAD of them with invalid answers that were not cut off or refused, and a
share that is surely over LEAST_SHARE. Suggested, in this order: the schema as a strict parameter; JSON as a
parameter; a sentence at the end of the system prompt that names the places that are wrong. The first
that the wires of the pattern can do is taken.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from llmproxy_core.enhancements.built_in.weights import grown
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.enhancements.enhancement import Suggestion
from llmproxy_core.enhancements.evidence import Evidence, Observed, Violation
from llmproxy_core.model import Json
from llmproxy_core.success.rate import wilson

NAME = "violated_schema"
SIGNAL = "format"
OTHER_CAUSES = frozenset({"truncated", "refusal", "answered", "unavailable"})
LEAST_CALLS, LEAST_BAD = 30, 5
LEAST_SHARE = 0.02
MEANT = 0.6
LARGEST_SCHEMA = 8000
DEEPEST = 30
MOST_PLACES, LONGEST_WORDS = 5, 120
SUREST_WORDS = 0.85
"""Of words: a model may not heed them."""


def suggest(evidence: Evidence) -> list[Suggestion]:
    calls = [call for call in evidence.editable if call.judged]
    asked = [call for call in calls if call.wanted != "nothing"]
    if not asked and not (_means_json(calls) and _speaks_of_json(evidence)):
        return []
    calls = asked or [call for call in calls if call.is_json is not None]
    bad = [call for call in calls if _is_bad(call) and not call.bad & OTHER_CAUSES]
    if len(calls) < LEAST_CALLS or len(bad) < LEAST_BAD:
        return []
    if wilson(len(bad), len(calls))[0] <= LEAST_SHARE:
        return []
    found = [_by_parameter(evidence, calls), _by_words(evidence)]
    fault = f"{len(bad)} of {len(calls)} answers ({len(bad) / len(calls):.0%}) are not valid"
    return [
        _suggestion(edit, fault + rest, len(calls), surest)
        for edit, rest, surest in found
        if edit is not None
    ]


def _is_bad(call: Observed) -> bool:
    """What is asked for in words only, no signal judges."""
    return call.is_json is False if call.wanted == "nothing" else SIGNAL in call.bad


def _means_json(calls: Sequence[Observed]) -> bool:
    told = [call.is_json for call in calls if call.is_json is not None]
    return bool(told) and sum(told) >= MEANT * len(told)


def _by_parameter(
    evidence: Evidence, calls: Sequence[Observed]
) -> tuple[Operation | None, str, float]:
    wanted = {call.wanted for call in calls}
    schema = evidence.schema
    if schema is not None and wanted <= {"nothing", "object", "schema"} and is_closed(schema):
        operation: Operation = {
            "op": "response_format",
            "type": "json_schema",
            "name": "answer",
            "schema": dict(schema),
            "strict": True,
        }
        return operation, ", and the schema is not enforced; a strict parameter does that.", 0.95
    if wanted == {"nothing"}:
        rest = " JSON, and the request does not ask for it by parameter."
        return {"op": "response_format", "type": "json_object"}, rest, 0.95
    return None, "", 0.0


def _by_words(evidence: Evidence) -> tuple[Operation | None, str, float]:
    lines = ["Answer with one JSON value only: no text around it, and no code fence."]
    if worst := _worst(evidence.violations):
        lines += ["Mistakes to avoid, with their places in the answer ($):"]
        lines += [f"- {one.fault}" for one in worst]
    operation: Operation = {"op": "append_system", "text": "\n".join(lines)}
    return operation, ". The system prompt can say what is wrong.", SUREST_WORDS


def _worst(violations: Sequence[Violation]) -> list[Violation]:
    plain = [one for one in violations if _is_plain(one.fault)]
    return sorted(plain, key=lambda one: (-one.calls, one.fault))[:MOST_PLACES]


def _is_plain(words: str) -> bool:
    """Places have names that models made up: nothing long or odd comes into a prompt."""
    return len(words) <= LONGEST_WORDS and words.isprintable() and "://" not in words


def _speaks_of_json(evidence: Evidence) -> bool:
    """OpenAI and others refuse `json_object` where no message has the word."""
    texts = [f"{one.system}\n{one.user}" for one in evidence.exemplars]
    return bool(texts) and all("json" in text.lower() for text in texts)


def is_closed(schema: Mapping[str, Json]) -> bool:
    """Has it the form that `strict` asks: all keys required, no others, an object at the top?"""
    if len(str(schema)) > LARGEST_SCHEMA or schema.get("type") != "object":
        return False
    return _all_closed(schema, 0)


def _all_closed(node: Any, depth: int) -> bool:
    if depth > DEEPEST:
        return False
    if isinstance(node, list):
        return all(_all_closed(one, depth + 1) for one in node)
    if not isinstance(node, Mapping):
        return True
    properties = node.get("properties")
    if node.get("type") == "object" or isinstance(properties, Mapping):
        required = node.get("required")
        if node.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if not isinstance(properties, Mapping) or set(map(str, required)) != set(properties):
            return False
    return all(_all_closed(one, depth + 1) for one in node.values())


def _suggestion(edit: Operation, reasoning: str, n: int, surest: float) -> Suggestion:
    return Suggestion(
        type="format",
        edit=(edit,),
        confidence=grown(n, LEAST_CALLS, surest),
        reasoning=reasoning,
        source_engine=f"built-in:{NAME}",
    )
