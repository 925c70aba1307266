"""`cohere.chat`: POST /v1/chat (lines of JSON) and /v2/chat (server-sent events).

A tool plan is the model's reasoning about its calls. Sources:
https://docs.cohere.com/reference/chat, .../chat-stream and .../v1/reference/chat
"""

from typing import Any

from llmproxy_core.model import Message, Part, Request, Role, Tool, Usage, mapping, text_of
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, count, items
from llmproxy_core.providers.openai_chat import read_message, read_tool
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset(
    {"messages", "tools", "message", "chat_history", "preamble", "tool_results", "documents"}
)
ROLES: dict[str, Role] = {"CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}
QUIET = frozenset(
    {
        "content-end",
        "tool-call-end",
        "citation-end",
        "citation-generation",
        "search-queries-generation",
        "search-results",
        "tool-calls-generation",
        "debug",
    }
)


class CohereChat:
    def request(self, body: Body, path: str) -> Request:
        history = [_turn(turn) for turn in items(body.get("chat_history"))]
        history += [read_message(message) for message in items(body.get("messages"))]
        if message := text_of(body.get("message")):
            history.append(Message("user", [Part("text", message)]))
        if results := items(body.get("tool_results")):
            history.append(Message("tool", [_result(result) for result in results]))
        preamble = text_of(body.get("preamble"))
        return Request(
            model=text_of(body.get("model")) or None,
            stream=body.get("stream") is True,
            system=[Part("text", preamble)] if preamble else [],
            messages=history,
            tools=[_tool(tool) for tool in items(body.get("tools"))],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        into.choice()
        into.id = text_of(body.get("id") or body.get("response_id")) or into.id
        if isinstance(said := body.get("message"), dict):
            _said(said, into)
        else:
            if text := text_of(body.get("text")):
                into.add("text", text)
            for call in items(body.get("tool_calls")):
                _first_call(call, into)
            _cite(body.get("citations"), into)
        _end(body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = text_of(event.get("type") or event.get("event_type")) or name
        delta = mapping(event.get("delta"))
        said = mapping(delta.get("message"))
        if kind == "content-delta" or kind == "content-start":
            _content(mapping(said.get("content")), _index(event), into)
        elif kind == "text-generation":
            into.add("text", text_of(event.get("text")))
        elif kind.startswith("tool-") and kind not in QUIET:
            _tool_event(kind, event, said, into)
        elif kind in ("message-start", "stream-start"):
            into.choice()
            into.id = text_of(event.get("id") or event.get("generation_id")) or into.id
        elif kind == "citation-start":
            _cite([said.get("citations")], into)
        elif kind not in QUIET:
            self._last(kind, event, into)

    def _last(self, kind: str, event: Body, into: Assembler) -> None:
        """What may end an answer: its last event, a whole one in one line, an error."""
        if kind == "message-end":
            into.choice()
            _end(mapping(event.get("delta")), into)
        elif kind == "stream-end":
            self._stream_end(event, into)
        elif not kind and "finish_reason" in event:
            self.answer(event, into)
        elif error := read_error(event):
            into.error = error
        else:
            into.unknown_event(kind or "without type")
            return
        into.closed = True

    def _stream_end(self, event: Body, into: Assembler) -> None:
        """The last line of the first version repeats the whole answer."""
        response = mapping(event.get("response"))
        if response.get("text") or response.get("tool_calls"):
            into.forget()
            self.answer(response, into)
        if reason := text_of(event.get("finish_reason")):
            into.finish(reason)


def _index(event: Body) -> int:
    index = event.get("index")
    return index if type(index) is int else 0


def _content(content: Body, index: int, into: Assembler) -> None:
    if text := text_of(content.get("text")):
        into.add("text", text, key=index)
    if thinking := text_of(content.get("thinking")):
        into.add("reasoning", thinking, key=("thinking", index))


def _said(said: Body, into: Assembler) -> None:
    """The whole message of the second version."""
    if plan := text_of(said.get("tool_plan")):
        into.add("reasoning", plan, key="plan")
    content = said.get("content")
    if isinstance(content, str):
        into.add("text", content)
    for index, part in enumerate(items(content)):
        _content(part, index, into)
    for index, call in enumerate(items(said.get("tool_calls"))):
        _call(call, index, into)
    _cite(said.get("citations"), into)


def _tool_event(kind: str, event: Body, said: Body, into: Assembler) -> None:
    if kind == "tool-plan-delta":
        into.add("reasoning", text_of(said.get("tool_plan")), key="plan")
    elif kind == "tool-call-start":
        _call(mapping(said.get("tool_calls")), _index(event), into)
    elif kind == "tool-call-delta":
        function = mapping(mapping(said.get("tool_calls")).get("function"))
        key = ("call", _index(event))
        if into.block(key) is not None:
            into.add("tool_call", text_of(function.get("arguments")), key=key)
    elif kind == "tool-calls-chunk":
        if text := text_of(event.get("text")):
            into.add("text", text)
        _chunk(mapping(event.get("tool_call_delta")), into)
    else:
        into.unknown_event(kind)


def _call(call: Body, index: int, into: Assembler) -> None:
    function = mapping(call.get("function"))
    key = ("call", index)
    into.call(key, text_of(function.get("name")), text_of(call.get("id")) or None)
    into.add("tool_call", text_of(function.get("arguments")), key=key)


def _first_call(call: Body, into: Assembler) -> None:
    """A call of the first version: no id, its arguments an object."""
    key = ("call", into.written)
    into.call(key, text_of(call.get("name")), None)
    into.add("tool_call", dumps(call.get("parameters") or {}), key=key)


def _chunk(delta: Body, into: Assembler) -> None:
    key = ("chunk", _index(delta))
    if name := text_of(delta.get("name")):
        into.call(key, name, None)
    if into.block(key) is not None:
        into.add("tool_call", text_of(delta.get("parameters")), key=key)


def _cite(citations: Any, into: Assembler) -> None:
    for citation in items(citations):
        for source in items(citation.get("sources")):
            document = mapping(source.get("document"))
            into.cite(
                text_of(document.get("title")), text_of(document.get("url") or source.get("id"))
            )
        ids = citation.get("document_ids")
        for id in ids if isinstance(ids, list) else []:
            into.cite("", text_of(id))


def _end(body: Body, into: Assembler) -> None:
    if reason := text_of(body.get("finish_reason")):
        into.finish(reason)
    if error := text_of(body.get("error")):
        into.error = read_error({"error": error})
    usage = body.get("usage", body.get("meta"))
    if isinstance(usage, dict):
        into.usage = read_usage(usage)


def read_usage(usage: Body) -> Usage:
    """`tokens` are what was read and written; `billed_units`, in `raw`, are fewer."""
    tokens = mapping(usage.get("tokens")) or mapping(usage.get("billed_units"))
    cached = count(usage.get("cached_tokens", tokens.get("cached_tokens")))
    read, written = count(tokens.get("input_tokens")), count(tokens.get("output_tokens"))
    return Usage(read, written, cached, raw=dict(usage))


def _turn(turn: Body) -> Message:
    role = ROLES.get(text_of(turn.get("role")).upper(), "user")
    text = text_of(turn.get("message"))
    parts = [Part("text", text)] if text else []
    for call in items(turn.get("tool_calls")):
        shown = dumps(call.get("parameters") or {})
        parts.append(Part("tool_call", shown, text_of(call.get("name"))))
    parts += [_result(result) for result in items(turn.get("tool_results"))]
    return Message(role, parts)


def _result(result: Body) -> Part:
    name = text_of(mapping(result.get("call")).get("name"))
    return Part("tool_result", dumps(result.get("outputs") or []), name or None)


def _tool(tool: Body) -> Tool:
    if "function" in tool:
        return read_tool(tool)
    return Tool(text_of(tool.get("name")), text_of(tool.get("description")))
