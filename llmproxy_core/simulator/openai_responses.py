"""OpenAI Responses. Source: platform.openai.com/docs/api-reference/responses-streaming."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmproxy_core.model import mapping
from llmproxy_core.simulator import prompts
from llmproxy_core.simulator.exchange import (
    CREATED,
    TEXT_TOOL,
    Answer,
    Ask,
    Named,
    content_text,
    size,
    sse,
)
from llmproxy_core.simulator.openai_chat import refusal
from llmproxy_core.simulator.prompts import Prompt

CALLS = ("function_call", "custom_tool_call")
CLIENTS = frozenset({"function", "custom", *CALLS, *(f"{call}_output" for call in CALLS)})
"""The types of offers and calls that have the name of a client's tool."""


class OpenAIResponses:
    content_type = "text/event-stream"
    longest_name = 128

    def names(self, body: Mapping[str, Any]) -> Iterator[Named]:
        yield from named_tools(body, "")
        choice = mapping(body.get("tool_choice"))
        yield from named_tool(choice, "tool_choice")
        yield from named_tools(choice, "tool_choice.")
        asked = body.get("input")
        for index, item in enumerate(asked if isinstance(asked, list) else []):
            at = f"input[{index}]"
            yield from named_tool(mapping(item), at)
            yield from named_tools(mapping(item), f"{at}.")

    def read(self, body: Mapping[str, Any], path: str) -> Ask:
        asked = body.get("input") or ""
        items = [mapping(i) for i in asked] if isinstance(asked, list) else []
        spoken = [item for item in items if item.get("content") or item.get("output")]
        last = spoken[-1] if spoken else {}
        text = content_text(last.get("content")) if items else str(asked)
        tools = list(_tools([body, *items]))
        form = mapping(mapping(body.get("text")).get("format"))
        return Ask(
            model=str(body.get("model") or ""),
            text=text,
            stream=body.get("stream") is True,
            tools={
                str(tool["name"]): TEXT_TOOL
                if tool.get("type") == "custom"
                else tool.get("parameters")
                for tool in tools
            },
            forced_tool=_forced(body.get("tool_choice")),
            answers_tool=str(last.get("type", "")).endswith("_output"),
            thinks=bool(body.get("reasoning")),
            schema=form.get("schema"),
            earlier=size(items[:-1]) + size(body.get("instructions")) if items[1:] else 0,
            total=size(asked) + size(tools) + size(body.get("instructions")),
            repeated={key: body[key] for key in ("tools", "tool_choice") if body.get(key)},
            wants_json=str(form.get("type")).startswith("json"),
            most=body.get("max_output_tokens"),
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        return prompts.responses(body)

    def whole(self, ask: Ask, answer: Answer) -> Any:
        items = [item for item, _ in _items(ask, answer)]
        return _response(ask, answer, _status(answer), items, _usage(answer))

    def events(self, ask: Ask, answer: Answer) -> Iterator[bytes]:
        for number, data in enumerate(self.messages(ask, answer)):
            yield sse({**data, "sequence_number": number}, data["type"])

    def messages(self, ask: Ask, answer: Answer) -> Iterator[dict[str, Any]]:
        """The events as objects: one SSE event or one WebSocket message each."""
        start = _response(ask, answer, "in_progress", [], None)
        yield {"type": "response.created", "response": start}
        yield {"type": "response.in_progress", "response": start}
        for index, (item, pieces) in enumerate(_items(ask, answer)):
            yield {"type": "response.output_item.added", "output_index": index, "item": _new(item)}
            yield from _progress(item, pieces, index)
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        yield {"type": f"response.{_status(answer)}", "response": self.whole(ask, answer)}

    def silence(self, ask: Ask, answer: Answer) -> Iterator[dict[str, Any]]:
        """The events of an answer that was not to be generated: Codex warms the cache so."""
        yield {
            "type": "response.created",
            "response": _response(ask, answer, "in_progress", [], None),
        }
        nothing = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        done = _response(ask, answer, "completed", [], nothing)
        yield {"type": "response.completed", "response": done}

    def error(self, status: int, message: str) -> Any:
        return refusal(status, message)

    def error_event(self, message: str) -> bytes:
        error = {"type": "error", "code": "server_error", "message": message, "param": None}
        return sse({**error, "sequence_number": 999}, "error")


def named_tools(place: Mapping[str, Any], at: str) -> Iterator[Named]:
    for index, tool in enumerate(map(mapping, place.get("tools") or [])):
        where = f"{at}tools[{index}]"
        yield from named_tool(tool, where)
        yield from named_tools(tool, f"{where}.")


def named_tool(tool: Mapping[str, Any], at: str) -> Iterator[Named]:
    """The name in an offer, a choice or a call of a client's tool."""
    if str(tool.get("type")) in CLIENTS and "name" in tool:
        yield Named(f"{at}.name", str(tool["name"]))


def _tools(places: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Codex offers them inside `input`, in namespaces."""
    for place in places:
        for tool in map(mapping, place.get("tools") or []):
            if tool.get("type") == "namespace":
                yield from _tools([tool])
            elif tool.get("name"):
                yield tool


def _forced(choice: Any) -> str | None:
    if choice == "required":
        return ""
    told = mapping(choice)
    if told.get("type") == "allowed_tools":
        allowed = [named.name for named in named_tools(told, "")]
        return next(iter(allowed), "") if told.get("mode") == "required" else None
    return str(told["name"]) if "name" in told else None


def _items(ask: Ask, answer: Answer) -> list[tuple[dict[str, Any], list[str]]]:
    """Each output item as it is in the end, and the pieces it is streamed in."""
    items: list[tuple[dict[str, Any], list[str]]] = []
    if answer.reasoning:
        summary = [{"type": "summary_text", "text": "".join(answer.reasoning)}]
        item = {"id": f"rs_{answer.key}", "type": "reasoning", "summary": summary}
        items.append((item, answer.reasoning))
    for tool in answer.tools:
        custom = ask.tools.get(tool.name) is TEXT_TOOL
        kind, field = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
        call = {"id": f"fc_{tool.id}", "type": kind, "status": "completed"}
        call |= {"call_id": f"call_{tool.id}", "name": tool.name}
        text = tool.arguments
        pieces = [text[i : i + 8] for i in range(0, len(text), 8)]
        items.append((call | {field: text}, pieces))
    if not answer.tools:
        part = {"type": "output_text", "text": "".join(answer.text), "annotations": []}
        message = {"id": f"msg_{answer.key}", "type": "message", "status": "completed"}
        items.append((message | {"role": "assistant", "content": [part]}, answer.text))
    return items


def _new(item: dict[str, Any]) -> dict[str, Any]:
    empty = {"summary": [], "content": [], "arguments": "", "input": ""}
    empty |= {"status": "in_progress"}
    return {key: empty.get(key, value) for key, value in item.items()}


def _progress(item: dict[str, Any], pieces: list[str], index: int) -> Iterator[dict[str, Any]]:
    at = {"item_id": item["id"], "output_index": index}
    if item["type"] == "function_call":
        *deltas, done = _deltas(
            "function_call_arguments", "arguments", item["arguments"], pieces, at
        )
        yield from deltas
        yield done | {"name": item["name"]}
        return
    if item["type"] == "custom_tool_call":
        yield from _deltas("custom_tool_call_input", "input", item["input"], pieces, at)
        return
    reasoning = item["type"] == "reasoning"
    stem = "reasoning_summary" if reasoning else "content"
    name = "reasoning_summary_text" if reasoning else "output_text"
    part = (item["summary"] if reasoning else item["content"])[0]
    at |= {"summary_index" if reasoning else "content_index": 0}
    yield {"type": f"response.{stem}_part.added", **at, "part": part | {"text": ""}}
    yield from _deltas(name, "text", part["text"], pieces, at)
    yield {"type": f"response.{stem}_part.done", **at, "part": part}


def _deltas(
    name: str, field: str, whole: str, pieces: list[str], at: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    logprobs: dict[str, Any] = {"logprobs": []} if name == "output_text" else {}
    for piece in pieces:
        yield {"type": f"response.{name}.delta", **at, "delta": piece, **logprobs}
    yield {"type": f"response.{name}.done", **at, field: whole, **logprobs}


def _status(answer: Answer) -> str:
    return "incomplete" if answer.ending == "length" else "completed"


def _response(
    ask: Ask, answer: Answer, status: str, output: list[Any], usage: Any
) -> dict[str, Any]:
    cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
    return {
        "id": f"resp_{answer.key}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": cut,
        "instructions": None,
        "max_output_tokens": None,
        "model": ask.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": None,
        "metadata": {},
    } | ask.repeated


def _usage(answer: Answer) -> dict[str, Any]:
    return {
        "input_tokens": answer.input_tokens,
        "input_tokens_details": {"cached_tokens": answer.cached_tokens},
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }
