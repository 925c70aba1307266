"""The contract of all fully read formats, on 2,400 recorded exchanges: they agree with the truth."""

import json
from collections import Counter
from typing import Any

from llmproxy_core.model import Request, Response, Usage
from tests.unit.providers.corpus import (
    Exchange,
    answer_of,
    needs_corpus,
    readable,
    request_of,
    wire_of,
)

pytestmark = needs_corpus

GOOGLE_TOTAL = "Google's endpoint leaves thoughts out of completion_tokens; total_tokens has them"
EMPTY_CALL = "Snowflake fills every field with empty values: an empty function_call is none"
WRITER = "Writer streams completions as {\"value\": ...}: that is text all the same"
EXPLAINED: dict[tuple[str, str], str] = {
    ("30f4ec540529f2bf", "text"): WRITER,
    ("30f4ec540529f2bf", "texts"): WRITER,
    ("30f4ec540529f2bf", "n_choices"): WRITER,
    ("131a3a77f09c88bc", "usage"): GOOGLE_TOTAL,
    ("e2bcf542f8015708", "usage"): GOOGLE_TOTAL,
    ("4c81e950d299e959", "tool_calls"): EMPTY_CALL,
    ("02e5755f6197db25", "tool_calls"): EMPTY_CALL,
    ("e7cc9171098e7ad5", "error"): "a 500 without a body is an error all the same",
    ("734c320e8a0d876c", "error"): "a 200 in plain text is no answer of this format",
    ("441f2c292789928a", "error"): "a blocked prompt is shown as an error, by its blockReason",
}
"""(id, field) -> why we read it otherwise."""


def test_what_is_read_agrees_with_the_truth() -> None:
    fields: Counter[str] = Counter()
    wrong: list[str] = []
    for exchange in readable():
        request, _ = request_of(exchange)
        response, _ = answer_of(exchange)
        for field, theirs, ours in comparisons(exchange, request, response):
            fields[field] += 1
            if theirs != ours and (exchange["id"], field) not in EXPLAINED:
                wrong.append(f"{exchange['id']} {exchange['wire']} {field}: {theirs!r} != {ours!r}")
    assert sum(fields.values()) > 20_000
    assert wrong == []


def test_few_differences_need_an_explanation() -> None:
    assert len(EXPLAINED) <= 0.005 * 20_000


def comparisons(
    exchange: Exchange, request: Request, response: Response
) -> list[tuple[str, Any, Any]]:
    """(field, what is expected, what we read)."""
    truth = exchange["expected"]
    ours: dict[str, Any] = {
        "request_model": request.model,
        "n_messages": len(request.messages),
        "request_stream": request.stream,
        "model": response.model or "",
        "response_id": response.id or "",
        "text": response.text,
        "n_choices": len(response.texts),
        "texts": response.texts,
        "refusal": response.refusal,
        "server_tool_calls": response.server_tool_calls,
        "n_events": response.n_events,
    }
    found = [(field, truth[field], value) for field, value in ours.items() if field in truth]
    if "request_tool_names" in truth:
        found.append(("request_tool_names", truth["request_tool_names"], _tools(exchange, request)))
    if "tool_calls" in truth:
        calls = [_call(call) for call in truth["tool_calls"] if call["name"] or call["id"]]
        found.append(("tool_calls", calls, _calls(response)))
    if "response_status" in truth:
        words = [truth.get("incomplete_reason") or truth["response_status"]]
        found.append(("finish_reasons", words, response.finish_reasons))
    elif "finish_reasons" in truth:
        words = [str(word) for word in truth["finish_reasons"] if word is not None]
        found.append(("finish_reasons", words, response.finish_reasons))
    for field in ("reasoning_texts", "thinking_texts", "reasoning_summaries"):
        if field in truth:
            found.append((field, _bare("".join(truth[field])), _bare(response.reasoning)))
    if truth["status"] >= 400 or "error" in truth:
        found.append(
            ("error", _error(truth.get("error")), response.error and response.error.message)
        )
    else:
        found.append(("error", None, response.error and response.error.message))
    if "input_tokens" in truth:
        usage = _counted(response.usage, "reasoning_tokens" in truth)
        found.append(("usage", _usage(wire_of(exchange), truth), usage))
    if "usage_raw" in truth:
        found.append(("usage_raw", truth["usage_raw"], response.usage and response.usage.raw))
    return [
        (field, theirs.removeprefix("models/") if field == "request_model" else theirs, value)
        for field, theirs, value in found
    ]


def _tools(exchange: Exchange, request: Request) -> list[str]:
    """As the truth counts: named hosted tools of Anthropic, too; namespaces, not their tools."""
    tools = [t for t in request.tools if not t.hosted or exchange["wire"].startswith("anthropic")]
    names = list(dict.fromkeys(tool.name.partition(".")[0] for tool in tools))
    return names[: len(exchange["expected"]["request_tool_names"])]


def _bare(text: str) -> str:
    return "".join(text.split())


def _error(error: Any) -> str | None:
    words = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return None if words is None else str(words)


def _call(call: dict[str, Any]) -> tuple[Any, Any, Any]:
    return call["id"] or None, call["name"], call["arguments"] or ""


def _calls(response: Response) -> list[tuple[Any, Any, Any]]:
    calls = []
    for call in response.tool_calls:
        try:
            arguments = json.loads(call.arguments or '""') or ""
        except ValueError:
            arguments = {"$unparsed": call.arguments}
        calls.append((call.id, call.name, arguments))
    return calls


def _counted(usage: Usage | None, reasoning: bool) -> tuple[Any, ...] | None:
    if usage is None:
        return None
    thought = (usage.reasoning_tokens or 0) if reasoning else 0
    return usage.input_tokens, usage.output_tokens, usage.cached_tokens or 0, thought


def _usage(wire: str, truth: dict[str, Any]) -> tuple[Any, ...]:
    """Their verbatim counters, normalised by the rules of the README."""
    read, written = truth.get("input_tokens"), truth.get("output_tokens")
    cached, reasoning = truth.get("cached_tokens"), truth.get("reasoning_tokens")
    raw = truth.get("usage_raw") or {}
    if wire == "anthropic.messages" or (wire.startswith("bedrock.") and "prompt_tokens" not in raw):
        read = _sum(read, cached, truth.get("cache_write_tokens"))
    if wire == "gemini":
        read = _sum(read, raw.get("toolUsePromptTokenCount"))
        written = written if reasoning is None else _sum(written, reasoning)
    return read, written, cached or 0, reasoning or 0


def _sum(*values: Any) -> int:
    return sum(value or 0 for value in values)
