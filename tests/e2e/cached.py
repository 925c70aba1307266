"""Conversations of twenty turns in every wire format, as agents have them, and what they read from
caches."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from tests.e2e.limited import client
from tests.mitm import Mitmdump

TURNS = 20
RULES = "Read before you write, say what you are not sure of, prefer small changes. " * 60
"""About 1,100 tokens: enough for a cache."""
SAID = "The test of the basket fails since this morning; here is what the log says. " * 8

type Json = dict[str, Any]
type Turn = Callable[[list[str], str], Json]
"""The body of a request, by what was said so far (question and answer in turn) and the rules."""


def _roles(said: list[str], model: str) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(said):
        yield ("user", model)[number % 2], text


def anthropic(said: list[str], rules: str) -> Json:
    """Marks behind the system prompt and the last message, as coding agents set them."""
    mark = {"cache_control": {"type": "ephemeral"}}
    messages: list[Json] = [
        {"role": role, "content": [{"type": "text", "text": text}]}
        for role, text in _roles(said, "assistant")
    ]
    messages[-1]["content"][0] |= mark
    system = [{"type": "text", "text": rules} | mark]
    model = {"model": "claude-sonnet-4-5", "max_tokens": 500}
    return model | {"system": system, "messages": messages}


def chat(said: list[str], rules: str) -> Json:
    messages = [{"role": "system", "content": rules}]
    messages += [{"role": role, "content": text} for role, text in _roles(said, "assistant")]
    return {"model": "gpt-5", "messages": messages}


def responses(said: list[str], rules: str) -> Json:
    items = [{"role": role, "content": text} for role, text in _roles(said, "assistant")]
    return {"model": "gpt-5", "instructions": rules, "input": items}


def gemini(said: list[str], rules: str) -> Json:
    contents = [{"role": role, "parts": [{"text": text}]} for role, text in _roles(said, "model")]
    return {"systemInstruction": {"parts": [{"text": rules}]}, "contents": contents}


def converse(said: list[str], rules: str) -> Json:
    point = {"cachePoint": {"type": "default"}}
    messages: list[Json] = [
        {"role": role, "content": [{"text": text}]} for role, text in _roles(said, "assistant")
    ]
    messages[-1]["content"].append(point)
    return {"system": [{"text": rules}, point], "messages": messages}


WIRES: dict[str, tuple[str, Turn]] = {
    "anthropic": ("https://api.anthropic.com/v1/messages", anthropic),
    "chat": ("https://api.openai.com/v1/chat/completions", chat),
    "responses": ("https://api.openai.com/v1/responses", responses),
    "gemini": (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
        gemini,
    ),
    "converse": (
        "https://bedrock-runtime.eu-central-1.amazonaws.com/model/"
        "anthropic.claude-sonnet-4-5-v1:0/converse",
        converse,
    ),
}


def unmarked(value: Any) -> Any:
    """Without cache marks."""
    if isinstance(value, dict):
        return {key: unmarked(one) for key, one in value.items() if key != "cache_control"}
    if isinstance(value, list):
        return [unmarked(one) for one in value if set(one) != {"cachePoint"}]
    return value


def usage_of(told: Json) -> Json:
    usage: Json = told.get("usage") or told["usageMetadata"]
    return usage


def cached_in(told: Json) -> int:
    """Tokens of an answer that were read from a cache."""
    usage = usage_of(told)
    for name in ("prompt_tokens_details", "input_tokens_details"):
        if name in usage:
            return int(usage[name]["cached_tokens"])
    for name in ("cache_read_input_tokens", "cacheReadInputTokens", "cachedContentTokenCount"):
        if name in usage:
            return int(usage[name])
    return 0


def converse_for(
    proxy: Mitmdump, wire: str, agent: str, turns: int = TURNS, *, marks: bool = True
) -> list[int]:
    """The cached tokens of each turn of a conversation that this agent has."""
    url, body = WIRES[wire]
    headers = {"user-agent": f"{agent}/1.0", "authorization": f"Bearer sk-{agent}"}
    said: list[str] = []
    read = []
    with client(proxy) as http:
        for turn in range(turns):
            said.append(f"Turn {turn} of {agent}: {SAID}")
            asked = body(said, f"{wire}. {RULES}")
            answer = http.post(url, json=asked if marks else unmarked(asked), headers=headers)
            read.append(cached_in(_good(answer)))
            said.append(f"I looked at it, and changed {turn} lines.")
    return read


def chained(proxy: Mitmdump, agent: str, turns: int = TURNS) -> list[int]:
    """The same with OpenAI's Responses, where the provider keeps what was said."""
    headers = {"user-agent": f"{agent}/1.0", "authorization": f"Bearer sk-{agent}"}
    url, after, read = WIRES["responses"][0], None, []
    with client(proxy) as http:
        for turn in range(turns):
            body = {
                "model": "gpt-5",
                "instructions": f"Chained. {RULES}",
                "input": f"{turn}: {SAID}",
            }
            answer = http.post(url, json=body | after if after else body, headers=headers)
            told = _good(answer)
            after = {"previous_response_id": told["id"]}
            read.append(cached_in(told))
    return read


def _good(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told
