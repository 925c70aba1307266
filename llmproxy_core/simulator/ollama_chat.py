"""Ollama's /api/chat: lines of JSON. Source: github.com/ollama/ollama/blob/main/docs/api.md."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import ToolCall, mapping
from llmproxy_core.providers.refusal import error_body
from llmproxy_core.simulator import openai_chat_tools
from llmproxy_core.simulator.compact import compact
from llmproxy_core.simulator.exchange import Answer, Ask, Named, size
from llmproxy_core.simulator.prompts import Block, Prompt

CREATED_AT = "2025-10-09T08:53:20Z"


class OllamaChat:
    content_type = "application/x-ndjson"
    longest_name = 64

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        """Those of OpenAI's chat, and of the tool whose result a message is."""
        yield from openai_chat_tools.names(body)
        for index, message in enumerate(body.get("messages") or []):
            if "tool_name" in mapping(message):
                yield Named(f"messages[{index}].tool_name", str(message["tool_name"]))

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        messages = [mapping(message) for message in body.get("messages") or []]
        last = messages[-1] if messages else {}
        wanted = body.get("format")
        return Ask(
            model=str(body.get("model") or ""),
            text=str(last.get("content") or ""),
            stream=body.get("stream") is not False,
            tools=openai_chat_tools.offered(body),
            answers_tool=last.get("role") == "tool",
            thinks=body.get("think") not in (None, False),
            schema=wanted if isinstance(wanted, dict) else None,
            earlier=size(body.get("tools") or []) + size(messages[:-1]) if messages[1:] else 0,
            total=size(body.get("tools") or []) + size(messages),
            wants_json=bool(wanted),
            most=mapping(body.get("options")).get("num_predict"),
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """It keeps what it has read, and tells nobody."""
        said = [*(body.get("tools") or []), *(body.get("messages") or [])]
        return Prompt("none", said=[Block(compact(one)) for one in said])

    def whole(self, ask: Ask, answer: Answer) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(answer.text)}
        if answer.reasoning:
            message["thinking"] = "".join(answer.reasoning)
        if answer.tools:
            message["tool_calls"] = [_call(tool) for tool in answer.tools]
        return _line(ask, message) | _end(answer)

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        said: list[dict[str, Any]] = [{"content": "", "thinking": t} for t in answer.reasoning]
        said += [{"content": piece} for piece in answer.text]
        said += [{"content": "", "tool_calls": [_call(tool)]} for tool in answer.tools]
        for message in said:
            yield _ndjson(_line(ask, {"role": "assistant", **message}) | {"done": False})
        yield _ndjson(_line(ask, {"role": "assistant", "content": ""}) | _end(answer))

    def error(self, status: int, message: str) -> Any:
        return error_body("ollama.chat", status, message)

    def error_event(self, message: str) -> bytes:
        return _ndjson({"error": message})


def _call(tool: ToolCall) -> dict[str, Any]:
    return {"function": {"name": tool.name, "arguments": json.loads(tool.arguments)}}


def _line(ask: Ask, message: dict[str, Any]) -> dict[str, Any]:
    return {"model": ask.model, "created_at": CREATED_AT, "message": message}


def _end(answer: Answer) -> dict[str, Any]:
    """Durations are nanoseconds."""
    return {
        "done": True,
        "done_reason": answer.ending,
        "total_duration": 4_935_886_791,
        "load_duration": 534_986_708,
        "prompt_eval_count": answer.input_tokens,
        "prompt_eval_duration": 107_345_000,
        "eval_count": answer.output_tokens,
        "eval_duration": 4_289_432_000,
    }


def _ndjson(line: dict[str, Any]) -> bytes:
    return f"{compact(line)}\n".encode()
