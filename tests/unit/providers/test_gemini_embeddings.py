import json

from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read

WIRE = "gemini.embeddings"


def test_one_text_and_many_are_read() -> None:
    content = {"parts": [{"text": "Hi"}]}
    for body, texts in (
        ({"content": content, "taskType": "RETRIEVAL_QUERY"}, ["Hi"]),
        ({"requests": [{"content": content, "taskType": "RETRIEVAL_QUERY"}] * 2}, ["Hi", "Hi"]),
    ):
        request, problem = read_request(
            WIRE, "/v1/models/x:embedContent", [], json.dumps(body).encode()
        )
        assert problem is None
        assert request.model == "x"
        assert [part.text for part in request.messages[0].parts] == texts
        assert request.parameters == {"taskType": "RETRIEVAL_QUERY"}


def test_vectors_and_tokens_are_counted() -> None:
    one = read(WIRE, b'{"embedding": {"values": [1]}, "usageMetadata": {"promptTokenCount": 3}}')
    assert one.n_embeddings == 1
    assert one.usage is not None
    assert one.usage.input_tokens == 3
    assert read(WIRE, b'{"embeddings": [{"values": [1]}, {"values": [2]}]}').n_embeddings == 2
