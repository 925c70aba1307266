"""Chat fine-tuning JSONL: https://platform.openai.com/docs/guides/supervised-fine-tuning

A line a call: what was asked and the answer as the last message, from any wire format, with the
tools. Left out are calls without a whole answer, and those with what the format cannot hold
(images, sounds, documents) or would not accept (a tool result without its call).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llmproxy_core.interchange.outgoing.call import Call
from llmproxy_core.interchange.outgoing.texts import dumps
from llmproxy_core.interchange.outgoing.tools import functions
from llmproxy_core.model import Message, Part, Request, Response
from llmproxy_core.withholding.unsaid import SKELETON

MEDIA = ("image", "audio", "document", "other")


class Unfit(ValueError):
    """Why a call gives no example."""


def lines(calls: Iterable[Call], left_out: Callable[[str], None]) -> Iterator[bytes]:
    """`left_out` is called with the reason for every call that gives no example."""
    for call in calls:
        try:
            yield dumps(example(call)) + b"\n"
        except Unfit as exc:
            left_out(str(exc))


def example(call: Call) -> dict[str, Any]:
    """Raises Unfit."""
    if SKELETON in (call.asked.body_kept, call.answered and call.answered.body_kept):
        raise Unfit("its texts are not kept")
    if call.flow.state != "complete" or call.response.error is not None:
        raise Unfit("no whole answer")
    if not call.request.messages:
        raise Unfit("not a conversation, or of a format that is not read")
    messages = [*_asked(call.request), _answer(call.response)]
    _check(messages)
    tools = functions(call.asked)
    return {"messages": messages} | ({"tools": tools} if tools else {})


def _asked(request: Request) -> Iterator[dict[str, Any]]:
    numbers = _Numbers()
    if request.system and (system := _text(request.system)):
        yield {"role": "system", "content": system}
    for message in request.messages:
        yield from _message(message, numbers)


class _Numbers:
    """Ids for calls that have none: Gemini tells calls and results apart by name and order."""

    def __init__(self) -> None:
        self._made = 0
        self._open: dict[str, list[str]] = {}

    def call(self, part: Part) -> str:
        if part.id:
            return part.id
        self._made += 1
        self._open.setdefault(part.name or "", []).append(id := f"call_{self._made}")
        return id

    def result(self, part: Part) -> str:
        if part.id:
            return part.id
        waiting = self._open.get(part.name or "")
        if not waiting:
            raise Unfit("a tool result without its call")
        return waiting.pop(0)


def _message(message: Message, numbers: _Numbers) -> Iterator[dict[str, Any]]:
    for part in message.parts:
        if part.kind in MEDIA:
            raise Unfit("with images, sounds or documents")
        if part.kind == "tool_result":
            yield {"role": "tool", "tool_call_id": numbers.result(part), "content": part.text}
    calls = [_call(part, numbers) for part in message.parts if part.kind == "tool_call"]
    text = _text(message.parts)
    if calls or (message.role == "assistant" and text):
        yield _assistant(text, calls)
    elif (text and not any(part.kind == "tool_result" for part in message.parts)) or (
        text and message.role != "tool"
    ):
        yield {"role": message.role, "content": text}


def _answer(response: Response) -> dict[str, Any]:
    calls = [
        _function(call.id or f"answer_{number}", call.name, call.arguments)
        for number, call in enumerate(response.tool_calls)
    ]
    if response.server_tool_calls:
        raise Unfit("the provider itself ran tools")
    text = response.text or response.refusal or ""
    if not text and not calls:
        raise Unfit("an answer without text and calls")
    return _assistant(text, calls)


def _assistant(text: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {"role": "assistant"}
    if text or not calls:
        told["content"] = text
    return told | ({"tool_calls": calls} if calls else {})


def _call(part: Part, numbers: _Numbers) -> dict[str, Any]:
    return _function(numbers.call(part), part.name or "", part.text)


def _function(id: str, name: str, arguments: str) -> dict[str, Any]:
    called = {"name": name, "arguments": arguments or "{}"}
    return {"id": id, "type": "function", "function": called}


def _text(parts: Iterable[Part]) -> str:
    return "\n\n".join(
        part.text for part in parts if part.kind in ("text", "refusal") and part.text
    )


def _check(messages: list[dict[str, Any]]) -> None:
    """Every tool result must answer a call before it."""
    called: set[str] = set()
    for message in messages:
        called.update(call["id"] for call in message.get("tool_calls", ()))
        if message["role"] == "tool" and message["tool_call_id"] not in called:
            raise Unfit("a tool result without its call")
