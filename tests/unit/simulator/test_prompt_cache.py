"""Cached tokens, as the simulated providers tell them."""

import json

import httpx
import pytest

from llmproxy_core.simulator import Simulator
from llmproxy_core.simulator.prompt_cache import PromptCache
from llmproxy_core.simulator.prompts import LONG, SHORT, Block, Prompt

LONG_TEXT = "All that is known about the shop is written here. " * 200  # 2,500 tokens
CALM = {"x-simulate": "caching=true"}


@pytest.fixture(scope="module")
def client():
    with Simulator() as simulator, httpx.Client(base_url=simulator.http_url, timeout=60) as found:
        yield found


def marked(text: str, **mark: str) -> dict[str, object]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **mark}}


def claude(client, system, *said, model="claude-sonnet-4-5", **more):
    body = {"model": model, "max_tokens": 100, "system": system, **more}
    body["messages"] = [{"role": "user", "content": text} for text in said]
    usage = client.post("/v1/messages", json=body, headers=CALM).json()["usage"]
    return usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]


def test_what_is_before_a_mark_is_written_and_then_read(client):
    system = [marked("First. " + LONG_TEXT)]
    read, written = claude(client, system, "Why?")
    assert read == 0
    assert written > 2_400
    assert claude(client, system, "And how?") == (written, 0)


def test_without_a_mark_nothing_is_cached(client):
    assert claude(client, "Second. " + LONG_TEXT, "Why?") == (0, 0)
    assert claude(client, "Second. " + LONG_TEXT, "Why?") == (0, 0)


def test_a_short_prefix_is_not_cached(client):
    system = [marked("Third. " + LONG_TEXT[:3_000])]
    assert claude(client, system, "Why?") == (0, 0)
    assert claude(client, system, "Why?") == (0, 0)


def test_another_model_and_another_key_have_caches_of_their_own(client):
    system = [marked("Fourth. " + LONG_TEXT)]
    claude(client, system, "Why?")
    assert claude(client, system, "Why?", model="claude-sonnet-4-5-20250929")[0] == 0
    body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "system": system, "messages": []}
    body["messages"] = [{"role": "user", "content": "Why?"}]
    told = client.post("/v1/messages", json=body, headers=CALM | {"x-api-key": "sk-other"})
    assert told.json()["usage"]["cache_read_input_tokens"] == 0


def test_a_change_before_the_mark_loses_all_and_behind_it_nothing(client):
    tool = {"name": "look", "input_schema": {"type": "object"}}
    system = [marked("Fifth. " + LONG_TEXT)]
    _, written = claude(client, system, "Why?", tools=[tool])
    assert claude(client, [*system, {"type": "text", "text": "Brief."}], "Why?", tools=[tool]) == (
        written,
        0,
    )
    assert claude(client, system, "Why?")[0] == 0


def test_a_conversation_reads_what_its_turn_before_has_written(client):
    said = ["Sixth. " + LONG_TEXT]
    reads = []
    for turn in range(4):
        messages: list[dict[str, object]] = [{"role": "user", "content": text} for text in said]
        messages[-1]["content"] = [marked(said[-1])]
        body = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": messages}
        usage = client.post("/v1/messages", json=body, headers=CALM).json()["usage"]
        reads.append(usage["cache_read_input_tokens"])
        said.append(f"Turn {turn}. {LONG_TEXT[:400]}")
    assert reads[0] == 0
    assert 2_000 < reads[1] < reads[2] < reads[3]


def test_bedrock_reads_what_stands_before_a_cache_point(client):
    system = [{"text": "Seventh. " + LONG_TEXT}, {"cachePoint": {"type": "default"}}]
    body = {"system": system, "messages": [{"role": "user", "content": [{"text": "Why?"}]}]}
    path = "/model/anthropic.claude-sonnet-4-5-v1:0/converse"
    usages = [client.post(path, json=body, headers=CALM).json()["usage"] for _ in range(2)]
    assert usages[0]["cacheReadInputTokens"] == 0
    assert usages[0]["cacheWriteInputTokens"] == usages[1]["cacheReadInputTokens"] > 2_400


def chat(text):
    return "/v1/chat/completions", {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": text}],
    }


def responses(text):
    return "/v1/responses", {"model": "gpt-5", "instructions": text, "input": "Why?"}


def gemini(text):
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    return "/v1beta/models/gemini-2.5-flash:generateContent", body


def read_from_cache(told):
    for usage, details in (
        ("usage", "prompt_tokens_details"),
        ("usage", "input_tokens_details"),
    ):
        if details in told.get(usage, {}):
            return told[usage][details]["cached_tokens"]
    return told["usageMetadata"].get("cachedContentTokenCount", 0)


@pytest.mark.parametrize("asked", [chat, responses, gemini])
def test_others_cache_by_themselves_in_steps(client, asked):
    path, body = asked(f"{asked.__name__} {LONG_TEXT}")
    reads = [read_from_cache(client.post(path, json=body, headers=CALM).json()) for _ in range(2)]
    assert reads[0] == 0
    assert reads[1] >= 2_400
    assert reads[1] % 128 == 0


@pytest.mark.parametrize("asked", [chat, responses, gemini])
def test_short_prompts_are_not_cached_by_themselves(client, asked):
    path, body = asked(f"short {asked.__name__} {LONG_TEXT[:3_800]}")
    for _ in range(2):
        assert read_from_cache(client.post(path, json=body, headers=CALM).json()) == 0


def test_what_goes_on_from_an_answer_reads_what_came_before_it(client):
    path, body = responses("Rules. ")
    first = client.post(path, json=body | {"input": "Chain. " + LONG_TEXT}, headers=CALM).json()
    later = body | {"input": "And then?", "previous_response_id": first["id"]}
    told = client.post(path, json=later, headers=CALM).json()
    assert read_from_cache(told) >= 2_400
    assert told["usage"]["input_tokens"] > first["usage"]["input_tokens"]


def test_the_usage_of_a_stream_is_that_of_a_whole_answer(client):
    path, body = chat("Streamed. " + LONG_TEXT)
    client.post(path, json=body, headers=CALM)
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    events = client.post(path, json=body, headers=CALM).text.split("\n\n")
    assert (
        json.loads(events[-3].removeprefix("data: "))["usage"]["prompt_tokens_details"][
            "cached_tokens"
        ]
        > 2_000
    )


def test_without_caching_the_same_request_is_the_same(client):
    path, body = chat("Unchanged. " + LONG_TEXT)
    assert client.post(path, json=body).content == client.post(path, json=body).content


def asks(life: float) -> Prompt:
    return Prompt("marked", [Block("x" * 5_000, life)], [Block("Why?")])


@pytest.mark.parametrize("life", [SHORT, LONG])
def test_a_mark_lives_from_its_last_use(life):
    now = [0.0]
    cache = PromptCache(lambda: now[0])

    def read() -> int:
        return cache.count(asks(life), "m", "k").read

    assert read() == 0
    for _ in range(3):
        now[0] += life - 1
        assert read() == 1_250
    now[0] += life + 1
    assert read() == 0


def test_a_mark_finds_what_was_written_up_to_twenty_blocks_before_it():
    def said(blocks: int) -> Prompt:
        texts = [Block("x" * 5_000), *(Block(str(n)) for n in range(blocks))]
        texts[-1] = texts[-1]._replace(mark=SHORT)
        return Prompt("marked", said=texts)

    cache = PromptCache(lambda: 0.0)
    cache.count(said(1), "m", "k")
    assert cache.count(said(21), "m", "k").read == 1_250
    assert cache.count(said(43), "m", "k").read == 0
