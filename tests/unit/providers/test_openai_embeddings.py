import json

from llmproxy_core.model import ApiError
from tests.unit.providers.sample import read
from tests.unit.providers.samples_plain import EMBEDDINGS

WIRE = "openai.embeddings"


def test_vectors_are_counted() -> None:
    response = read(WIRE, EMBEDDINGS.json)
    assert (response.n_embeddings, response.model) == (2, "gpt-x")


def test_a_total_alone_is_the_input() -> None:
    usage = read(WIRE, json.dumps({"data": [], "usage": {"total_tokens": 3}}).encode()).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.raw) == (3, None, {"total_tokens": 3})


def test_voyage_tells_its_errors_as_details() -> None:
    response = read(WIRE, b'{"detail": "no such model"}', status=400)
    assert response.error == ApiError(None, "no such model")
