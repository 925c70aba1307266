from llmproxy_core.model import Part
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples_lines import OLLAMA_GENERATE


def test_prompt_suffix_and_system_are_told() -> None:
    body = b'{"model": "m", "prompt": "a", "suffix": "b", "system": "c", "images": ["AAAA"]}'
    request, _ = read_request("ollama.generate", "/api/generate", [], body)
    assert request.system == [Part("text", "c")]
    assert request.messages[0].parts == [
        Part("text", "a"),
        Part("text", "b", "suffix"),
        Part("image", "3 bytes"),
    ]


def test_a_model_that_is_only_loaded_says_nothing() -> None:
    body = b'{"model": "m", "response": "", "done": true, "done_reason": "load"}'
    response = read("ollama.generate", body)
    assert (response.text, response.finish_reasons, response.unknown_events) == ("", ["load"], {})


def test_thoughts_come_before_the_answer() -> None:
    response = read("ollama.generate", OLLAMA_GENERATE.stream, kind=OLLAMA_GENERATE.kind)
    assert [part.kind for part in response.parts] == ["reasoning", "text"]
