"""`bedrock.converse` and `bedrock.converse-stream`, which Amazon's Nova models speak in `invoke`, too.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
.../API_runtime_ConverseStream.html
"""

from typing import Any
from urllib.parse import unquote

from llmproxy_core.model import (
    Message,
    Part,
    PartKind,
    Request,
    Role,
    Tool,
    Usage,
    mapping,
    text_of,
)
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, attachment, count, items, total
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"messages", "system", "toolConfig", "requestMetadata"})
ROLES: dict[str, Role] = {"assistant": "assistant", "system": "system"}
EVENTS = frozenset(
    {
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    }
)
MEDIA: dict[str, PartKind] = {
    "image": "image",
    "document": "document",
    "video": "document",
    "audio": "audio",
}
SERVER_CALL = "server_tool_use"


class BedrockConverse:
    def request(self, body: Body, path: str) -> Request:
        tools = items(mapping(body.get("toolConfig")).get("tools"))
        return Request(
            model=model_in(path) or text_of(body.get("modelId")) or None,
            stream=path.partition("?")[0].endswith("-stream"),
            system=_system(body.get("system")),
            messages=[
                Message(
                    ROLES.get(text_of(message.get("role")), "user"), _parts(message.get("content"))
                )
                for message in items(body.get("messages"))
            ],
            tools=[told for tool in tools if (told := _tool(tool)).name],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints({"metadata": body.get("requestMetadata")}),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        output = mapping(body.get("output"))
        if not output and "stopReason" not in body:
            return
        into.choice()
        for index, block in enumerate(items(mapping(output.get("message")).get("content"))):
            _block(block, index, into)
        _end(body, into)
        _usage(body.get("usage"), into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        if name in EVENTS:
            _event(name, event, into)
            return
        known = [key for key in event if key in EVENTS]
        for key in known:
            _event(key, mapping(event[key]), into)
        if not known and "amazon-bedrock-invocationMetrics" not in event:
            into.error = into.error or read_error(event)
            into.unknown_event(name or next(iter(event), "empty"))


def _event(kind: str, event: Body, into: Assembler) -> None:
    if kind == "contentBlockDelta":
        _delta(mapping(event.get("delta")), _index(event), into)
    elif kind == "contentBlockStart":
        _begin(mapping(event.get("start")), _index(event), into)
    elif kind == "messageStop":
        _end(event, into)
        into.closed = True
    elif kind == "contentBlockStop":
        block = into.block(_index(event))
        if block is not None and block.kind == "tool_call" and not block.text:
            into.add("tool_call", "{}", key=_index(event))
    elif kind == "metadata":
        _usage(event.get("usage"), into)
    else:
        into.choice()


def _index(event: Body) -> int:
    index = event.get("contentBlockIndex")
    return index if type(index) is int else 0


def _begin(start: Body, index: int, into: Assembler) -> None:
    call = mapping(start.get("toolUse"))
    if call and call.get("type") == SERVER_CALL:
        into.server_tool_calls.append(text_of(call.get("name")))
        into.part(_part(start))
    elif call:
        into.call(index, text_of(call.get("name")), text_of(call.get("toolUseId")) or None)
        if call.get("input"):
            into.add("tool_call", _input(call), key=index)
    elif start:
        into.part(_part(start))


def _delta(delta: Body, index: int, into: Assembler) -> None:
    call, thought = delta.get("toolUse"), delta.get("reasoningContent")
    if isinstance(delta.get("text"), str):
        into.add("text", delta["text"], key=index)
    elif isinstance(call, dict):
        if into.block(index) is not None:
            into.add("tool_call", _input(call), key=index)
    elif isinstance(thought, dict):
        text = text_of(thought.get("text")) or _thought(thought)
        if text or "redactedContent" not in thought:
            into.add("reasoning", text, key=index)
    elif not any(key in delta for key in ("citation", "toolResult", "image")):
        into.unknown_event(f"contentBlockDelta {next(iter(delta), 'empty')}")


def _block(block: Body, index: int, into: Assembler) -> None:
    """A whole content block."""
    call, cited = mapping(block.get("toolUse")), mapping(block.get("citationsContent"))
    if isinstance(block.get("text"), str):
        into.add("text", block["text"], key=index)
    elif cited:
        for piece in items(cited.get("content")):
            into.add("text", text_of(piece.get("text")), key=index)
    elif "reasoningContent" in block:
        if text := _thought(mapping(block["reasoningContent"])):
            into.add("reasoning", text, key=index)
    elif call and call.get("type") != SERVER_CALL:
        into.call(index, text_of(call.get("name")), text_of(call.get("toolUseId")) or None)
        into.add("tool_call", _input(call) or "{}", key=index)
    else:
        if call:
            into.server_tool_calls.append(text_of(call.get("name")))
        into.part(_part(block))


def _input(call: Body) -> str:
    """Arguments: JSON text in pieces, or an object."""
    value = call.get("input")
    return value if isinstance(value, str) else "" if value is None else dumps(value)


def _thought(content: Body) -> str:
    return text_of(mapping(content.get("reasoningText")).get("text"))


def _end(body: Body, into: Assembler) -> None:
    if reason := text_of(body.get("stopReason")):
        into.finish(reason)


def _usage(usage: Any, into: Assembler) -> None:
    if isinstance(usage, dict):
        into.usage = read_usage(usage)


def read_usage(usage: Body) -> Usage:
    """`inputTokens` are only those neither read from a cache nor written to it: here, the sum."""
    cached = count(usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount")))
    written = count(usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount")))
    fresh = count(usage.get("inputTokens"))
    return Usage(
        input_tokens=None if fresh is None else total(fresh, cached, written),
        output_tokens=count(usage.get("outputTokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
        raw=dict(usage),
    )


def _system(system: Any) -> list[Part]:
    if isinstance(system, str):
        return [Part("text", system)] if system else []
    return _parts(system)


def _parts(content: Any) -> list[Part]:
    """Marks for the cache are no content."""
    if isinstance(content, str):
        return [Part("text", content)] if content else []
    return [_part(block) for block in items(content) if "cachePoint" not in block]


def _part(block: Body) -> Part:
    if isinstance(block.get("text"), str):
        return Part("text", block["text"])
    for kind, value in block.items():
        inner = mapping(value)
        if kind == "toolUse":
            id = text_of(inner.get("toolUseId")) or None
            return Part("tool_call", _input(inner), text_of(inner.get("name")), id)
        if kind == "toolResult":
            name = text_of(inner.get("type")).removesuffix("_result") or None
            id = text_of(inner.get("toolUseId")) or None
            return Part("tool_result", _result(inner.get("content")), name, id)
        if kind == "reasoningContent":
            return Part("reasoning", _thought(inner))
        if kind in MEDIA:
            return _file(MEDIA[kind], inner)
        if kind == "guardContent":
            return Part("text", text_of(mapping(inner.get("text")).get("text")))
        if kind == "citationsContent":
            return Part(
                "text", "".join(text_of(p.get("text")) for p in items(inner.get("content")))
            )
    return Part("other", next(iter(block), "block"))


def _file(kind: PartKind, file: Body) -> Part:
    source = mapping(file.get("source"))
    where = text_of(mapping(source.get("s3Location")).get("uri"))
    if text := text_of(source.get("text")):
        return Part(kind, text, text_of(file.get("name")) or None)
    shown = attachment(where, text_of(file.get("format")), len(text_of(source.get("bytes"))))
    return Part(kind, shown, text_of(file.get("name")) or None)


def _result(content: Any) -> str:
    shown = []
    for block in items(content):
        part = _part(block) if "json" not in block else Part("text", dumps(block["json"]))
        shown.append(part.text if part.kind == "text" else f"[{part.kind} {part.text}]")
    return "\n".join(shown)


def _tool(tool: Body) -> Tool:
    spec, system = mapping(tool.get("toolSpec")), mapping(tool.get("systemTool"))
    name = text_of((spec or system).get("name"))
    return Tool(name, text_of(spec.get("description")), hosted=bool(system))


def model_in(path: str) -> str | None:
    """/model/NAME/converse; the name may be an ARN with escaped slashes."""
    rest = path.partition("?")[0].partition("/model/")[2]
    return unquote(rest.rpartition("/")[0]) or None
