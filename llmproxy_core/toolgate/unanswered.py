"""Outputs for calls that were denied: the Responses API goes on from an answer only when each of its
calls has one, and programs have never seen these."""

from collections.abc import Callable

import msgspec

from llmproxy_core.namespace.whole import KEY, OBJECT
from llmproxy_core.spans.recent import Recent
from llmproxy_core.toolgate.call import Call, Fields
from llmproxy_core.toolgate.scripts import coded

ANSWERS = 10_000
"""That are remembered."""
BEFORE, INPUT = "previous_response_id", "input"
REFUSED = (msgspec.MsgspecError, RecursionError, ValueError)


class Unanswered:
    """Calls that were denied, by the id of their answer."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: Recent[str, tuple[Fields, ...]] = Recent(ANSWERS)

    def remember(self, id: str, call: Call) -> None:
        """`id`: of the answer, as later requests name it."""
        output = OUTPUTS.get(call.kind)
        if id and call.id and output is not None:
            known = self._calls.get(id) or ()
            if not any(_id(one) == call.id for one in known):
                self._calls[id] = (*known, output(call.id, call.said or ""))

    def answered(self, body: bytes) -> bytes:
        """A request, or a frame, with the outputs that are missing before its input; the same
        object if it goes on from no such answer, or cannot be read."""
        if BEFORE.encode() not in body:
            return body
        try:
            fields = OBJECT.decode(body)
            before = msgspec.json.decode(fields[BEFORE], type=str) if BEFORE in fields else ""
            calls = self._calls.get(before)
            return _with(body, fields, calls) if calls else body
        except REFUSED:
            return body


def _with(body: bytes, fields: dict[str, msgspec.Raw], calls: tuple[Fields, ...]) -> bytes:
    given = [one for one in calls if _id(one).encode() not in body]
    outputs = b",".join(map(coded, given))
    if not outputs:
        return body
    start = _place(body, fields, INPUT)
    if start < 0:
        at = body.index(b"{") + 1
        return body[:at] + b'"input":[' + outputs + b"]," + body[at:]
    value = bytes(fields[INPUT])
    end = start + len(value)
    if value[:1] == b"[":
        comma = b"" if value[1:].lstrip()[:1] == b"]" else b","
        return body[: start + 1] + outputs + comma + body[start + 1 :]
    said = b'{"role":"user","content":' + value + b"}"
    return body[:start] + b"[" + outputs + b"," + said + b"]" + body[end:]


def _place(body: bytes, fields: dict[str, msgspec.Raw], wanted: str) -> int:
    """Where the value of a key of the outermost object begins; -1: there is none."""
    at = body.index(b"{") + 1
    for key, value in fields.items():
        found = KEY.match(body, at)
        if found is None or found[1] != key.encode():
            raise ValueError("a key is doubled or escaped")
        if key == wanted:
            return found.end()
        at = found.end() + len(value)
    return -1


def _id(output: Fields) -> str:
    return str(output.get("call_id") or output.get("id"))


def _text(kind: str, name: str = "call_id") -> Callable[[str, str], Fields]:
    return lambda id, said: {"type": f"{kind}_output", name: id, "output": said}


def _shell(id: str, said: str) -> Fields:
    outcome = {"type": "exit", "exit_code": 1}
    output = [{"stdout": "", "stderr": said, "outcome": outcome}]
    return {"type": "shell_call_output", "call_id": id, "output": output}


def _patch(id: str, said: str) -> Fields:
    return {"type": "apply_patch_call_output", "call_id": id, "status": "failed", "output": said}


OUTPUTS: dict[str, Callable[[str, str], Fields]] = {
    "function_call": _text("function_call"),
    "custom_tool_call": _text("custom_tool_call"),
    "local_shell_call": _text("local_shell_call", "id"),
    "shell_call": _shell,
    "apply_patch_call": _patch,
}
"""By the type of the call. That of a computer is a picture, which we have not."""
