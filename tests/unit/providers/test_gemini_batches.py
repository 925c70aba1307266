import json

from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import read
from tests.unit.providers.samples_google import BATCH

WIRE = "gemini.batches"


def test_a_batch_shows_its_requests() -> None:
    request, _ = read_request(WIRE, BATCH.path, [], BATCH.asked)
    assert (request.model, request.parameters) == ("gemini-x", {"requests": 2})
    told = [message.parts[0].text for message in request.messages]
    assert told == ["request a", "Weather in Oslo? ☂", "request b", "Weather in Oslo? ☂"]


def test_of_a_large_batch_only_the_first_requests_are_shown_in_either_spelling() -> None:
    asked: list[object] = [{"request": {"contents": []}}] * 300
    listed = {"requests": {"requests": asked}}
    body = json.dumps({"batch": {"input_config": listed}}).encode()
    request, _ = read_request(WIRE, BATCH.path, [], body)
    assert request.parameters == {"requests": 300}
    assert request.messages[-1].parts[0].text == "200 more"


def test_its_answer_tells_how_far_it_is() -> None:
    response = read(WIRE, BATCH.json)
    assert (response.id, response.finish_reasons) == ("batches/1", ["BATCH_STATE_PENDING"])
