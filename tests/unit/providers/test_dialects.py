"""What the many speakers of `openai.chat` add to it."""

import json
from typing import Any

import pytest

from llmproxy_core.model import Part, Request, Response
from llmproxy_core.pricing.price import told_cost
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import Event, read, sse

WIRE = "openai.chat"
SOURCES = Part("other", "sources:\nYr https://yr.example")


def whole(message: Event, **more: Any) -> Response:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return read(WIRE, json.dumps({"id": "c", "choices": [choice], **more}).encode())


def streamed(*deltas: Event, **last: Any) -> Response:
    events = [{"id": "c", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **last}
    return read(WIRE, sse([*events, end], done=True))


def request(*messages: Event) -> Request:
    return read_request(WIRE, "/", [], json.dumps({"messages": messages}).encode())[0]


def test_perplexity_and_xai_name_their_sources() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    found = [{"title": "Yr", "url": "https://yr.example"}]
    for more in (
        {"search_results": found, "citations": ["https://yr.example"]},
        {"search_results": found},
    ):
        assert whole({"content": "a"}, usage=usage, **more).parts == [Part("text", "a"), SOURCES]
        assert streamed({"content": "a"}, usage=usage, **more).parts == [Part("text", "a"), SOURCES]
    bare = whole({"content": "a"}, usage=usage, citations=["https://yr.example"])
    assert bare.parts[-1].text == "sources:\nhttps://yr.example"


def test_annotations_are_sources() -> None:
    note = {"type": "url_citation", "url_citation": {"title": "Yr", "url": "https://yr.example"}}
    assert whole({"content": "a", "annotations": [note, note]}).parts[-1] == SOURCES
    assert streamed({"content": "a"}, {"annotations": [note]}).parts[-1] == SOURCES


def test_openrouters_details_are_reasoning_where_there_is_no_other() -> None:
    details: list[Event] = [
        {"type": "reasoning.summary", "summary": "Hm. "},
        {"type": "reasoning.text", "text": "Yes."},
        {"type": "reasoning.encrypted", "data": "AAAA"},
    ]
    assert whole({"content": "a", "reasoning_details": details}).reasoning == "Hm. Yes."
    both = whole({"content": "a", "reasoning": "Hm.", "reasoning_details": details})
    assert both.reasoning == "Hm."
    parts = request({"role": "assistant", "reasoning_details": details}).messages[0].parts
    assert parts == [Part("reasoning", "Hm. Yes.")]


@pytest.mark.parametrize(
    ("cost", "usd"), [(0.000123, "0.000123"), ({"total_cost": 0.006}, "0.006")]
)
def test_a_told_cost_reaches_the_price(cost: Any, usd: str) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost": cost}
    for response in (whole({"content": "a"}, usage=usage), streamed({"content": "a"}, usage=usage)):
        assert response.usage is not None
        assert str(told_cost(response.usage)) == usd


def test_azure_tells_its_filters_where_they_struck() -> None:
    checked = {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False}}
    choice = {"index": 0, "finish_reason": "content_filter", "content_filter_results": checked}
    body = json.dumps({"choices": [choice | {"message": {"content": ""}}]}).encode()
    expected = [Part("other", "content filter: hate")]
    assert read(WIRE, body).parts == expected
    prompt: Event = {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    response = read(WIRE, sse([prompt, {"choices": [choice | {"delta": {}}]}]))
    assert (response.parts, response.unknown_events) == (expected, {})
    fine = {"hate": {"filtered": False}}
    quiet = choice | {"content_filter_results": fine, "message": {"content": "a"}}
    assert len(read(WIRE, json.dumps({"choices": [quiet]}).encode()).parts) == 1


def test_pictures_may_be_answers() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    expected = [Part("text", "Here"), Part("image", "image/png, 19 bytes")]
    assert whole({"content": "Here", "images": [image]}).parts == expected
    assert streamed({"content": "Here"}, {"images": [image]}).parts == expected


def test_logprobs_and_unknown_fields_do_not_matter() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.1}]}
    choice = {"index": 0, "delta": {"content": "a", "new": 1}, "logprobs": logprobs}
    assert read(WIRE, sse([{"choices": [choice], "x_new": {}}])).text == "a"


def test_choices_of_a_stream_are_told_apart() -> None:
    pieces = [(1, "b"), (0, "a"), (1, "d"), (0, "c")]
    events = [{"choices": [{"index": n, "delta": {"content": text}}]} for n, text in pieces]
    ends: list[Event] = [
        {"choices": [{"index": n, "delta": {}, "finish_reason": "stop"}]} for n in (0, 1)
    ]
    response = read(WIRE, sse([*events, *ends]))
    assert (response.texts, response.finish_reasons) == (["ac", "bd"], ["stop", "stop"])
    assert not response.incomplete
    assert read(WIRE, sse([*events, ends[0]])).incomplete
