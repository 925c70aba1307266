import json
from typing import Any

from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read, sse
from tests.unit.providers.samples_plain import COMPLETIONS

WIRE = "openai.completions"


def prompt(value: Any) -> list[Part]:
    request, _ = read_request(WIRE, "/v1/completions", [], json.dumps({"prompt": value}).encode())
    return [part for message in request.messages for part in message.parts]


def test_a_prompt_is_text_tokens_or_several_of_them() -> None:
    assert prompt("a") == [Part("text", "a")]
    assert prompt(["a", "b"]) == [Part("text", "a"), Part("text", "b")]
    assert prompt([1, 2, 3]) == [Part("other", "3 tokens")]
    assert prompt([[1, 2], [3]]) == [Part("other", "2 tokens"), Part("other", "1 tokens")]
    assert prompt([None, True, {}]) == []


def test_choices_are_told_apart() -> None:
    choices = [{"index": n, "text": text, "finish_reason": "stop"} for n, text in enumerate("ab")]
    response = read(WIRE, json.dumps({"choices": choices}).encode())
    assert (response.texts, response.finish_reasons) == (["a", "b"], ["stop", "stop"])
    mixed = [{"choices": [choice]} for choice in (choices[1], choices[0])]
    assert read(WIRE, sse(mixed)).texts == ["a", "b"]


def test_writers_values_are_text() -> None:
    assert read(WIRE, sse([{"value": "a"}, {"value": "b"}])).text == "ab"


def test_an_error_within_a_stream_ends_it() -> None:
    response = read(WIRE, sse([COMPLETIONS.events[0], {"error": {"message": "overloaded"}}]))
    assert response.error is not None
    assert (response.error.message, response.text) == ("overloaded", "Rain ")


def test_azure_names_the_model_in_the_path() -> None:
    path = "/openai/deployments/m/completions?api-version=1"
    assert read_request(WIRE, path, [], b"{}")[0].model == "m"
