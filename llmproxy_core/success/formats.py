"""`format`: is the answer the JSON that was asked for, and does it keep to the schema?

Asked for by a parameter of the request; what a prompt says in words is not read.
"""

from typing import Any

import orjson

from llmproxy_core.model import Response
from llmproxy_core.success.call import Call
from llmproxy_core.success.demands import Form, form_of
from llmproxy_core.success.filters import filtered
from llmproxy_core.success.schema import problem
from llmproxy_core.success.signal import Signal, worded
from llmproxy_core.success.truncation import truncated

LONGEST = 4 * 2**20
"""Characters of an answer that are read."""


def format_kept(call: Call) -> Signal | None:
    """None where nothing was asked, or where it is known already why the answer is not whole."""
    if not call.says or filtered(call.response) or truncated(call):
        return None
    form = form_of(call.wire, call.body)
    if not form.kind or not (texts := _texts(call.response)):
        return None
    faults = [fault for choice in texts if (fault := _fault(form, choice))]
    if faults:
        return Signal(call.id, "format", "bad", "answer", 1.0, worded(faults[0]))
    return Signal(call.id, "format", "good", "answer", 1.0, f"as {form.kind} asks")


def _texts(response: Response) -> list[list[str]]:
    """Of each choice what may be the answer: all of its text, or its last part."""
    if response.tool_calls and not response.text.strip():
        return []
    parts = [part.text for part in response.parts if part.kind == "text"]
    found = [[text] for text in response.texts]
    if found and len(parts) > 1:
        found[0].append(parts[-1])
    if response.tool_calls and found:
        found = found[1:]  # words beside a call are not the answer yet
    return found


def _fault(form: Form, readings: list[str]) -> str | None:
    faults = [_of(form, text) for text in readings]
    return None if None in faults else faults[0]


def _of(form: Form, text: str) -> str | None:
    if len(text) > LONGEST:
        return None
    if not text.strip():
        return "the answer is empty"
    if form.kind == "enum":
        return problem(form.schema, text.strip())
    try:
        value: Any = orjson.loads(text)
    except ValueError as exc:
        return f"not JSON: {exc}; it begins with {text.strip()[:40]!r}"
    if form.kind == "json_object" and not isinstance(value, dict | list):
        return "the JSON is no object"
    found = problem(form.schema, value) if form.schema is not None else None
    return f"not as the schema says: {found}" if found else None
