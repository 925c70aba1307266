"""Recorded WebSocket sessions, one exchange a response, are read as the provider told them."""

import json
import random
from typing import Any

from llmproxy_core.model import Delta, Request, Response
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.frames import filled
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.turns import LIVE
from tests.unit.providers.corpus import joined, needs_corpus
from tests.unit.providers.sessions import Turn, frames_of, sessions, split, wire_of
from tests.unit.test_websocket import Recorded

pytestmark = needs_corpus

PATH = "/v1/realtime?model=gpt-realtime"


def read(wire: str, turn: Turn, chunks: list[bytes] | None = None) -> tuple[Response, list[Delta]]:
    reader = AnswerReader(wire, 101, [], PATH)
    deltas: list[Delta] = []
    for chunk in chunks or [turn.response]:
        deltas += reader.feed(chunk)
    return reader.finish(), deltas


def asked(wire: str, turn: Turn) -> Request:
    request, problem = read_request(wire, PATH, [], turn.request)
    assert problem is None
    return request


def turns() -> list[tuple[str, str, Turn]]:
    return [
        (session["id"], wire_of(session), turn)
        for session in sessions()
        for turn in split(wire_of(session), frames_of(session))
    ]


def told(turn: Turn) -> list[dict[str, Any]]:
    return [json.loads(data) for client, data in turn.answered if not client]


def test_every_response_is_read_in_full() -> None:
    for id, wire, turn in turns():
        response, deltas = read(wire, turn)
        truth = _live(told(turn)) if wire == LIVE else _realtime(told(turn))
        calls = [(call.id, call.name, json.loads(call.arguments)) for call in response.tool_calls]
        assert (response.text, calls) == truth[:2], id
        assert (response.usage.raw if response.usage else None) == truth[2], id
        assert response.unknown_events == {}, id
        assert not response.incomplete, id
        assert response.error is None, id
        assert response.n_events == len(told(turn)), id
        assert response.finish_reasons, id
        texts = joined(deltas)
        assert texts.get(("text", 0), "") == response.text, id
        if calls:
            assert texts[("tool_call", 0)].startswith(f"{calls[0][1]} {{"), id


def _realtime(events: list[dict[str, Any]]) -> tuple[Any, ...]:
    done = events[-1]
    response = done["response"]
    parts = [part for item in response["output"] for part in item.get("content") or ()]
    text = "".join(part.get("transcript") or part.get("text") or "" for part in parts)
    calls = [
        (item["call_id"], item["name"], json.loads(item["arguments"]))
        for item in response["output"]
        if item["type"] == "function_call"
    ]
    return text, calls, response.get("usage") or done.get("usage")


def _live(events: list[dict[str, Any]]) -> tuple[Any, ...]:
    contents = [event.get("serverContent", {}) for event in events]
    text = "".join(c.get("outputTranscription", {}).get("text", "") for c in contents)
    calls = [
        (call["id"], call["name"], call["args"])
        for event in events
        for call in event.get("toolCall", {}).get("functionCalls", ())
    ]
    usages = [event["usageMetadata"] for event in events if "usageMetadata" in event]
    return text, calls, usages[-1] if usages else None


def test_every_request_knows_the_model_and_what_was_said() -> None:
    for id, wire, turn in turns():
        request = asked(wire, turn)
        assert request.model, id
        assert request.stream, id
        said = [json.loads(data) for client, data in turn.asked if client]
        results = sum(_is_result(frame) for frame in said)
        parts = [part for message in request.messages for part in message.parts]
        assert sum(part.kind == "tool_result" for part in parts) == results, id
        if any("input_text" in json.dumps(frame) for frame in said):
            assert any(part.kind == "text" and part.text for part in parts), id
        if any("append" in str(frame.get("type")) or "realtime_input" in frame for frame in said):
            assert any(part.kind == "audio" for part in parts), id


def _is_result(frame: dict[str, Any]) -> int:
    return "tool_response" in frame or "function_call_output" in json.dumps(frame.get("item", ""))


def test_tools_of_the_session_are_known_in_every_turn() -> None:
    for id, wire, turn in turns():
        response, _ = read(wire, turn)
        offered = {tool.name for tool in asked(wire, turn).tools}
        assert {call.name for call in response.tool_calls} <= offered, id


def test_instructions_of_the_session_are_known_in_every_turn() -> None:
    for id, wire, turn in turns():
        frames = [json.loads(data) for data in turn.carried]
        last = filled(*(frame.get("session") or frame.get("setup") for frame in frames))
        instructed = last.get("instructions") or last.get("systemInstruction")
        assert bool(asked(wire, turn).system) == bool(instructed), id


def test_cuts_change_nothing() -> None:
    dice = random.Random(9)
    for id, wire, turn in turns():
        expected, deltas = read(wire, turn)
        body = turn.response
        for _ in range(3):
            at = sorted(dice.randrange(len(body)) for _ in range(dice.randrange(1, 30)))
            chunks = [body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]
            response, others = read(wire, turn, chunks)
            assert (response, joined(others)) == (expected, joined(deltas)), id


def test_a_session_that_breaks_off_keeps_what_was_said() -> None:
    dice = random.Random(10)
    for id, wire, turn in turns():
        body = turn.response
        whole, _ = read(wire, turn)
        cut = body[: dice.randrange(body.rstrip(b"\n").rfind(b"\n") + 2)]
        response, _ = read(wire, turn, [cut]) if cut else (Response(incomplete=True), [])
        assert response.incomplete, id
        assert whole.text.startswith(response.text), id


def test_the_proxy_writes_exchanges_that_are_read_alike() -> None:
    for session in sessions():
        wire, frames = wire_of(session), frames_of(session)
        recorded = Recorded(wire, max_body=2**26)
        for client, data in frames:
            recorded.frame(client, data)
        recorded.take(recorded.session.close("client_closed"))
        for at, turn in enumerate(split(wire, frames)):
            opened, body = recorded.opened[at]
            request, problem = read_request(wire, PATH, [], body)
            expected = asked(wire, turn)
            assert (problem, request.model, request.tools) == (None, expected.model, expected.tools)
            assert _texts(request) == _texts(expected), (session["id"], at)
            answer = Turn([], carried=[])
            response, _ = read(wire, answer, [recorded.answers[opened.id]])
            assert response == read(wire, turn)[0], (session["id"], at)


def _texts(request: Request) -> list[str]:
    return [
        part.text for message in request.messages for part in message.parts if part.kind == "text"
    ]
