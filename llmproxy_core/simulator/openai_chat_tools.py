"""Tools of OpenAI Chat Completions: functions, custom tools, and functions as they once were."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from llmproxy_core.model import ToolCall, mapping
from llmproxy_core.simulator.exchange import TEXT_TOOL, Answer, Ask, Named

KINDS = ("function", "custom")


def offered(body: Mapping[str, Any]) -> dict[str, Any]:
    """Names and schemas."""
    tools = {
        str(function.get("name")): function.get("parameters")
        for function in _objects(body.get("functions"))
    }
    for tool in _objects(body.get("tools")):
        if function := mapping(tool.get("function")):
            tools[str(function.get("name"))] = function.get("parameters")
        elif custom := mapping(tool.get("custom")):
            tools[str(custom.get("name"))] = TEXT_TOOL
    return tools


def forced(body: Mapping[str, Any]) -> str | None:
    choice = body.get("tool_choice")
    if choice == "required":
        return ""
    if allowed := mapping(mapping(choice).get("allowed_tools")):
        return _first(allowed) if allowed.get("mode") == "required" else None
    inner = mapping(choice)
    named = mapping(inner.get("function") or inner.get("custom") or body.get("function_call"))
    return named.get("name")


def _first(allowed: Mapping[str, Any]) -> str:
    return next((named.name for named in _tools(allowed, "")), "")


def message(ask: Ask, answer: Answer) -> dict[str, Any]:
    """The calls, as a message has them."""
    if not answer.tools:
        return {}
    if ask.legacy:
        return {"function_call": _function(answer.tools[0], answer.tools[0].arguments)}
    return {"tool_calls": [_call(ask, tool, tool.arguments) for tool in answer.tools]}


def deltas(ask: Ask, answer: Answer) -> Iterator[dict[str, Any]]:
    """The calls, as the deltas of a stream have them."""
    for index, tool in enumerate(answer.tools):
        pieces = [tool.arguments[i : i + 8] for i in range(0, len(tool.arguments), 8)]
        if ask.legacy:
            if index == 0:
                yield {"function_call": _function(tool, "")}
                yield from ({"function_call": {"arguments": piece}} for piece in pieces)
            continue
        kind, field = _shape(ask, tool)
        yield {"tool_calls": [{"index": index} | _call(ask, tool, "")]}
        for piece in pieces:
            yield {"tool_calls": [{"index": index, kind: {field: piece}}]}


def _shape(ask: Ask, tool: ToolCall) -> tuple[str, str]:
    custom = ask.tools.get(tool.name) is TEXT_TOOL
    return ("custom", "input") if custom else ("function", "arguments")


def _call(ask: Ask, tool: ToolCall, arguments: str) -> dict[str, Any]:
    kind, field = _shape(ask, tool)
    return {"id": f"call_{tool.id}", "type": kind, kind: {"name": tool.name, field: arguments}}


def _function(tool: ToolCall, arguments: str) -> dict[str, Any]:
    return {"name": tool.name, "arguments": arguments}


def names(body: Mapping[str, Any]) -> Iterator[Named]:
    """Of what is offered, chosen, called and answered."""
    yield from _tools(body, "")
    for index, function in enumerate(_objects(body.get("functions"))):
        yield from _name(function, f"functions[{index}]")
    yield from _name(mapping(body.get("function_call")), "function_call")
    choice = mapping(body.get("tool_choice"))
    yield from _kinds(choice, "tool_choice")
    yield from _tools(mapping(choice.get("allowed_tools")), "tool_choice.allowed_tools.")
    for index, said in enumerate(_objects(body.get("messages"))):
        yield from _said(said, f"messages[{index}]")


def _said(said: Mapping[str, Any], at: str) -> Iterator[Named]:
    if said.get("role") in ("function", "tool"):
        yield from _name(said, at)
    yield from _name(mapping(said.get("function_call")), f"{at}.function_call")
    for index, call in enumerate(_objects(said.get("tool_calls"))):
        yield from _kinds(call, f"{at}.tool_calls[{index}]")


def _tools(place: Mapping[str, Any], at: str) -> Iterator[Named]:
    found = enumerate(_objects(place.get("tools")))
    return chain.from_iterable(_kinds(tool, f"{at}tools[{index}]") for index, tool in found)


def _kinds(value: Mapping[str, Any], at: str) -> Iterator[Named]:
    for kind in KINDS:
        yield from _name(mapping(value.get(kind)), f"{at}.{kind}")


def _name(value: Mapping[str, Any], at: str) -> Iterator[Named]:
    if "name" in value:
        yield Named(f"{at}.name", str(value["name"]))


def _objects(values: Any) -> list[Mapping[str, Any]]:
    return [mapping(value) for value in values or []]
