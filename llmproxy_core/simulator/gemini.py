"""Google Gemini, also under its Vertex paths. Source: ai.google.dev/api/generate-content."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator.exchange import Answer, Ask, compact, content_text, size, sse

STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class Gemini:
    """Streams as SSE with `alt=sse`, else as one JSON array that arrives element by element."""

    def __init__(self, *, array: bool = False) -> None:
        self.array = array

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        contents = [mapping(content) for content in body.get("contents") or []]
        parts = [mapping(part) for part in (contents[-1].get("parts") or [] if contents else [])]
        config = _get(body, "generationConfig")
        thinking = mapping(_get(config, "thinkingConfig"))
        tools = body.get("tools") or []
        prefix = size(_get(body, "systemInstruction") or "") + size(tools)
        return Ask(
            model=path.split("/models/")[-1].split(":")[0],
            text=content_text(parts),
            stream="streamGenerateContent" in path,
            tools=_functions(tools),
            forced_tool=_forced(_get(body, "toolConfig")),
            answers_tool=any(_get(part, "functionResponse") for part in parts),
            thinks=_get(thinking, "includeThoughts") is True,
            schema=_get(config, "responseJsonSchema") or _get(config, "responseSchema"),
            earlier=prefix + size(contents[:-1]) if contents[1:] else 0,
            total=prefix + size(contents),
        )

    def whole(self, ask: Ask, answer: Answer) -> Any:
        return _chunk(ask, answer, _merged(answer), "STOP")

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        parts = _parts(answer)
        for index, part in enumerate(parts):
            finish = "STOP" if index == len(parts) - 1 else None
            data = _chunk(ask, answer, [part], finish)
            yield self._element(data, index) if self.array else sse(data)
        if self.array:
            yield b"]\n"

    def error(self, status: int, message: str) -> Any:
        word = STATUS_WORDS.get(status, "INTERNAL")
        return {"error": {"code": status, "message": message, "status": word}}

    def error_event(self, message: str) -> bytes:
        error = self.error(503, message)
        return self._element(error, 1) + b"]\n" if self.array else sse(error)

    def _element(self, data: Any, index: int) -> bytes:
        return f"{',\n' if index else '['}{compact(data)}\n".encode()


def _functions(tools: list[Any]) -> dict[str, Any]:
    found = {}
    for tool in map(mapping, tools):
        for function in map(mapping, _get(tool, "functionDeclarations") or []):
            schema = function.get("parameters") or _get(function, "parametersJsonSchema")
            found[str(function.get("name"))] = schema
    return found


def _forced(config: Any) -> str | None:
    calling = _get(config, "functionCallingConfig")
    if _get(calling, "mode") != "ANY":
        return None
    return str((_get(calling, "allowedFunctionNames") or [""])[0])


def _get(value: Any, name: str) -> Any:
    """A field of a protobuf's JSON: it may be spelt in camelCase or in snake_case."""
    found = mapping(value)
    return found.get(name, found.get(re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", name)))


def _parts(answer: Answer) -> list[dict[str, Any]]:
    """One part a chunk."""
    parts: list[dict[str, Any]] = [{"text": text, "thought": True} for text in answer.reasoning]
    parts += [{"text": text} for text in answer.text]
    return parts + _call(answer) or [{"text": ""}]


def _merged(answer: Answer) -> list[dict[str, Any]]:
    thoughts, text = "".join(answer.reasoning), "".join(answer.text)
    parts: list[dict[str, Any]] = [{"text": thoughts, "thought": True}] if thoughts else []
    return parts + ([{"text": text}] if text else []) + _call(answer)


def _call(answer: Answer) -> list[dict[str, Any]]:
    if answer.tool is None:
        return []
    call = {"name": answer.tool.name, "args": json.loads(answer.tool.arguments)}
    return [{"functionCall": call}]


def _chunk(ask: Ask, answer: Answer, parts: list[Any], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if finish:
        candidate["finishReason"] = finish
    usage = {
        "promptTokenCount": answer.input_tokens,
        "candidatesTokenCount": answer.output_tokens - answer.reasoning_tokens,
        "totalTokenCount": answer.input_tokens + answer.output_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.input_tokens}],
    }
    if answer.cached_tokens:
        usage["cachedContentTokenCount"] = answer.cached_tokens
    if answer.reasoning_tokens:
        usage["thoughtsTokenCount"] = answer.reasoning_tokens
    return {
        "candidates": [candidate | {"index": 0}],
        "usageMetadata": usage,
        "modelVersion": ask.model,
        "responseId": answer.key[:22],
    }
