"""Recorded requests of twenty providers: only what is edited is another byte, and means what the
operations say."""

import json
from itertools import pairwise
from typing import Any

import pytest

from llmproxy_core.namespace.outgoing import edited
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.sections.operations import Operation, read_operations
from llmproxy_core.transformations.applying import Applied, apply
from tests.unit.providers.corpus import (
    FOLDER,
    body,
    exchanges,
    lines,
    needs_corpus,
    path_of,
    wire_of,
)
from tests.unit.transformations.done import FEW_SHOT, SCHEMA

pytestmark = needs_corpus

LARGEST = 100_000
OPERATIONS: dict[str, list[dict[str, Any]]] = {
    "append": [{"op": "append_system", "text": 'Be "brief".\nYes é'}],
    "prepend": [{"op": "prepend_system", "text": "First."}],
    "replace": [{"op": "replace_system", "text": "Only this."}],
    "set": [
        {"op": "set", "parameter": "max_tokens", "value": 9_000},
        {"op": "set", "parameter": "temperature", "value": 0.5},
    ],
    "clamp": [{"op": "clamp", "parameter": "temperature", "max": 0.1}],
    "drop": [{"op": "drop", "parameter": "temperature"}],
    "shots": [FEW_SHOT],
    "mark": [{"op": "cache_breakpoint", "at": -1, "move": True}],
    "format": [{"op": "response_format", "type": "json_schema", "schema": SCHEMA}],
    "drop tools": [{"op": "drop_tools", "names": ["get_*", "search*"]}],
    "add tools": [{"op": "add_tools", "tools": [{"name": "zzz", "description": "d"}]}],
    "model": [{"op": "model", "to": "m-1"}],
}
TEXTS = [
    {"op": "replace_text", "role": role, "pattern": "([a-z])e", "replacement": r'"\1"é'}
    for role in ("user", "assistant", "tool", "system")
]
ALL = read_operations(
    [*OPERATIONS["append"], *OPERATIONS["prepend"], *TEXTS, FEW_SHOT, *OPERATIONS["add tools"]]
)


def requests() -> list[tuple[str, str, bytes]]:
    found = ((wire_of(one), path_of(one), body(one, "request")) for one in exchanges())
    return [one for one in found if 0 < len(one[2]) < LARGEST]


def applied(wire: str, path: str, raw: bytes, logic: tuple[Operation, ...]) -> Applied:
    made = apply(wire, path, [], raw, logic)
    assert edited(raw, made.edits) == made.body
    assert all(raw[start:end] != new for start, end, new in made.edits)
    assert all(a[1] <= b[0] for a, b in pairwise(made.edits))
    if made.left:
        assert made.body is raw
    return made


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_done_once_and_for_all(name):
    changed, logic = 0, read_operations(OPERATIONS[name])
    for wire, path, raw in requests():
        made = applied(wire, path, raw, logic)
        if made.edits:
            changed += 1
            json.loads(made.body)
            assert not applied(wire, made.path, made.body, logic).edits
    assert changed > 100


def test_texts_and_all_else_together_leave_json_and_the_same_number_of_messages():
    changed = 0
    for wire, path, raw in requests():
        made = applied(wire, path, raw, ALL)
        if not made.edits or wire not in FORMATS:
            continue
        changed += 1
        before, _ = read_request(wire, path, [], raw)
        after, _ = read_request(wire, path, [], made.body)
        added = len(after.messages) - len(before.messages)
        assert added in (2, 3)  # a system message is one, too
        assert len(after.tools) == len(before.tools) + 1
        assert after.model == before.model
        assert after.stream == before.stream
    assert changed > 2500


def test_what_is_signed_in_a_conversation_is_never_touched():
    seen = 0
    for wire, path, raw in requests():
        if b'"signature"' not in raw and b'"encrypted_content"' not in raw:
            continue
        made = applied(wire, path, raw, ALL)
        kept = _sealed(json.loads(raw))
        seen += len(kept)
        assert _sealed(json.loads(made.body)) == kept
    assert seen > 20


def test_frames_of_recorded_sessions_keep_what_they_do_not_say():
    """Only frames that tell instructions, or ask for a response over a socket, are changed."""
    append = read_operations(OPERATIONS["append"])
    changed = 0
    for session in lines(FOLDER / "websocket.jsonl.gz"):
        for message in session["messages"]:
            frame = message.get("data")
            if not isinstance(frame, dict):
                continue
            raw = json.dumps(frame).encode()
            for wire in ("openai.realtime", "openai.responses.websocket", "gemini.live"):
                made = applied(wire, "/v1/x", raw, append)
                assert not made.left or wire != "openai.realtime"
                changed += bool(made.edits)
    assert changed > 10


def _sealed(value: Any) -> list[Any]:
    """All objects with a signature, in order."""
    if isinstance(value, list):
        return [found for one in value for found in _sealed(one)]
    if not isinstance(value, dict):
        return []
    if "signature" in value or "encrypted_content" in value:
        return [value]
    return [found for one in value.values() for found in _sealed(one)]
