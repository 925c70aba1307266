"""Which action does an operation, and what keeps it from being done in a dialect."""

from collections.abc import Callable, Mapping
from typing import Any

from llmproxy_core.sections.operations import Operation
from llmproxy_core.transformations.actions import (
    cache,
    headers,
    messages,
    model,
    parameters,
    response_format,
    system,
    texts,
    tools,
)
from llmproxy_core.transformations.actions.action import Action
from llmproxy_core.transformations.dialects.dialect import Dialect

type Made = tuple[Callable[[Any], Action], Callable[[Any, Dialect], str]]

ACTIONS: Mapping[str, Made] = {
    "set": (parameters.setting, parameters.hindrance),
    "clamp": (parameters.clamping, parameters.hindrance),
    "drop": (parameters.dropping, parameters.hindrance),
    "prepend_system": (system.saying, system.hindrance),
    "append_system": (system.saying, system.hindrance),
    "replace_system": (system.saying, system.hindrance),
    "replace_text": (texts.replacing, texts.hindrance),
    "add_messages": (messages.adding, messages.hindrance),
    "cache_breakpoint": (cache.breaking, cache.hindrance),
    "model": (model.changing, model.hindrance),
    "response_format": (response_format.forcing, response_format.hindrance),
    "drop_tools": (tools.dropping, tools.drop_hindrance),
    "add_tools": (tools.adding, tools.add_hindrance),
    "add_header": (headers.adding, headers.hindrance),
}


def action(operation: Operation) -> Action:
    return ACTIONS[operation.op][0](operation)


def hindrance(operation: Operation, dialect: Dialect) -> str:
    """Why the operation can never be done there; "": it can."""
    return ACTIONS[operation.op][1](operation, dialect)
