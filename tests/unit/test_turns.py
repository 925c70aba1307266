"""Sessions are cut into one exchange a response."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.turns import (
    LIVE,
    REALTIME,
    RESPONSES,
    WIRES,
    begins_answer,
    begins_turn,
    carry,
    ends_turn,
    is_empty,
)
from tests.unit.providers.corpus import needs_corpus
from tests.unit.providers.sessions import Session, frames_of, sessions, split, wire_of

TAIL_AFTER_CALL = {"fd1f9d8c4e633bc1"}
"""Vertex ends the turn of a call (with its usage) only after the results: an exchange without text."""


def frame(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@needs_corpus
def test_recorded_sessions_have_one_exchange_a_response() -> None:
    for session in sessions():
        turns = split(wire_of(session), frames_of(session))
        tail = session["id"] in TAIL_AFTER_CALL
        assert len(turns) == _answers(session), session["id"]
        assert all(turn.ended for turn in turns), session["id"]
        assert all(turn.begun for turn in turns) or tail, session["id"]


def _answers(session: Session) -> int:
    received = [m["data"] for m in session["messages"] if m.get("direction") == "received"]
    if wire_of(session) == REALTIME:
        return sum(data["type"] == "response.done" for data in received)
    ends = [data.get("serverContent", {}).get("turnComplete") is True for data in received]
    return sum(ends) + sum("toolCall" in data for data in received)


@needs_corpus
def test_every_frame_of_a_session_is_in_an_exchange_or_after_the_last() -> None:
    for session in sessions():
        frames = frames_of(session)
        turns = split(wire_of(session), frames)
        told = [frame for turn in turns for frame in (*turn.asked, *turn.answered)]
        assert set(frames[: max(map(frames.index, turns[-1].answered))]) <= set(told)


@needs_corpus
def test_what_the_session_told_is_carried_into_every_turn() -> None:
    for session in sessions():
        for turn in split(wire_of(session), frames_of(session)):
            assert 1 <= len(turn.carried) <= 2, session["id"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(type="response.create", model="gpt-x", input=[]), True),
        (frame(model="gpt-x", type="response.create", input=[]), True),
        (frame(type="response.create", model="gpt-x", generate=True), True),
        (frame(type="response.create", model="gpt-x", generate=False), False),
        (frame(type="response.create", input=[{"generate": False}]), True),
        (frame(type="response.cancel"), False),
        (frame(type="x", input='{"type":"response.create"}'), False),
        (b'{"input": {"type": "response.create"}}', False),
    ],
)
def test_a_response_is_asked_for_by_name(data: bytes, expected: bool) -> None:
    assert begins_turn(RESPONSES, data) is expected


def test_a_response_is_asked_for_however_its_name_is_spelled() -> None:
    for data in (
        rb'{"type": "response\u002ecreate"}',
        rb'{"model": "m", "\u0074ype": "r\u0065sponse.create"}',
    ):
        assert begins_turn(REALTIME, data)
        assert begins_turn(RESPONSES, data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(type="response.create", generate=False, input=[]), True),
        (frame(type="response.create", generate=False, model="gpt-x"), True),
        (frame(type="response.create", generate=False, input=["additional_tools"]), False),
        (frame(type="response.create", generate=False, tools=[{"name": "find"}]), False),
        (frame(type="response.create", input=[]), False),
        (b"", False),
    ],
)
def test_a_warm_up_may_say_nothing_yet(data: bytes, expected: bool) -> None:
    assert is_empty(RESPONSES, data) is expected
    assert not is_empty(REALTIME, data)


def test_a_warm_up_is_carried_and_no_turn() -> None:
    data = frame(type="response.create", generate=False, input=[{"type": "additional_tools"}])
    assert carry(RESPONSES, data) == "warm-up"
    assert not begins_answer(RESPONSES, frame(type="response.created"))
    assert carry(RESPONSES, frame(type="response.create", input=[])) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"clientContent": {"turns": [], "turnComplete": True}}, True),
        ({"client_content": {"turns": [], "turn_complete": True}}, True),
        ({"clientContent": {"turns": [{"parts": [{"text": '"turnComplete"'}]}]}}, False),
        ({"clientContent": {"turns": [], "turnComplete": False}}, False),
        ({"toolResponse": {"functionResponses": []}}, True),
        ({"realtimeInput": {"audio": {"data": "AAAA"}}}, False),
        ({"realtimeInput": {"text": "Hello"}}, True),
        ({"realtimeInput": {"activityEnd": {}}}, True),
        ({"setup": {"model": "models/x"}}, False),
    ],
)
def test_gemini_is_asked_by_whole_turns(message: dict[str, object], expected: bool) -> None:
    assert begins_turn(LIVE, frame(**message)) is expected


@pytest.mark.parametrize(
    ("message", "begins", "ends"),
    [
        ({"serverContent": {"modelTurn": {"parts": [{"text": "Hi"}]}}}, True, False),
        ({"serverContent": {"outputTranscription": {"text": "Hi"}}}, True, False),
        ({"serverContent": {"outputTranscription": {}}}, False, False),
        ({"serverContent": {"inputTranscription": {"text": "Hi"}}}, False, False),
        ({"serverContent": {"interrupted": True}}, False, False),
        ({"serverContent": {"generationComplete": True}}, False, False),
        ({"usageMetadata": {}, "serverContent": {"turnComplete": True}}, False, True),
        ({"toolCall": {"functionCalls": [{"name": "f"}]}}, True, True),
        ({"toolCallCancellation": {"ids": ["1"]}}, False, False),
        ({"setupComplete": {}}, False, False),
    ],
)
def test_gemini_answers(message: dict[str, object], begins: bool, ends: bool) -> None:
    assert (begins_answer(LIVE, frame(**message)), ends_turn(LIVE, frame(**message))) == (
        begins,
        ends,
    )


def test_an_error_ends_the_turn_that_it_refuses() -> None:
    def refused(**error: str) -> bool:
        return ends_turn(REALTIME, frame(type="error", error=error))

    assert refused(type="invalid_request_error", code="invalid_value", param="response.voice")
    assert refused(type="server_error", message="we are sorry")
    assert not refused(code="conversation_already_has_active_response")
    assert not refused(code="input_audio_buffer_commit_empty")
    assert not refused(code="unknown_parameter", param="session.voices")
    assert ends_turn(RESPONSES, frame(type="error", status=400, error={"code": "item_x"}))
    assert not ends_turn(REALTIME, frame(type="response.created", response={"error": None}))


def test_other_wires_have_no_turns() -> None:
    for data in (frame(type="response.create"), frame(toolCall={"a": 1}), frame(type="error")):
        for ask in (begins_turn, begins_answer, ends_turn, carry):
            assert not ask("openai.chat", data)


@given(st.sampled_from(sorted(WIRES)), st.binary() | st.text().map(str.encode))
def test_no_frame_is_too_strange(wire: str, data: bytes) -> None:
    for wrapped in (data, b'{"type":"response.create","generate":false' + data, b'{"error"' + data):
        for ask in (begins_turn, begins_answer, ends_turn, carry):
            ask(wire, wrapped)
