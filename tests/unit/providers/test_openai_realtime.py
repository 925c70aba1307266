import json
from typing import Any

from llmproxy_core.model import ApiError, Message, Part, Response
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import Event, read
from tests.unit.providers.samples_sessions import REALTIME, frames
from tests.unit.providers.sessions import line

WIRE = "openai.realtime"


def answered(*events: Event) -> Response:
    return read(WIRE, frames(list(events)), 101)


def done(**response: Any) -> Event:
    return {"type": "response.done", "response": {"status": "completed", **response}}


def asked(*said: tuple[bool, Event], path: str = "/v1/realtime") -> Any:
    body = b"".join(line(client, json.dumps(event).encode()) for client, event in said)
    return read_request(WIRE, path, [], body)[0]


def test_the_sample_is_read() -> None:
    response = read(WIRE, REALTIME.stream, 101)
    assert (response.id, response.text) == ("resp_1", "Ich schaue nach: ü 😀")
    assert [(c.id, c.name, c.arguments) for c in response.tool_calls] == [
        ("call_1", "weather", '{"city":"Oslo"}')
    ]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.cached_tokens) == (44, 8)


def test_the_session_and_the_turn_make_the_request() -> None:
    request, _ = read_request(WIRE, REALTIME.path, [], REALTIME.asked)
    assert request.model == "gpt-x"
    assert request.system == [Part("text", "Be brief.")]
    assert [tool.name for tool in request.tools] == ["weather"]
    assert request.parameters["output_modalities"] == ["audio"]
    assert [part for message in request.messages for part in message.parts] == [
        Part("text", "Weather in Oslo?"),
        Part("audio", "audio, 6 bytes"),
    ]


def test_what_the_provider_knows_of_the_session_counts() -> None:
    session = {
        "id": "sess_1",
        "model": "gpt-y",
        "tools": [{"type": "function", "function": {"name": "nested"}}],
        "turn_detection": {"type": "server_vad"},
    }
    request = asked((False, {"type": "session.updated", "session": session}))
    assert request.model == "gpt-y"
    assert [tool.name for tool in request.tools] == ["nested"]
    assert request.session_hints == {"session_id": "sess_1"}
    assert request.parameters == {"turn_detection.type": "server_vad"}


def test_words_that_were_heard_are_what_the_user_said() -> None:
    heard = {
        "type": "conversation.item.input_audio_transcription.completed",
        "transcript": "Hello?",
    }
    sound = {"type": "input_audio_buffer.append", "audio": "AAAAAAAA"}
    request = asked((True, sound), (True, sound), (False, heard), (True, sound))
    assert request.messages == [
        Message("user", [Part("audio", "audio, 12 bytes"), Part("text", "Hello?")]),
        Message("user", [Part("audio", "audio, 6 bytes")]),
    ]
    response = answered(heard, done(output=[SPOKEN]))
    assert response.parts == [Part("audio", "Hello?", "heard"), Part("text", "Hi")]


SPOKEN = {"type": "message", "content": [{"type": "audio", "transcript": "Hi"}]}


def test_items_of_the_conversation_are_messages() -> None:
    items: list[Event] = [
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAAA"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        {"type": "function_call_output", "call_id": "c1", "output": "12 degrees"},
        {"type": "message", "role": "user", "content": [{"type": "audio", "transcript": "Bye"}]},
    ]
    request = asked(*((True, {"type": "conversation.item.create", "item": i}) for i in items))
    assert request.messages == [
        Message("user", [Part("audio", "audio, 3 bytes")]),
        Message("assistant", [Part("text", "Hi")]),
        Message("tool", [Part("tool_result", "12 degrees", None, "c1")]),
        Message("user", [Part("text", "Bye")]),
    ]


def test_usage_may_stand_beside_the_response() -> None:
    usage = {"input_tokens": 8, "output_tokens": 9}
    response = answered({**done(output=[SPOKEN], usage={}), "usage": usage})
    assert response.usage is not None
    assert response.usage.raw == usage


def test_a_response_that_was_interrupted_keeps_what_was_said() -> None:
    delta = {"type": "response.output_audio_transcript.delta", "item_id": "i1", "delta": "Well, I"}
    item = {"type": "message", "status": "incomplete", "content": []}
    details = {"type": "cancelled", "reason": "turn_detected"}
    response = answered(delta, done(status="cancelled", status_details=details, output=[item]))
    assert response.text == "Well, I"
    assert response.finish_reasons == ["turn_detected"]
    assert not response.incomplete


def test_a_response_that_failed_says_why() -> None:
    details = {"type": "failed", "error": {"type": "server_error", "message": "We are sorry"}}
    response = answered(done(status="failed", status_details=details))
    assert response.error == ApiError("server_error", "We are sorry")
    assert answered(done(status="failed", status_details="unknown")).error == ApiError(
        None, "the response failed"
    )


def test_a_request_that_was_refused_is_an_error() -> None:
    refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": "No"}}
    response = answered(refusal)
    assert response.error == ApiError("invalid_request_error", "No")
    assert not response.incomplete


def test_calls_side_by_side_stay_apart_without_an_index() -> None:
    def added(id: str) -> Event:
        item = {"id": id, "type": "function_call", "call_id": f"call_{id}", "name": f"f{id}"}
        return {"type": "response.output_item.added", "item": item}

    def piece(id: str, text: str) -> Event:
        kind = "response.function_call_arguments.delta"
        return {"type": kind, "item_id": id, "delta": text}

    events = [added("a"), added("b"), piece("a", "{"), piece("b", "[1"), piece("a", "}")]
    response = answered(*events, piece("b", "]"))
    calls = [(call.id, call.name, call.arguments) for call in response.tool_calls]
    assert calls == [("call_a", "fa", "{}"), ("call_b", "fb", "[1]")]
    assert response.incomplete


def test_unknown_events_are_counted_and_known_ones_are_not() -> None:
    quiet = ("ping", "rate_limits.updated", "response.output_audio.delta", "session.updated")
    response = answered(*({"type": kind} for kind in (*quiet, "response.brand_new", "new")))
    assert response.unknown_events == {"response.brand_new": 1, "new": 1}


def test_a_turn_may_be_a_text_alone() -> None:
    request = asked((True, {"type": "response.create", "response": {"input": "hello"}}))
    assert [part.text for message in request.messages for part in message.parts] == ["hello"]
