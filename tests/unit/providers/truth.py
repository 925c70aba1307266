"""What recorded exchanges should be read as (`expected.jsonl.gz`), beside what we read."""

import json
from typing import Any

from llmproxy_core.model import Request, Response, Usage
from tests.unit.providers.corpus import Exchange, wire_of

type Comparison = tuple[str, Any, Any]
"""(field, what is expected, what we read)."""


def comparisons(exchange: Exchange, request: Request, response: Response) -> list[Comparison]:
    truth = exchange["expected"]
    ours: dict[str, Any] = {
        "request_model": request.model,
        "n_messages": len(request.messages),
        "request_stream": request.stream,
        "request_tool_names": _tools(exchange, request),
        "include_usage": request.parameters.get("stream_options.include_usage", False),
        "model": response.model or "",
        "response_id": response.id or "",
        "text": response.text,
        "n_choices": len(response.texts),
        "texts": response.texts,
        "refusal": response.refusal,
        "server_tool_calls": response.server_tool_calls,
        "n_events": response.n_events,
        "n_embeddings": response.n_embeddings,
    }
    found = [(field, truth[field], value) for field, value in ours.items() if field in truth]
    found += _said(truth, response) + _counts(wire_of(exchange), truth, response)
    return [
        (field, theirs.removeprefix("models/") if field == "request_model" else theirs, value)
        for field, theirs, value in found
    ]


def _said(truth: dict[str, Any], response: Response) -> list[Comparison]:
    found: list[Comparison] = []
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
    failed = truth["status"] >= 400 or "error" in truth
    error = _error(truth.get("error")) if failed else None
    return [*found, ("error", error, response.error and response.error.message)]


def _counts(wire: str, truth: dict[str, Any], response: Response) -> list[Comparison]:
    found: list[Comparison] = []
    usage = response.usage or Usage()
    if "input_tokens" in truth:
        counted = _counted(response.usage, "reasoning_tokens" in truth)
        found.append(("usage", _usage(wire, truth), counted))
    if truth.get("cache_write_tokens") is not None:
        written = truth["cache_write_tokens"]
        found.append(("cache_write_tokens", written, usage.cache_write_tokens))
    if "usage_raw" in truth:
        found.append(("usage_raw", truth["usage_raw"], usage.raw))
    return found


def _tools(exchange: Exchange, request: Request) -> list[str]:
    """As the truth counts: named hosted tools of Anthropic, too; namespaces, not their tools."""
    named = exchange["expected"].get("request_tool_names", ())
    tools = [t for t in request.tools if not t.hosted or exchange["wire"].startswith("anthropic")]
    names = list(dict.fromkeys(tool.name.partition(".")[0] for tool in tools))
    return names[: len(named)]


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
