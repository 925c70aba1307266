import json
from typing import Any

from tests.unit.providers.sample import read


def test_vectors_are_counted_whatever_their_numbers_are() -> None:
    shapes: dict[str, Any] = {
        "by type": {"float": [[0.1], [0.2]], "int8": [[1], [2]]},
        "floats": [[0.1], [0.2]],
    }
    for embeddings in shapes.values():
        response = read("cohere.embed", json.dumps({"embeddings": embeddings}).encode())
        assert response.n_embeddings == 2


def test_pictures_count_as_input() -> None:
    body = {"meta": {"billed_units": {"input_tokens": 2, "image_tokens": 5}}}
    usage = read("cohere.embed", json.dumps(body).encode()).usage
    assert usage is not None
    assert usage.input_tokens == 7
