import json
from typing import Any

from llmproxy_core.model import Message, Part, Response, Usage
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import Event, read
from tests.unit.providers.samples_sessions import frames
from tests.unit.providers.sessions import line

WIRE = "gemini.live"


def answered(*events: Event) -> Response:
    return read(WIRE, frames(list(events)), 101)


def says(**content: Any) -> Event:
    return {"serverContent": content}


def asked(*said: tuple[bool, Event]) -> Any:
    body = b"".join(line(client, json.dumps(event).encode()) for client, event in said)
    return read_request(WIRE, "/ws/x.BidiGenerateContent", [], body)[0]


def test_what_is_said_aloud_is_read_from_its_transcript() -> None:
    sound = {"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}}
    response = answered(
        says(modelTurn={"parts": [sound]}),
        says(outputTranscription={"text": "Hi "}, modelTurn={"parts": [sound]}),
        says(output_transcription={"text": "there"}),
        says(generationComplete=True),
        says(turnComplete=True),
    )
    assert (response.texts, response.parts) == (["Hi there"], [Part("text", "Hi there")])
    assert response.finish_reasons == ["turnComplete"]
    assert not response.incomplete


def test_what_is_written_is_read_too() -> None:
    thought = {"text": "Hm.", "thought": True}
    response = answered(
        says(modelTurn={"parts": [thought]}),
        says(modelTurn={"parts": [{"text": "Hi"}]}),
        says(turnComplete=True, turnCompleteReason="MAX_TOKENS"),
    )
    assert (response.reasoning, response.text) == ("Hm.", "Hi")
    assert response.finish_reasons == ["MAX_TOKENS"]


def test_words_that_were_heard_are_told_beside_the_answer() -> None:
    response = answered(says(inputTranscription={"text": "Hello?"}), says(turnComplete=True))
    assert response.parts == [Part("audio", "Hello?", "heard")]


def test_an_interruption_is_the_end() -> None:
    response = answered(
        says(outputTranscription={"text": "Well, "}),
        says(interrupted=True),
        says(turnComplete=True),
    )
    assert (response.text, response.finish_reasons) == ("Well, ", ["interrupted"])


def test_calls_end_a_turn() -> None:
    calls = [{"id": "c1", "name": "a", "args": {"x": 1}}, {"id": "c2", "name": "b"}]
    response = answered({"toolCall": {"functionCalls": calls}})
    told = [(call.id, call.name, call.arguments) for call in response.tool_calls]
    assert told == [("c1", "a", '{"x":1}'), ("c2", "b", "{}")]
    assert response.finish_reasons == ["toolCall"]
    assert not response.incomplete


def test_counters_of_a_session_are_read() -> None:
    first = {"promptTokenCount": 20, "cachedContentTokenCount": 8, "toolUsePromptTokenCount": 1}
    last = {"responseTokenCount": 9, "thoughtsTokenCount": 4}
    response = answered(
        {"usageMetadata": first}, {"usageMetadata": last, **says(turnComplete=True)}
    )
    assert response.usage == Usage(21, 13, 8, None, 4, {**first, **last})


def test_everything_the_client_sent_is_a_message() -> None:
    sound = {"realtimeInput": {"audio": {"mimeType": "audio/pcm", "data": "AAAA"}}}
    chunk = {"realtime_input": {"media_chunks": [{"mime_type": "image/jpeg", "data": "AAAAAAAA"}]}}
    turns = [{"role": "user", "parts": [{"text": "Earlier"}]}, {"role": "model", "parts": []}]
    results = [{"id": "c1", "name": "weather", "response": {"degrees": 12}}]
    request = asked(
        (True, {"setup": {"model": "publishers/google/models/gemini-x"}}),
        (True, {"client_content": {"turns": turns}}),
        (True, sound),
        (True, sound),
        (True, chunk),
        (False, says(inputTranscription={"text": "Hello?"})),
        (True, {"toolResponse": {"functionResponses": results}}),
        (True, {"realtimeInput": {"text": "Bye"}}),
    )
    assert request.model == "gemini-x"
    assert request.messages == [
        Message("user", [Part("text", "Earlier")]),
        Message("assistant", []),
        Message(
            "user",
            [
                Part("audio", "audio/pcm, 6 bytes"),
                Part("image", "image/jpeg, 6 bytes"),
                Part("text", "Hello?"),
            ],
        ),
        Message("tool", [Part("tool_result", '{"degrees":12}', "weather", "c1")]),
        Message("user", [Part("text", "Bye")]),
    ]


def test_unknown_messages_are_counted() -> None:
    response = answered({"brandNew": 1}, {"goAway": {}}, {}, says(turnComplete=True))
    assert response.unknown_events == {"brandNew": 1, "empty": 1}


def test_an_error_ends_the_turn() -> None:
    response = answered({"error": {"code": 400, "status": "INVALID", "message": "No"}})
    assert response.error is not None
    assert response.error.message == "No"
    assert not response.incomplete
