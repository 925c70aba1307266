"""Google Gemini, also under its Vertex paths. Source: ai.google.dev/api/generate-content."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import mapping
from llmproxy_core.providers.refusal import error_body
from llmproxy_core.simulator import prompts
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.exchange import Answer, Ask, Named, content_text, size, sse
from llmproxy_core.simulator.prompts import Prompt

SIGNED = "c2lt"
"""How our signatures begin; clients also send some that are none."""


class Gemini:
    """Streams as SSE with `alt=sse`, else as one JSON array that arrives element by element."""

    longest_name = 64

    def __init__(self, *, array: bool = False) -> None:
        self.array = array
        self.content_type = "application/json" if array else "text/event-stream"

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        for index, tool in enumerate(body.get("tools") or []):
            declared = pick(tool, "functionDeclarations") or []
            for number, function in enumerate(declared):
                at = f"tools[{index}].functionDeclarations[{number}].name"
                yield Named(at, str(mapping(function).get("name")))
        calling = pick(pick(body, "toolConfig"), "functionCallingConfig")
        for index, name in enumerate(pick(calling, "allowedFunctionNames") or []):
            at = f"toolConfig.functionCallingConfig.allowedFunctionNames[{index}]"
            yield Named(at, str(name))
        for index, content in enumerate(body.get("contents") or []):
            for number, part in enumerate(mapping(content).get("parts") or []):
                yield from _named(part, f"contents[{index}].parts[{number}]")

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        contents = [mapping(content) for content in body.get("contents") or []]
        parts = [mapping(part) for part in (contents[-1].get("parts") or [] if contents else [])]
        config = pick(body, "generationConfig")
        thinking = mapping(pick(config, "thinkingConfig"))
        tools = body.get("tools") or []
        prefix = size(pick(body, "systemInstruction") or "") + size(tools)
        return Ask(
            model=path.split("/models/")[-1].split(":")[0],
            text=content_text(parts),
            stream="streamGenerateContent" in path,
            tools=_functions(tools),
            forced_tool=_forced(pick(body, "toolConfig")),
            answers_tool=any(pick(part, "functionResponse") for part in parts),
            thinks=pick(thinking, "includeThoughts") is True,
            choices=int(pick(config, "candidateCount") or 1),
            schema=pick(config, "responseJsonSchema") or pick(config, "responseSchema"),
            earlier=prefix + size(contents[:-1]) if contents[1:] else 0,
            total=prefix + size(contents),
            wants_json=pick(config, "responseMimeType") == "application/json",
            most=pick(config, "maxOutputTokens"),
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        return prompts.gemini(body)

    def whole(self, ask: Ask, answer: Answer) -> Any:
        return _chunk(ask, answer, _merged(answer), _finish(answer))

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        parts = _parts(answer)
        for index, part in enumerate(parts):
            finish = _finish(answer) if index == len(parts) - 1 else None
            data = _chunk(ask, answer, [part], finish)
            yield self._element(data, index) if self.array else sse(data)
        if self.array:
            yield b"]\n"

    def error(self, status: int, message: str) -> Any:
        return error_body("gemini", status, message)

    def error_event(self, message: str) -> bytes:
        error = self.error(503, message)
        return self._element(error, 1) + b"]\n" if self.array else sse(error)

    def _element(self, data: Any, index: int) -> bytes:
        return f"{',\n' if index else '['}{compact(data)}\n".encode()


def _functions(tools: list[Any]) -> dict[str, Any]:
    found = {}
    for tool in map(mapping, tools):
        for function in map(mapping, pick(tool, "functionDeclarations") or []):
            schema = function.get("parameters") or pick(function, "parametersJsonSchema")
            found[str(function.get("name"))] = schema
    return found


def _named(part: Any, at: str) -> Iterator[Named]:
    """A call that is given back signed has to be the one that was signed."""
    for kind in ("functionCall", "functionResponse"):
        if found := mapping(pick(part, kind)):
            name = str(found.get("name"))
            yield Named(f"{at}.{kind}.name", name)
            told = str(pick(part, "thoughtSignature") or "")
            signature = told.translate(str.maketrans("-_", "+/"))
            if signature.startswith(SIGNED) and signature != _signature(name):
                yield Named(f"{at}.thoughtSignature", "")


def _signature(name: str) -> str:
    return SIGNED + base64.b64encode(content_hash(name.encode())).decode()


def _forced(config: Any) -> str | None:
    calling = pick(config, "functionCallingConfig")
    if pick(calling, "mode") != "ANY":
        return None
    return str((pick(calling, "allowedFunctionNames") or [""])[0])


def pick(value: Any, name: str) -> Any:
    """A field of a protobuf's JSON: it may be spelt in camelCase or in snake_case."""
    found = mapping(value)
    return found.get(name, found.get(re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", name)))


def _finish(answer: Answer) -> str:
    return "MAX_TOKENS" if answer.ending == "length" else "STOP"


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
    """Only the first of parallel calls is signed."""
    calls: list[dict[str, Any]] = []
    for tool in answer.tools:
        call = {"name": tool.name, "args": json.loads(tool.arguments)}
        signed = {} if calls else {"thoughtSignature": _signature(tool.name)}
        calls.append({"functionCall": call} | signed)
    return calls


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
        "candidates": [candidate | {"index": index} for index in range(ask.choices)],
        "usageMetadata": usage,
        "modelVersion": ask.model,
        "responseId": answer.key[:22],
    }
