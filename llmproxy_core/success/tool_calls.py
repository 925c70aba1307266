"""`tool_call`: does the answer call tools that there are, with arguments that they take?"""

from typing import Any

import orjson

from llmproxy_core.model import ToolCall
from llmproxy_core.success.call import Call
from llmproxy_core.success.demands import tool_schemas
from llmproxy_core.success.schema import problem
from llmproxy_core.success.signal import Signal, worded
from llmproxy_core.success.truncation import truncated

ELSEWHERE = ("websocket", "realtime", "live")
"""In the names of wires where tools may have been told of in earlier frames."""
MOST = 200
"""Calls of one answer that are looked at."""


def tool_calls(call: Call) -> Signal | None:
    """None where no tool of the client was called, or the answer was cut in a call."""
    calls = call.response.tool_calls
    if not calls or not call.body or not call.says or truncated(call):
        return None
    schemas = tool_schemas(call.wire, call.body)
    names = {tool.name for tool in call.request.tools} | set(schemas)
    told = bool(names) or not any(word in call.wire for word in ELSEWHERE)
    for one in calls[:MOST]:
        if fault := _fault(one, names if told else None, schemas):
            return Signal(call.id, "tool_call", "bad", "answer", 1.0, worded(fault))
    return Signal(call.id, "tool_call", "good", "answer", 1.0, f"{len(calls)} calls")


def _fault(call: ToolCall, names: set[str] | None, schemas: dict[str, Any]) -> str | None:
    """`names` None: it is not known which tools there are."""
    if names is not None and not _is_known(call.name, names):
        return f"there is no tool {call.name[:60]!r}"
    if call.name not in schemas or schemas[call.name] is None:
        return None  # what it takes is not told, or any text
    try:
        value = orjson.loads(call.arguments) if call.arguments.strip() else {}
    except ValueError as exc:
        return f"{call.name[:60]}: the arguments are not JSON: {exc}"
    if not isinstance(value, dict):
        return f"{call.name[:60]}: the arguments are no object"
    fault = problem(schemas[call.name], value)
    return f"{call.name[:60]}: {fault}" if fault else None


def _is_known(name: str, names: set[str]) -> bool:
    """Tools within a namespace (Codex) may be called with it or without."""
    if name in names:
        return True
    last = f".{name}"
    return any(known.endswith(last) for known in names) or name.rpartition(".")[2] in names
