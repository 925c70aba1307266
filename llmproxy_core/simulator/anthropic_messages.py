"""Anthropic Messages. Source: docs.anthropic.com/en/api/messages-streaming."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import mapping
from llmproxy_core.providers.refusal import error_body
from llmproxy_core.simulator import prompts
from llmproxy_core.simulator.exchange import Answer, Ask, Named, content_text, size, sse
from llmproxy_core.simulator.prompts import Prompt


class AnthropicMessages:
    content_type = "text/event-stream"
    longest_name = 128

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        """A tool with a type is Anthropic's; what it is called is theirs, too."""
        tools = [mapping(tool) for tool in body.get("tools") or []]
        theirs = {tool.get("name") for tool in tools if tool.get("type") not in (None, "custom")}
        for place, name in _named(body, tools):
            if name not in theirs:
                yield Named(place, str(name))

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        messages = [mapping(message) for message in body.get("messages") or []]
        # Claude Code puts messages of the system after the person's
        said = [message for message in messages if message.get("role") != "system"]
        content = said[-1].get("content") if said else None
        blocks = [mapping(b) for b in content] if isinstance(content, list) else []
        tools = [mapping(tool) for tool in body.get("tools") or []]
        prefix = size(body.get("system") or "") + size(tools)
        choice = mapping(body.get("tool_choice"))
        forced = {"any": "", "tool": choice.get("name")}.get(str(choice.get("type")))
        return Ask(
            model=str(body.get("model") or ""),
            text=content_text(content),
            stream=body.get("stream") is True,
            tools={str(t["name"]): t.get("input_schema") for t in tools if "input_schema" in t},
            forced_tool=forced,
            answers_tool=any(block.get("type") == "tool_result" for block in blocks),
            thinks=mapping(body.get("thinking")).get("type") in ("enabled", "adaptive"),
            schema=mapping(mapping(body.get("output_config")).get("format")).get("schema"),
            earlier=prefix + size(messages[:-1]) if messages[1:] else 0,
            total=prefix + size(messages),
            wants_json=bool(mapping(body.get("output_config")).get("format")),
            most=body.get("max_tokens"),
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        return prompts.anthropic(body)

    def whole(self, ask: Ask, answer: Answer) -> Any:
        content = [block for block, _, _ in _blocks(answer)]
        return _message(ask, answer, content, _reason(answer), _usage(answer, answer.output_tokens))

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        def event(kind: str, **data: Any) -> bytes:
            return sse({"type": kind, **data}, kind)

        start = _message(ask, answer, [], None, _usage(answer, 1))
        yield event("message_start", message=start)
        for index, (block, empty, deltas) in enumerate(_blocks(answer)):
            yield event("content_block_start", index=index, content_block=block | empty)
            if index == 0:
                yield event("ping")
            for delta in deltas:
                yield event("content_block_delta", index=index, delta=delta)
            yield event("content_block_stop", index=index)
        usage = _usage(answer, answer.output_tokens)
        delta = {"stop_reason": _reason(answer), "stop_sequence": None}
        yield event("message_delta", delta=delta, usage=usage)
        yield event("message_stop")

    def error(self, status: int, message: str) -> Any:
        return error_body("anthropic.messages", status, message, id="req_simulated")

    def error_event(self, message: str) -> bytes:
        error = {"type": "overloaded_error", "message": message}
        return sse({"type": "error", "error": error}, "error")


def _named(body: Mapping[str, Any], tools: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for index, tool in enumerate(tools):
        if "name" in tool:
            yield f"tools[{index}].name", tool["name"]
    choice = mapping(body.get("tool_choice"))
    if choice.get("type") == "tool":
        yield "tool_choice.name", choice.get("name")
    for index, message in enumerate(body.get("messages") or []):
        yield from _called(mapping(message).get("content"), f"messages[{index}].content")


def _called(content: Any, at: str) -> Iterator[tuple[str, Any]]:
    for index, block in enumerate(content if isinstance(content, list) else []):
        block = mapping(block)
        if block.get("type") == "tool_use":
            yield f"{at}[{index}].name", block.get("name")
        elif block.get("type") == "tool_reference":
            yield f"{at}[{index}].tool_name", block.get("tool_name")
        yield from _called(block.get("content"), f"{at}[{index}].content")


type _Block = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]


def _blocks(answer: Answer) -> Iterator[_Block]:
    """Each content block: as it is in the end, what is empty at its start, its deltas."""
    if answer.reasoning:
        thoughts = "".join(answer.reasoning)
        signature = f"sig{content_hash(thoughts.encode()).hex()}"
        block = {"type": "thinking", "thinking": thoughts, "signature": signature}
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in answer.reasoning]
        deltas.append({"type": "signature_delta", "signature": signature})
        yield block, {"thinking": "", "signature": ""}, deltas
    if answer.text:
        text = [{"type": "text_delta", "text": piece} for piece in answer.text]
        yield {"type": "text", "text": "".join(answer.text)}, {"text": ""}, text
    for tool in answer.tools:
        arguments = tool.arguments
        call = {"type": "tool_use", "id": f"toolu_{tool.id}", "name": tool.name}
        pieces = ["", *(arguments[i : i + 8] for i in range(0, len(arguments), 8))]
        inputs = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield call | {"input": json.loads(arguments)}, {"input": {}}, inputs


def _reason(answer: Answer) -> str:
    if answer.ending == "length":
        return "max_tokens"
    return "tool_use" if answer.tools else "end_turn"


def _message(
    ask: Ask, answer: Answer, content: list[Any], reason: str | None, usage: Any
) -> dict[str, Any]:
    return {
        "model": ask.model,
        "id": f"msg_{answer.key}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(answer: Answer, output: int) -> dict[str, Any]:
    """Here input_tokens does not include what was read from or written to the cache."""
    return {
        "input_tokens": answer.input_tokens - answer.cached_tokens - answer.written_tokens,
        "cache_creation_input_tokens": answer.written_tokens,
        "cache_read_input_tokens": answer.cached_tokens,
        "output_tokens": output,
        "service_tier": "standard",
    }
