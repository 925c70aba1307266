"""Answers that say a call in a way in which nobody writes it, but clients read it: none passes."""

import json

import pytest

from llmproxy_core.model import Headers
from llmproxy_core.rewriting import Order, Rewriting
from llmproxy_core.toolgate import ToolGate
from tests.unit.toolgate.gated import EVENTS, NO, denied, read, sse, through

CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "sh", "arguments": "{}"}}
CHOICE = {"index": 0, "finish_reason": "tool_calls"}
STREAM = sse({"choices": [{**CHOICE, "delta": {"tool_calls": [CALL]}}]}, "[DONE]")
WHOLE = json.dumps({"choices": [{**CHOICE, "message": {"tool_calls": [CALL]}}]}).encode()
JSON: Headers = [("Content-Type", "application/json")]
BOM = b"\xef\xbb\xbf"
SPELLED = {
    "an escaped key": STREAM.replace(b"tool_calls", rb"tool\u005fcalls"),
    "a byte order mark": BOM + STREAM,
    "both": BOM + STREAM.replace(b"tool_calls", rb"\u0074ool_calls"),
}


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson",
                                  "application/vnd.amazon.eventstream"])  # fmt: skip
def test_a_stream_says_no_call_however_it_spells_or_calls_it(
    spelled: str, size: int, kind: str
) -> None:
    body = SPELLED[spelled]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    out = through("openai.chat", [("Content-Type", kind)], pieces, denied)
    answer = read("openai.chat", EVENTS, out)
    assert NO in answer.texts[0]
    assert b'"sh"' not in out


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
@pytest.mark.parametrize("escaped", [False, True])
def test_an_answer_in_one_piece_says_no_call_in_any_encoding(encoding: str, escaped: bool) -> None:
    body = WHOLE.replace(b"tool_calls", rb"tool\u005fcalls") if escaped else WHOLE
    body = body.decode().encode(encoding)
    waited = Rewriting("openai.chat", JSON)
    waited.add(Order.TOOL_CALLS, ToolGate("openai.chat", JSON, denied))
    for out in (
        waited.whole(body),
        through("openai.chat", JSON, [body[at : at + 3] for at in range(0, len(body), 3)], denied),
    ):
        said = json.loads(out)["choices"][0]
        assert said["message"] == {"content": NO}
        assert said["finish_reason"] == "stop"
