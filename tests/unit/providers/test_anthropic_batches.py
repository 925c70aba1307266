import json

from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples_plain import BATCH_RESULTS, BATCHES

WIRE, PATH = "anthropic.batches", "/v1/messages/batches"


def test_a_batch_shows_its_requests() -> None:
    request, _ = read_request(WIRE, PATH, [], BATCHES.asked)
    assert (request.model, request.parameters) == ("gpt-x", {"requests": 2})
    assert [message.parts[0].text for message in request.messages] == [
        "request a",
        "Weather in Oslo?",
        "request b",
        "Weather in Oslo?",
    ]


def test_of_a_large_batch_only_the_first_requests_are_shown() -> None:
    one = {"custom_id": "a", "params": {"model": "m", "messages": []}}
    request, _ = read_request(WIRE, PATH, [], json.dumps({"requests": [one] * 300}).encode())
    assert request.parameters == {"requests": 300}
    assert request.messages[-1].parts[0].text == "200 more"


def test_a_new_batch_tells_how_far_it_is() -> None:
    response = read(WIRE, BATCHES.json)
    assert (response.id, response.finish_reasons) == ("msgbatch_1", ["in_progress"])
    assert response.parts[0].text == "2 processing"


def test_every_result_is_a_choice_and_the_tokens_are_added_up() -> None:
    for kind in ("application/x-jsonl", "application/octet-stream", ""):
        response = read(WIRE, BATCH_RESULTS, kind=kind)
        assert response.texts == ["Rain ü 😀", "", "Sun"]
        assert response.finish_reasons == ["end_turn", "errored", "end_turn"]
        assert response.usage is not None
        assert (response.usage.input_tokens, response.usage.cached_tokens) == (14, 8)
        assert not response.incomplete


def test_results_that_break_off_are_incomplete() -> None:
    response = read(WIRE, BATCH_RESULTS[:-20])
    assert response.texts == ["Rain ü 😀", ""]
    assert response.incomplete
