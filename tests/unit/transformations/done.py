"""Shorthand for tests: operations as tables, requests as Python values."""

import json
from typing import Any

from llmproxy_core.model import Headers
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.transformations.applying import Applied, apply

PATH = "/v1/call"
FEW_SHOT = {
    "op": "add_messages",
    "messages": [{"role": "user", "text": "1+1"}, {"role": "assistant", "text": "2"}],
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def applied(
    wire: str,
    body: Any,
    *operations: dict[str, Any],
    path: str = PATH,
    headers: Headers | None = None,
) -> Applied:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return apply(wire, path, headers or [], raw, read_operations(operations))


def done(wire: str, body: Any, *operations: dict[str, Any]) -> Any:
    """The request after operations that can be done."""
    made = applied(wire, body, *operations)
    assert not made.left, made.notes
    return json.loads(made.body)


def left(wire: str, body: Any, *operations: dict[str, Any]) -> str:
    """Why a request stays as it is, byte for byte."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = applied(wire, raw, *operations)
    assert made.body is raw
    assert not made.edits
    assert not made.left or made.notes
    return made.left
