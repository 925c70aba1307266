import json

from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse


def test_the_model_is_taken_from_body_or_path() -> None:
    paths = {
        "/model/us.x.y-v1%3A0/converse": "us.x.y-v1:0",
        "/model/arn%3Aaws%2Fmodel/invoke": "arn:aws/model",
        "/openai/deployments/gpt/embeddings": "gpt",
        "/v1/models/g:embedContent": "g",
        "/api/chat": None,
    }
    for path, model in paths.items():
        assert read_request("other", path, [], b"{}")[0].model == model
    assert read_request("other", "/api/chat", [], b'{"model": "m"}')[0].model == "m"


def test_a_stream_is_known_by_body_or_path() -> None:
    assert read_request("other", "/model/m/converse-stream", [], b"{}")[0].stream
    assert read_request("other", "/api/chat", [], b'{"stream": true}')[0].stream
    assert not read_request("other", "/api/chat", [], b"binary")[0].stream


def test_what_nearly_all_spell_alike_is_read() -> None:
    body = {"id": "x", "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    response = read("openai.embeddings", json.dumps(body).encode())
    assert (response.id, response.model) == ("x", "m")
    assert response.usage is not None
    assert response.usage.input_tokens == 3
    streamed = read("other", sse([{"usage": {"input_tokens": 3, "output_tokens": 1}}]))
    assert streamed.usage is not None
    assert (streamed.usage.output_tokens, streamed.n_events) == (1, 1)


def test_binary_answers_are_no_error() -> None:
    response = read("openai.audio", b"ID3\x04\x00" * 100, kind="audio/mpeg")
    assert (response.error, response.incomplete) == (None, False)


def test_large_answers_are_not_kept_for_reading() -> None:
    response = read("other", b'{"x": "' + b"y" * 9 * 2**20 + b'"}')
    assert (response.error, response.model) == (None, None)
