"""`ollama.chat`: POST /api/chat, and what it shares with /api/generate. Streams lines of JSON.

An answer streams unless `"stream": false` asks for a whole one, which is like one line of it.
Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, Role, Usage, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, count, items
from llmproxy_core.providers.openai_chat import read_tool
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"messages", "tools"})
ROLES: dict[str, Role] = {"assistant": "assistant", "system": "system", "tool": "tool"}
COUNTERS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


class OllamaChat:
    def request(self, body: Body, path: str) -> Request:
        return Request(
            model=text_of(body.get("model")) or None,
            stream=body.get("stream") is not False,
            messages=[_message(message) for message in items(body.get("messages"))],
            tools=[read_tool(tool) for tool in items(body.get("tools"))],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        self.event("", body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        said = event.get("message")
        if isinstance(said, dict):
            into.choice()
            if thinking := text_of(said.get("thinking")):
                into.add("reasoning", thinking)
            if text := text_of(said.get("content")):
                into.add("text", text)
            for call in items(said.get("tool_calls")):
                _call(call, into)
            for image in images(said.get("images")):
                into.part(image)
        elif "done" not in event and not read_error(event):
            into.unknown_event(name or "without message")
        end(event, into)


def end(event: Body, into: Assembler) -> None:
    """What every line has, and what the last one adds."""
    if into.model is None:
        into.model = text_of(event.get("model")) or None
    if error := read_error(event):
        into.error = error
        into.closed = True
    if event.get("done") is True:
        into.closed = True
        if reason := text_of(event.get("done_reason")):
            into.finish(reason)
    if "eval_count" in event or "prompt_eval_count" in event:
        into.usage = read_usage(event)


def read_usage(event: Body) -> Usage:
    """`prompt_eval_count` is left out where the prompt was cached. Durations are nanoseconds."""
    raw = {name: event[name] for name in COUNTERS if name in event}
    return Usage(count(event.get("prompt_eval_count")), count(event.get("eval_count")), raw=raw)


def images(value: Any) -> list[Part]:
    """Pictures as base64."""
    listed = value if isinstance(value, list) else []
    return [Part("image", attachment(size=len(text_of(image)))) for image in listed]


def _call(call: Body, into: Assembler) -> None:
    function = mapping(call.get("function"))
    key = ("call", into.written)
    into.call(key, text_of(function.get("name")), text_of(call.get("id")) or None)
    into.add("tool_call", _arguments(function), key=key)


def _arguments(function: Body) -> str:
    arguments = function.get("arguments")
    return arguments if isinstance(arguments, str) else dumps(arguments or {})


def _message(message: Body) -> Message:
    role = ROLES.get(text_of(message.get("role")), "user")
    text = text_of(message.get("content"))
    if role == "tool":
        name = text_of(message.get("tool_name") or message.get("name")) or None
        return Message(
            role, [Part("tool_result", text, name, text_of(message.get("tool_call_id")) or None)]
        )
    thinking = text_of(message.get("thinking"))
    parts = [Part("reasoning", thinking)] if thinking else []
    if text:
        parts.append(Part("text", text))
    parts += images(message.get("images"))
    for call in items(message.get("tool_calls")):
        function = mapping(call.get("function"))
        id = text_of(call.get("id")) or None
        parts.append(Part("tool_call", _arguments(function), text_of(function.get("name")), id))
    return Message(role, parts)
