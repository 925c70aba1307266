"""`anthropic.messages`: POST /v1/messages, also through Vertex AI and gateways.

Source: https://docs.anthropic.com/en/api/messages and .../streaming
"""

from typing import Any
from urllib.parse import unquote

from llmproxy_core.model import (
    Message,
    Request,
    Role,
    Tool,
    Usage,
    mapping,
    text_of,
)
from llmproxy_core.providers.anthropic_blocks import (
    SERVER_CALLS,
    cite,
    part,
    parts,
    surroundings,
)
from llmproxy_core.providers.api_error import read_error
from llmproxy_core.providers.assembler import Assembler
from llmproxy_core.providers.format import Body, count, items, total
from llmproxy_core.providers.parsing import dumps
from llmproxy_core.providers.settings import session_hints, settings

NOT_SETTINGS = frozenset({"messages", "tools", "system", "mcp_servers"})
ROLES: dict[str, Role] = {"assistant": "assistant", "system": "system"}


class AnthropicMessages:
    def request(self, body: Body, path: str) -> Request:
        return Request(
            model=text_of(body.get("model")) or _model_in(path),
            stream=body.get("stream") is True or ":streamRawPredict" in path,
            system=parts(body.get("system")),
            messages=[
                Message(
                    ROLES.get(text_of(message.get("role")), "user"), parts(message.get("content"))
                )
                for message in items(body.get("messages"))
            ],
            tools=[_tool(tool) for tool in items(body.get("tools"))],
            parameters=settings(body, NOT_SETTINGS),
            session_hints=session_hints(body),
        )

    def answer(self, body: Body, into: Assembler) -> None:
        if "content" not in body and body.get("type") != "message":
            return
        _head(body, into)
        for index, block in enumerate(items(body.get("content"))):
            _begin(block, index, into)
            _stop(index, into)
        if reason := body.get("stop_reason"):
            into.finish(str(reason))
        surroundings(body, into)

    def event(self, name: str, event: Body, into: Assembler) -> None:
        kind = event.get("type") or name
        if kind == "content_block_delta":
            _delta(event, into)
        elif kind == "content_block_start":
            _begin(mapping(event.get("content_block")), _index(event), into)
        elif kind == "message_delta":
            _end(event, into)
        elif kind == "message_start":
            self.answer({"type": "message", **mapping(event.get("message"))}, into)
        elif kind == "message_stop":
            into.closed = True
        elif kind == "error":
            into.error = read_error(event) or read_error({"error": event})
            into.closed = True
        elif kind == "content_block_stop":
            _stop(_index(event), into)
        elif kind != "ping":
            into.unknown_event(str(kind) or "without type")


def _end(event: Body, into: Assembler) -> None:
    delta = mapping(event.get("delta"))
    if reason := delta.get("stop_reason"):
        into.finish(str(reason))
    _usage(event.get("usage"), into)
    surroundings(delta, into)
    if "context_management" in event:
        surroundings({"context_management": event["context_management"]}, into)


def _index(event: Body) -> int:
    index = event.get("index")
    return index if type(index) is int else 0


def _head(body: Body, into: Assembler) -> None:
    into.choice()
    into.id = text_of(body.get("id")) or into.id
    into.model = text_of(body.get("model")) or into.model
    _usage(body.get("usage"), into)


def _begin(block: Body, index: int, into: Assembler) -> None:
    """A content block: whole in an answer, with its first piece, mostly empty, in a stream."""
    kind = text_of(block.get("type"))
    if kind == "text":
        into.add("text", text_of(block.get("text")), key=index)
        for citation in items(block.get("citations")):
            cite(citation, into)
    elif kind == "thinking":
        into.add("reasoning", text_of(block.get("thinking")), key=index)
    elif kind == "tool_use":
        into.call(index, text_of(block.get("name")), text_of(block.get("id")) or None)
        _input(block.get("input"), index, into)
    elif kind in SERVER_CALLS:
        into.call(index, text_of(block.get("name")), text_of(block.get("id")) or None, hosted=True)
        _input(block.get("input"), index, into)
    elif kind != "compaction" or "content" not in block or block["content"]:
        into.part(part(block))


def _input(value: Any, index: int, into: Assembler) -> None:
    """A stream begins with `{}` and sends the arguments after it; only a whole answer has more."""
    if value:
        into.add("tool_call", value if isinstance(value, str) else dumps(value), key=index)


def _stop(index: int, into: Assembler) -> None:
    """A call without arguments streams none; a whole answer has `{}` there."""
    block = into.block(index)
    if block is not None and block.kind == "tool_call" and not block.text:
        into.add("tool_call", "{}", key=index)


def _delta(event: Body, into: Assembler) -> None:
    delta, index = event.get("delta"), event.get("index")
    if not isinstance(delta, dict):
        delta = {}
    if type(index) is not int:
        index = 0
    kind = delta.get("type")
    if kind == "text_delta":
        into.add("text", text_of(delta.get("text")), key=index)
    elif kind == "input_json_delta":
        if into.block(index) is not None:
            into.add("tool_call", text_of(delta.get("partial_json")), key=index)
    elif kind == "thinking_delta":
        into.add("reasoning", text_of(delta.get("thinking")), key=index)
    elif kind == "citations_delta":
        cite(mapping(delta.get("citation")), into)
    elif kind == "compaction_delta":
        into.part(part({**delta, "type": "compaction"}))
    elif kind != "signature_delta":
        into.unknown_event(f"content_block_delta {kind}")


def _usage(usage: Any, into: Assembler) -> None:
    """Counters of `message_delta` come on top of those of `message_start`."""
    if isinstance(usage, dict):
        before = mapping(into.usage.raw) if into.usage else {}
        told = {
            key: value for key, value in usage.items() if value is not None or key not in before
        }
        into.usage = read_usage({**before, **told})


def read_usage(usage: Body) -> Usage:
    """`input_tokens` are only those neither read from a cache nor written to it: here, the sum."""
    cached = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    fresh = count(usage.get("input_tokens"))
    details = mapping(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=None if fresh is None else total(fresh, cached, written),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count(details.get("thinking_tokens", details.get("reasoning_tokens"))),
        raw=dict(usage),
    )


def _tool(tool: Body) -> Tool:
    kind = text_of(tool.get("type"))
    name = text_of(tool.get("name")) or kind or text_of(tool.get("mcp_server_name"))
    hosted = kind not in ("", "custom") and "input_schema" not in tool
    return Tool(name, text_of(tool.get("description")), hosted)


def _model_in(path: str) -> str | None:
    """Vertex AI: .../publishers/anthropic/models/NAME:streamRawPredict."""
    rest = path.partition("?")[0].rpartition("/models/")[2]
    return unquote(rest.rpartition(":")[0]) or None
