"""Answers that are damaged, or say odd things where the gate looks: they pass, and nothing fails."""

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmproxy_core.toolgate import FrameGate, ToolGate
from llmproxy_core.toolgate.formats import FORMATS
from llmproxy_core.toolgate.gate import Unread
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.toolgate.gated import EVENTS, Judge, denied, released, sse, through

BODIES = [
    (sample.wire, kind, body)
    for sample in SAMPLES
    if sample.wire in FORMATS
    for kind, body in ((sample.kind, sample.stream), ("application/json", sample.json))
]
ODD: list[Any] = [None, 0, -1, 1.5, True, "", "x", [], {}, [None], [[]], {"type": 1}, "\ud800"]
KEYS = (
    "type", "choices", "delta", "message", "tool_calls", "function_call", "function", "index", "id",
    "content_block", "output_index", "item", "item_id", "response", "output", "candidates", "start",
    "content", "parts", "functionCall", "args", "toolCall", "functionCalls", "name", "contentBlockIndex",
    "arguments", "finish_reason", "sequence_number", "stopReason", "tool_call_delta", "chat_history",
)  # fmt: skip
TYPES = (
    "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message",
    "response.output_item.added", "response.output_item.done", "response.completed", "response.done",
    "response.function_call_arguments.delta", "response.function_call_arguments.done", "tool_use",
    "function_call", "tool-call-start", "tool-call-delta", "tool-call-end", "stream-end",
    "tool-calls-generation", "tool-calls-chunk", "message-end", "conversation.item.added",
)  # fmt: skip
VALUES = st.recursive(
    st.sampled_from([*ODD, *TYPES]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)
TOLD = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=6)


@pytest.mark.parametrize("wire", sorted({one[0] for one in BODIES}))
def test_damaged_bytes_pass_as_they_come(wire: str) -> None:
    dice = random.Random(wire)
    for of, kind, body in BODIES:
        if of != wire or not body:
            continue
        for _ in range(20):
            data = _spoilt(body, dice)
            size = dice.randint(1, len(data))
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            assert sorted(_through(wire, kind, pieces, released)) == sorted(data)
            _through(wire, kind, pieces, denied)


def _spoilt(body: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(spoilt))
        spoilt[at : at + dice.randint(0, 3)] = dice.choice([b"\x00", b'"', b"}", b"\n\n", b"\xff"])
    return bytes(spoilt[: dice.randint(1, len(spoilt))])


def _through(wire: str, kind: str, pieces: list[bytes], judge: Judge) -> bytes:
    gate = ToolGate(wire, [("Content-Type", kind)], judge)
    out = b"".join([*map(gate.feed, pieces), gate.finish()])
    damaged = "eventstream" in kind and "damaged" in str(gate.fault)
    assert gate.fault is None or damaged or isinstance(gate.fault, Unread), repr(gate.fault)
    return out


@pytest.mark.parametrize("wire", sorted(FORMATS))
@settings(max_examples=40)
@given(events=st.lists(TOLD, max_size=5))
@example(events=[{"type": None}, {"output": [{"type": []}]}])
def test_whatever_events_say_nothing_fails(wire: str, events: list[Any]) -> None:
    stream = sse(*events)
    assert sorted(through(wire, EVENTS, [stream], released)) == sorted(stream)
    through(wire, EVENTS, [stream], denied)
    for judge in (released, denied):
        gate = FrameGate(wire, judge)
        sent = [one for event in events for one in gate.feed(json.dumps(event).encode())]
        sent += gate.finish()
        assert gate.fault is None
        assert judge is denied or len(sent) >= len(events)
