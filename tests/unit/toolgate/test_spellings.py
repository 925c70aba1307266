"""Answers that say a call in a way in which nobody writes it, but clients read it: none passes."""

import json

import pytest

from llmproxy_core.model import Headers
from llmproxy_core.rewriting import Order, Rewriting
from llmproxy_core.toolgate import ToolGate
from tests.unit.providers.catalogue import SAMPLES
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


BRACED = {
    "an object before": b"{}\n\n" + STREAM,
    "a list before": b"[]\n\n" + STREAM,
    "an object beside": b"event: {}\n" + STREAM,
    "lines told as JSON": STREAM.replace(b"data: ", b""),
}
TORN = {
    "half an object before": b"{\n\n" + STREAM,
    "half a text before": b'{"\n\n' + STREAM,
    "half a list before": b'["\n\n' + STREAM,
    "several lines": b"{}\n\n" + STREAM.replace(b'"delta"', b'\ndata: "delta"'),
    "half an object in a name": b"{}\n\nevent: {\n" + STREAM,
}


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("told", ["text/event-stream", "application/json", ""])
@pytest.mark.parametrize("body", [*BRACED, *TORN])
def test_what_may_be_read_in_two_ways_says_no_call_to_who_fails_closed(
    body: str, told: str, size: int
) -> None:
    data = (BRACED | TORN)[body]
    gate = ToolGate("openai.chat", [("Content-Type", told)], denied, closed=True)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    out = b"".join([*map(gate.feed, pieces), gate.finish()])
    assert b'"sh"' not in out
    assert (gate.fault is not None) == (body in TORN)


@pytest.mark.parametrize("body", TORN)
def test_what_cannot_be_read_passes_and_is_told_to_who_fails_open(body: str) -> None:
    gate = ToolGate("openai.chat", EVENTS, denied)
    assert gate.feed(TORN[body]) + gate.finish() == TORN[body]
    assert "cannot be read" in str(gate.fault)


def test_json_on_several_lines_that_is_told_as_lines_says_no_call() -> None:
    body = json.dumps(json.loads(WHOLE), indent=1).encode()
    gate = ToolGate("ollama.chat", [("Content-Type", "application/x-ndjson")], denied, closed=True)
    assert b"tool_calls" not in gate.feed(body) + gate.finish()
    assert "cannot be read" in str(gate.fault)


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if "eventstream" in one.kind], ids=lambda one: one.wire
)
def test_an_eventstream_says_no_call_whatever_it_is_told_to_be(sample) -> None:
    out = through(sample.wire, [("Content-Type", "application/json")], [sample.stream], denied)
    assert out == through(sample.wire, [("Content-Type", sample.kind)], [sample.stream], denied)


def test_a_call_whose_next_piece_cannot_be_read_stops_there() -> None:
    first = sse({"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]})
    gate = ToolGate("openai.chat", EVENTS, lambda _: "", closed=True)
    assert gate.feed(first + b'data: {"choices": [{"delta": nothing\n\n') == b""
    assert "cannot be read" in str(gate.fault)
