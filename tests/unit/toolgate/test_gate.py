"""What the gate holds, how much of it, how long, and what becomes of it when something fails."""

import json
import time
from typing import Any

import pytest

from llmproxy_core.toolgate import Call, FrameGate, ToolGate, gate
from llmproxy_core.toolgate.formats.anthropic import Anthropic
from tests.unit.toolgate.gated import EVENTS, NO, denied, events, released, sse, through

MESSAGES = "anthropic.messages"
PING = {"type": "ping"}


def start(index: int, kind: str = "tool_use", **block: Any) -> dict[str, Any]:
    named = {"id": f"toolu_{index}", "name": "bash", "input": {}} if kind == "tool_use" else {}
    return {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": kind, **named, **block},
    }


def piece(index: int, text: str) -> dict[str, Any]:
    delta = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def text(index: int, said: str) -> dict[str, Any]:
    delta = {"type": "text_delta", "text": said}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def ended(reason: str = "tool_use") -> dict[str, Any]:
    usage = {"output_tokens": 7}
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def leaving(judge: Any, *told: Any, **options: Any) -> list[list[Any]]:
    gated = ToolGate(MESSAGES, EVENTS, judge, **options)
    return [*(events(gated.feed(sse(one))) for one in told), events(gated.finish())]


def test_a_call_leaves_with_its_last_event():
    told = [start(0), piece(0, '{"command":'), piece(0, '"ls"}'), stop(0), ended()]
    assert leaving(released, *told) == [[], [], [], told[:4], told[4:], []]


def test_the_call_of_one_block_is_denied_and_another_goes_on():
    asked: list[str] = []

    def judge(call: Call) -> str:
        asked.append(call.arguments)
        return NO if "rm" in call.arguments else ""

    told = [start(0), piece(0, '"rm"'), stop(0), start(1), piece(1, '"ls"'), stop(1), ended()]
    sent = leaving(judge, *told)
    assert asked == ['"rm"', '"ls"']
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}  # fmt: skip
    assert sent[2] == [block, text(0, NO), stop(0)]
    assert sent[5:7] == [told[3:6], [ended()]]


def test_the_reason_fits_when_no_call_is_left():
    sent = leaving(denied, start(0), piece(0, "{}"), stop(0), ended())
    assert sent[3] == [ended("end_turn")]


def test_what_anthropic_runs_itself_is_not_asked_about():
    told = [start(0, "server_tool_use", name="web_search"), piece(0, "{}"), stop(0), ended()]
    assert leaving(denied, *told)[:4] == [[one] for one in told]


def test_a_text_that_began_before_goes_on_and_one_that_begins_later_keeps_its_place():
    told = [start(0, "text"), start(1), text(0, "Hm"), start(2, "text"), text(2, "!"), stop(1)]
    sent = leaving(released, *told)
    assert sent[:3] == [[told[0]], [], [told[2]]]
    assert sent[5] == [told[1], told[3], told[4], told[5]]


def test_what_keeps_a_connection_alive_keeps_its_place_but_not_for_long(monkeypatch):
    told = [start(0), PING, stop(0)]
    assert leaving(released, *told) == [[], [], told, []]
    monkeypatch.setattr(gate, "PATIENCE", -1)
    assert leaving(released, *told)[:2] == [[], [PING]]
    comment = b": keep-alive\n\n"
    gated = ToolGate(MESSAGES, EVENTS, released)
    assert gated.feed(sse(start(0))) + gated.feed(comment) == comment


@pytest.mark.parametrize("says", ["", NO])
def test_more_bytes_than_may_be_held_are_judged_as_they_are(says: str):
    asked: list[tuple[int, str]] = []

    def judge(call: Call) -> str:
        asked.append((len(call.arguments), call.cut))
        return says

    told = [start(0), piece(0, "x" * 900), piece(0, "y" * 900), piece(0, "z"), stop(0), ended()]
    sent = leaving(judge, *told, limit=1500)
    assert asked == [(1800, "large")]
    if says:
        assert [len(one) for one in sent] == [0, 0, 3, 0, 0, 1, 0]
    else:
        assert sent == [[], [], told[:3], told[3:4], told[4:5], told[5:], []]


@pytest.mark.parametrize("closed", [False, True])
def test_a_fault_of_ours_fails_as_was_asked_for(closed):
    def judge(call: Call) -> str:
        raise LookupError(call.name)

    stream = [sse(one) for one in (start(0, "text"), start(1), piece(1, "{}"), stop(1), ended())]
    gated = ToolGate(MESSAGES, EVENTS, judge, closed=closed)
    sent = b"".join([*map(gated.feed, stream), gated.finish()])
    assert isinstance(gated.fault, LookupError)
    assert sent == (stream[0] if closed else b"".join(stream))


@pytest.mark.parametrize("closed", [False, True])
def test_a_fault_while_something_is_replaced_loses_no_event_twice(monkeypatch, closed):
    def changed(self: Anthropic, told: Any) -> Any:
        if told["type"] == "content_block_stop":
            raise LookupError
        return [told]

    monkeypatch.setattr(Anthropic, "changed", changed)
    stream = [sse(one) for one in (start(1), piece(1, "{}"), stop(1), ended())]
    gated = ToolGate(MESSAGES, EVENTS, denied, closed=closed)
    sent = b"".join([*map(gated.feed, stream), gated.finish()])
    assert sent == b"".join(stream[:2] if closed else stream)


def test_a_closed_gate_lets_nothing_go_on_that_it_cannot_cut_into_events(monkeypatch):
    monkeypatch.setattr("llmproxy_core.namespace.events.LIMIT", 1000)
    endless = b"data: " + b"x" * 2000
    for closed in (False, True):
        gated = ToolGate(MESSAGES, EVENTS, released, closed=closed)
        assert gated.feed(endless) + gated.finish() == (b"" if closed else endless)
        assert isinstance(gated.fault, ValueError)


def test_formats_without_calls_and_bodies_that_are_no_events_pass():
    assert through("openai.embeddings", [], [b'{"tool_calls": 1}'], denied) == b'{"tool_calls": 1}'
    for body in (b"", b"  \n", b"<html>tool_use</html>", b'{"tool_use": ', b"[tool_use", b"\xff\r"):
        assert through(MESSAGES, [], [body[:3], body[3:]], denied) == body
        assert through(MESSAGES, EVENTS, [body], denied) == body


def test_an_answer_without_a_word_of_a_call_is_idle():
    gated = ToolGate(MESSAGES, [], denied)
    assert gated.idle(b'{"content": []}')
    assert not gated.idle(b'{"stop_reason": "tool_use"}')


@pytest.mark.parametrize("closed", [False, True])
def test_frames_fail_as_was_asked_for(closed):
    def judge(call: Call) -> str:
        raise LookupError(call.name)

    item = {"type": "function_call", "id": "fc_1", "name": "rm", "arguments": "{}"}
    kinds = ("response.output_item.added", "response.output_item.done", "response.other")
    frames = [json.dumps({"type": kind, "output_index": 0, "item": item}).encode() for kind in kinds]  # fmt: skip
    gated = FrameGate("openai.responses.websocket", judge, closed=closed)
    sent = [one for frame in frames for one in gated.feed(frame)]
    assert isinstance(gated.fault, LookupError)
    assert sent == ([] if closed else frames)


MANY = 3000


def many_of_chat() -> list[Any]:
    calls = [{"index": at, "id": f"c{at}", "function": {"name": "a"}} for at in range(MANY)]
    return [
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]} for call in [*calls, *calls]
    ] + [{"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]


def many_of_messages() -> list[Any]:
    return [event for at in range(MANY) for event in (start(at), piece(at, "{}"), PING, stop(at))]


def many_of_responses() -> list[Any]:
    told: list[Any] = []
    for at in range(MANY):
        item = {"id": f"fc_{at}", "type": "function_call", "call_id": f"c{at}", "name": "a"}
        for kind in ("response.output_item.added", "response.output_item.done"):
            told.append({"type": kind, "output_index": at, "item": item, "sequence_number": at})
    items = [one["item"] for one in told[1::2]]
    return [*told, {"type": "response.completed", "response": {"output": items}}]


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        ("openai.chat", many_of_chat()),
        ("anthropic.messages", many_of_messages()),
        ("openai.responses", many_of_responses()),
    ],
    ids=["chat", "messages", "responses"],
)
def test_thousands_of_calls_cost_as_much_as_so_many(wire, told):
    def judge(call: Call) -> str:
        count[0] += 1
        return NO if count[0] % 2 else ""

    count = [0]
    began = time.process_time()
    sent = through(wire, EVENTS, [sse(one) for one in told], judge)
    assert time.process_time() - began < 4
    assert count == [MANY]
    assert sent.count(NO.encode()) >= MANY // 2
