import json

from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples_google import PREDICT

WIRE = "vertex.predict"


def test_instances_are_what_was_said() -> None:
    picture = {
        "prompt": "Edit it",
        "image": {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"},
    }
    body = {"instances": [picture, {"values": [1]}], "parameters": {"sampleCount": 2}}
    request, _ = read_request(WIRE, PREDICT.path, [], json.dumps(body).encode())
    assert request.model == "gemini-x"
    assert request.parameters == {"sampleCount": 2}
    assert request.messages[0].parts == [
        Part("text", "Edit it"),
        Part("image", "image/png, 3 bytes"),
        Part("other", '{"values":[1]}'),
    ]


def test_embeddings_are_counted_with_their_tokens() -> None:
    response = read(WIRE, PREDICT.json)
    assert response.n_embeddings == 1
    assert response.usage is not None
    assert response.usage.input_tokens == 3


def test_texts_and_pictures_are_shown() -> None:
    picture = {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"}
    body = {"predictions": [{"content": "Hi "}, "there", picture, 3]}
    response = read(WIRE, json.dumps(body).encode())
    assert response.text == "Hi there"
    assert response.parts[-1] == Part("image", "image/png, 3 bytes")
