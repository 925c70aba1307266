"""`openai.responses`: POST /v1/responses, also of Azure, OpenRouter, and Codex at chatgpt.com.

Source: https://platform.openai.com/docs/api-reference/responses and .../responses-streaming
"""

from typing import Any

from llmproxy_core.model import (
    ApiError,
    Message,
    Part,
    Request,
    Role,
    Tool,
    Usage,
    mapping,
    text_of,
)
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler, Key
from llmproxy_core.providers.format import Body, count, items
from llmproxy_core.providers.openai_items import CALLS, arguments, cite, contents, shown
from llmproxy_core.providers.settings import LONGEST, session_hints, settings

NOT_SETTINGS = frozenset({"input", "instructions", "tools", "include"})
ROLES: dict[str, Role] = {"system": "system", "developer": "system", "assistant": "assistant"}
USERS: dict[str, Role] = {"mcp_approval_response": "user"}
ENDS = ("response.completed", "response.incomplete", "response.failed", "response.done")
BEGINS = ("response.created", "response.in_progress", "response.queued")
TEXTS = {
    "response.output_text.delta": "text",
    "response.audio.transcript.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
}
ARGUMENTS = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")
QUIET = (".done", ".in_progress", ".searching", ".completed", ".interpreting", ".generating")
QUIET_WITHIN = (
    "content_part",
    "reasoning_summary_part",
    "mcp_",
    "code_interpreter",
    "image_generation",
    "shell_call",
    "apply_patch",
    "keepalive",
    "response.audio.delta",
)


class OpenAIResponses:
    def request(self, body: Body, path: str) -> Request:
        entries = _entries(body.get("input"))
        nested = [tool for entry in entries for tool in items(entry.get("tools"))]
        return Request(
            model=text_of(body.get("model")) or None,
            stream=body.get("stream") is True or "stream=true" in path,
            system=_instructions(body.get("instructions")),
            messages=[_message(entry) for entry in entries],
            tools=_distinct(items(body.get("tools")) + nested),
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body) or _fetched(path),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        if "output" not in body and "status" not in body:
            return
        into.choice()
        into.id = text_of(body.get("id")) or into.id
        into.model = text_of(body.get("model")) or into.model
        for index, item in enumerate(items(body.get("output"))):
            _item(item, index, into)
        _end(body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = text_of(event.get("type")) or name
        if kind in TEXTS:
            _piece(kind, event, into)
        elif kind in ARGUMENTS:
            into.add("tool_call", text_of(event.get("delta")), key=_index(event))
        elif kind == "response.output_item.added":
            _added(mapping(event.get("item")), _index(event), into)
        elif kind in ENDS:
            _closing(mapping(event.get("response")), into)
        elif kind in BEGINS:
            response = mapping(event.get("response"))
            into.choice()
            into.id = text_of(response.get("id")) or into.id
            into.model = text_of(response.get("model")) or into.model
        elif kind == "response.output_text.annotation.added":
            cite([event.get("annotation")], into)
        elif kind == "error" or "error" in event:
            into.error = read_error(event) or read_error({"error": event})
            into.closed = True
        elif not kind.endswith(QUIET) and not any(word in kind for word in QUIET_WITHIN):
            into.unknown_event(kind or "without type")


def _fetched(path: str) -> dict[str, str]:
    """GET /v1/responses/ID belongs to the session of that response."""
    id = path.partition("?")[0].rpartition("/")[2]
    return {"previous_response_id": id[:LONGEST]} if id.startswith("resp_") else {}


def _index(event: Body) -> int:
    index = event.get("output_index")
    return index if type(index) is int else 0


def _piece(kind: str, event: Body, into: Assembler) -> None:
    inner = event.get("content_index", event.get("summary_index"))
    key: Key = (_index(event), f"{kind} {inner}")
    what = TEXTS[kind]
    text = text_of(event.get("delta"))
    if what == "text":
        into.add("text", text, key=key)
    elif what == "reasoning":
        into.add("reasoning", text, key=key)
    else:
        into.add("refusal", text, key=key)


def _added(item: Body, index: int, into: Assembler) -> None:
    """An item begins: messages and reasoning say the rest in pieces, calls have a name to show."""
    kind = text_of(item.get("type"))
    if kind in CALLS:
        into.call(index, text_of(item.get("name")), text_of(item.get("call_id")) or None)
    elif kind not in ("message", "reasoning"):
        _item(item, index, into)


def _closing(response: Body, into: Assembler) -> None:
    """The last event repeats the whole answer; some servers leave its output out."""
    into.closed = True
    into.choice()
    into.id = text_of(response.get("id")) or into.id
    into.model = text_of(response.get("model")) or into.model
    output = items(response.get("output"))
    if output:
        into.forget()
        into.choice()
        for index, item in enumerate(output):
            _item(item, index, into)
    _end(response, into)


def _end(response: Body, into: Assembler) -> None:
    usage = response.get("usage")
    if isinstance(usage, dict):
        into.usage = read_usage(usage)
    reason = text_of(mapping(response.get("incomplete_details")).get("reason"))
    if status := text_of(response.get("status")):
        into.finish(reason or status)
    if response.get("error"):
        into.error = read_error(response)
    elif status == "failed":
        into.error = ApiError(None, "the response failed")


def _item(item: Body, index: int, into: Assembler) -> None:
    """One whole entry of `output`."""
    kind = text_of(item.get("type"))
    if kind == "message":
        _said(item, index, into)
    elif kind == "reasoning" and (texts := _thoughts(item)):
        for at, part in enumerate(texts):
            into.add("reasoning", text_of(part.get("text")), key=(index, at))
    elif kind in CALLS:
        into.call(index, text_of(item.get("name")), text_of(item.get("call_id")) or None)
        into.add("tool_call", arguments(item), key=index)
    else:
        if kind.endswith("_call"):
            into.server_tool_calls.append(kind)
        for piece in shown(item, kind):
            into.part(piece)


def _said(item: Body, index: int, into: Assembler) -> None:
    """A message; a compaction repeats those of the user that it keeps."""
    if item.get("role") == "user":
        kept = [part.text for part in contents(item.get("content"))]
        into.part(Part("other", "\n".join(["kept:", *kept])))
        return
    for at, part in enumerate(items(item.get("content"))):
        if part.get("type") == "refusal":
            into.add("refusal", text_of(part.get("refusal")), key=(index, at))
        elif "text" in part or "transcript" in part:
            text = text_of(part.get("text")) or text_of(part.get("transcript"))
            into.add("text", text, key=(index, at))
            cite(part.get("annotations"), into)


def _thoughts(item: Body) -> list[Body]:
    return items(item.get("summary")) + items(item.get("content"))


def read_usage(usage: Body) -> Usage:
    """Input includes cached tokens, output includes reasoning."""
    inputs = mapping(usage.get("input_tokens_details"))
    outputs = mapping(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=count(inputs.get("cached_tokens")),
        cache_write_tokens=count(inputs.get("cache_write_tokens")),
        reasoning_tokens=count(outputs.get("reasoning_tokens")),
        raw=dict(usage),
    )


def _entries(value: Any) -> list[Body]:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    return items(value)


def _instructions(value: Any) -> list[Part]:
    if isinstance(value, str):
        return [Part("text", value)] if value else []
    return [part for entry in items(value) for part in _message(entry).parts]


def _message(entry: Body) -> Message:
    kind = text_of(entry.get("type"))
    if kind in ("", "message"):
        role = ROLES.get(text_of(entry.get("role")), "user")
        return Message(role, contents(entry.get("content")))
    parts = shown(entry, kind)
    role = ROLES.get(text_of(entry.get("role")), USERS.get(kind, "assistant"))
    return Message("tool" if parts[0].kind == "tool_result" else role, parts)


def _distinct(tools: list[Body]) -> list[Tool]:
    """Tools that were searched for come again in later turns."""
    found: dict[tuple[str, bool], Tool] = {}
    for item in tools:
        for tool in _tools(item):
            found.setdefault((tool.name, tool.hosted), tool)
    return list(found.values())


def _tools(tool: Body) -> list[Tool]:
    """One tool, or all of a `namespace` (Codex), named `namespace.tool`."""
    kind = text_of(tool.get("type"))
    name = text_of(tool.get("name"))
    if kind == "namespace":
        inner = [found for item in items(tool.get("tools")) for found in _tools(item)]
        return [Tool(f"{name}.{found.name}", found.description, found.hosted) for found in inner]
    hosted = kind not in ("function", "custom", "")
    if label := text_of(tool.get("server_label")):
        name = f"{kind} {label}"
    return [Tool(name or kind, text_of(tool.get("description")), hosted)]
