import json
from typing import Any

import pytest

from llmproxy_core.model import Response
from llmproxy_core.providers.formats import read_request
from tests.unit.providers.sample import Event, read
from tests.unit.providers.samples_bedrock import EVENTSTREAM, chunks

PATH = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprofile%2Fx/invoke"
METRICS = {"inputTokenCount": 5, "outputTokenCount": 7}


def answered(body: dict[str, Any]) -> Response:
    return read("bedrock.invoke", json.dumps(body).encode(), path=PATH)


def streamed(*events: Event) -> Response:
    stream = chunks(list(events))
    return read("bedrock.invoke-with-response-stream", stream, kind=EVENTSTREAM)


def counts(response: Response) -> tuple[int | None, int | None] | None:
    usage = response.usage
    return (usage.input_tokens, usage.output_tokens) if usage else None


NOVA = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 5, "outputTokens": 7},
}
CLAUDE = {
    "type": "message",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 7},
}
CHAT = {
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "end_turn"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7},
}
MISTRAL = {
    "choices": [{"index": 0, "message": {"content": "Hi"}, "stop_reason": "end_turn"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7},
}
LLAMA = {
    "generation": "Hi",
    "prompt_token_count": 5,
    "generation_token_count": 7,
    "stop_reason": "end_turn",
}
TITAN = {
    "inputTextTokenCount": 5,
    "results": [{"tokenCount": 7, "outputText": "Hi", "completionReason": "end_turn"}],
}
COMMAND = {"generations": [{"text": "Hi", "finish_reason": "end_turn"}]}
COMMAND_R = {"text": "Hi", "finish_reason": "end_turn", "generation_id": "g1"}
JURASSIC = {"completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "end_turn"}}]}
OLD_CLAUDE = {"completion": "Hi", "stop_reason": "end_turn", "type": "completion"}
DEEPSEEK = {"choices": [{"text": "Hi", "stop_reason": "end_turn"}]}


@pytest.mark.parametrize(
    "body", [NOVA, CLAUDE, CHAT, MISTRAL, LLAMA, TITAN, COMMAND, COMMAND_R, JURASSIC, OLD_CLAUDE]
)
def test_every_maker_is_known_by_its_words(body: dict[str, Any]) -> None:
    response = answered(body)
    assert (response.text, response.finish_reasons) == ("Hi", ["end_turn"])
    assert counts(response) in ((5, 7), None)


def test_a_text_model_may_have_choices() -> None:
    assert answered(DEEPSEEK).text == "Hi"


@pytest.mark.parametrize(
    "events",
    [
        [{"generation": "H"}, {"generation": "i", "stop_reason": "end_turn"}],
        [{"outputText": "H"}, {"outputText": "i", "completionReason": "end_turn"}],
        [{"outputs": [{"text": "H"}]}, {"outputs": [{"text": "i", "stop_reason": "end_turn"}]}],
        [{"completion": "H"}, {"completion": "i", "stop_reason": "end_turn"}],
        [{"text": "H", "is_finished": False}, {"text": "i"}, {"finish_reason": "end_turn"}],
        [
            {"choices": [{"index": 0, "delta": {"content": "H"}}]},
            {"choices": [{"index": 0, "delta": {"content": "i"}, "stop_reason": "end_turn"}]},
        ],
        [
            {"contentBlockDelta": {"delta": {"text": "H"}, "contentBlockIndex": 0}},
            {"contentBlockDelta": {"delta": {"text": "i"}, "contentBlockIndex": 0}},
            {"messageStop": {"stopReason": "end_turn"}},
        ],
    ],
)
def test_every_maker_streams_in_its_own_pieces(events: list[Event]) -> None:
    events = [*events[:-1], {**events[-1], "amazon-bedrock-invocationMetrics": METRICS}]
    response = streamed(*events)
    assert (response.text, response.finish_reasons) == ("Hi", ["end_turn"])
    assert counts(response) == (5, 7)
    assert not response.incomplete
    assert response.unknown_events == {}


def test_the_last_event_of_command_repeats_nothing() -> None:
    response = streamed(
        {"text": "Hi", "is_finished": False},
        {"text": "Hi", "is_finished": True, "finish_reason": "COMPLETE"},
    )
    assert response.text == "Hi"


def test_what_the_model_counted_goes_before_what_amazon_counted() -> None:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 7}
    response = streamed(
        {"type": "message_start", "message": {"usage": usage, "content": []}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS},
    )
    assert counts(response) == (7, 7)


def asked(body: dict[str, Any], path: str = PATH) -> Any:
    return read_request("bedrock.invoke", path, [], json.dumps(body).encode())[0]


def test_the_path_names_the_model_whatever_the_body_says() -> None:
    assert asked({"model": "x"}).model == "arn:aws:bedrock:us-east-1:1:profile/x"
    assert asked({}, "/model/m/invoke-with-response-stream").stream


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "Hi", "max_gen_len": 9},
        {"inputText": "Hi"},
        {"message": "Hi"},
        {"texts": ["Hi"]},
        {"singleEmbeddingParams": {"text": {"value": "Hi"}}},
        {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "Hi"}},
        {"text_prompts": [{"text": "Hi", "weight": 1}]},
        {"query": "Hi", "documents": []},
        {"message": "Hi", "preamble": "", "chat_history": []},
        {"anthropic_version": "x", "messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9},
    ],
)
def test_requests_of_every_maker_are_read(body: dict[str, Any]) -> None:
    assert [part.text for message in asked(body).messages for part in message.parts] == ["Hi"]


def test_earlier_turns_of_command_are_messages() -> None:
    history = [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello"}]
    request = asked({"chat_history": history, "message": "Bye"})
    assert [m.role for m in request.messages] == ["user", "assistant", "user"]


def test_commands_own_events_are_known() -> None:
    response = streamed(
        {"event_type": "stream-start", "is_finished": False, "generation_id": "g1"},
        {"event_type": "text-generation", "is_finished": False, "text": "H"},
        {"event_type": "text-generation", "is_finished": False, "text": "i"},
        {
            "event_type": "stream-end",
            "is_finished": True,
            "finish_reason": "COMPLETE",
            "response": {"text": "Hi", "chat_history": []},
            "amazon-bedrock-invocationMetrics": METRICS,
        },
    )
    assert (response.text, response.finish_reasons) == ("Hi", ["COMPLETE"])
    assert counts(response) == (5, 7)
    assert response.unknown_events == {}


def test_pictures_and_orders_are_shown() -> None:
    drawn = answered({"images": ["AAAA", "AAAAAAAA"]})
    assert [part.text for part in drawn.parts] == ["3 bytes", "6 bytes"]
    refused = answered({"images": [], "error": "This was refused"})
    assert refused.error is not None
    ranked = answered({"results": [{"index": 1, "relevance_score": 0.5}]})
    assert [part.text for part in ranked.parts] == ["document 1: 0.5"]


@pytest.mark.parametrize(
    ("body", "n"),
    [
        ({"embedding": [0.1], "inputTextTokenCount": 4}, 1),
        ({"embeddings": [[0.1], [0.2]]}, 2),
        ({"embeddings": {"float": [[0.1], [0.2]], "int8": [[1], [2]]}}, 2),
        ({"embeddings": [{"embeddingType": "TEXT", "embedding": [0.1]}]}, 1),
    ],
)
def test_vectors_are_counted(body: dict[str, Any], n: int) -> None:
    assert answered(body).n_embeddings == n
