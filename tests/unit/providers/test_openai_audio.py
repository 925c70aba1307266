import json

from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse
from tests.unit.providers.samples_plain import AUDIO

WIRE = "openai.audio"


def test_a_transcription_is_asked_for_with_a_form() -> None:
    request, problem = read_request(WIRE, "/v1/audio/transcriptions", [], AUDIO.asked)
    assert (request.model, request.stream, problem) == ("gpt-x", True, None)
    assert request.messages[0].parts[1] == Part("audio", "audio/wav, 600 bytes", "a.wav")


def test_speech_is_asked_for_with_text() -> None:
    body = {"model": "tts", "input": "Hi", "voice": "ash", "instructions": "Slowly"}
    request, _ = read_request(WIRE, "/v1/audio/speech", [], json.dumps(body).encode())
    assert request.messages[0].parts == [Part("text", "Hi")]
    assert (request.system, request.parameters) == ([Part("text", "Slowly")], {"voice": "ash"})


def test_a_duration_is_no_number_of_tokens() -> None:
    body = {"text": "Hi", "usage": {"type": "duration", "seconds": 9}}
    usage = read(WIRE, json.dumps(body).encode()).usage
    assert usage is not None
    assert (usage.input_tokens, usage.raw) == (None, {"type": "duration", "seconds": 9})


def test_speech_may_be_streamed() -> None:
    usage = {"input_tokens": 3, "output_tokens": 50}
    done = {"type": "speech.audio.done", "usage": usage}
    response = read(WIRE, sse([{"type": "speech.audio.delta", "audio": "AAAA"}, done]))
    assert (response.incomplete, response.unknown_events) == (False, {})
    assert response.usage is not None
    assert response.usage.output_tokens == 50
