"""Names of tools within texts of answers come back, however they are cut into events."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.incoming import changed_frame
from llmproxy_core.providers.eventstream import MessageReader, encode_message
from tests.unit.namespace.plain_texts import (
    CHAT,
    EVENTS,
    JSON,
    PARTS,
    PREFIX,
    back,
    of_request,
    spoken,
    sse,
)
from tests.unit.namespace.samples_texts import ANSWERS, HEARD, TOLD

WORD = re.compile(r"[A-Za-z0-9_-]+")
LETTERS = bytes(range(128)).translate(None, b'{}[]:," \n\\')


def restored(text: str) -> str:
    """What the client shall read: plain and slow."""
    known = {sent.decode(): name.decode() for name, sent in of_request().changed.items()}
    return WORD.sub(lambda found: known.get(found[0], found[0]), text)


@given(
    st.lists(st.tuples(st.integers(0, 1), PARTS), max_size=20), st.booleans(), st.integers(1, 40)
)
def test_a_name_comes_back_however_it_is_cut_into_events(said, each, size):
    events = [event for choice, text in said for event in spoken(text, choice=choice)]
    events = [{"id": str(at), **event} for at, event in enumerate(events)]
    answer = restoring(CHAT, of_request(), EVENTS)
    pieces = [sse(event) for event in events] if each else [sse(*events)]
    out = b"".join(map(answer.feed, pieces)) + answer.finish()
    assert each or out == back(CHAT, sse(*events), size)

    got = [json.loads(line[6:]) for line in out.decode().splitlines() if line]
    assert [event["id"] for event in got] == [event["id"] for event in events]
    for choice in (0, 1):
        texts = "".join(text for index, text in said if index == choice)
        heard = [event["choices"][0] for event in got if event["choices"][0]["index"] == choice]
        assert "".join(one["delta"]["content"] for one in heard) == restored(texts)


def leaving(*texts: str | None) -> list[bytes]:
    """What leaves with each event, the last with the end of the stream."""
    answer = restoring(CHAT, of_request(), EVENTS)
    sent = [answer.feed(sse(event)) for event in spoken(*texts)]
    return [*sent, answer.finish()]


def contents(out: bytes) -> list[str | None]:
    events = [json.loads(line[6:]) for line in out.decode().splitlines() if line]
    return [event["choices"][0]["delta"].get("content") for event in events]


def test_an_event_waits_only_while_its_end_may_begin_a_name():
    out = [contents(one) for one in leaving("so", " I p", "lay pa", "y__get_wea", "ther", ".", "p")]
    assert out == [["so"], [], [" I p"], [], [], ["lay ", "get_wea", "ther", "."], [], ["p"]]


@pytest.mark.parametrize("after", [None, " ", "\n"])
def test_what_waits_leaves_when_its_text_has_ended(after):
    out = [contents(one) for one in leaving("pay__", "read", after)]
    assert out == [[], [], ["", "read", after], []]


def test_a_name_at_the_end_of_the_stream_comes_back():
    assert [contents(one) for one in leaving("use pay__", "read")] == [[], [], ["use ", "read"]]


def test_comments_and_pings_do_not_wait():
    answer = restoring("anthropic.messages", of_request(), EVENTS)
    first = {"type": "content_block_delta", "index": 0}
    start = sse(first | {"delta": {"type": "text_delta", "text": "pay"}})
    end = sse(first | {"delta": {"type": "text_delta", "text": "__read"}})
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    assert [answer.feed(piece) for piece in (start, b": alive\n\n", ping, end)] == [
        b"", b": alive\n\n", ping, b"",
    ]  # fmt: skip
    assert answer.finish() == start.replace(b"pay", b"") + end.replace(b"__read", b"read")


def test_an_event_of_another_choice_neither_decides_nor_overtakes():
    events = spoken("pay") + spoken("p", choice=1) + spoken("__read!") + spoken("!", choice=1)
    texts = contents(back(CHAT, sse(*events)))
    assert texts == ["", "p", "read!", "!"]


def test_a_text_that_says_ping_waits_like_any_other():
    out = leaving("pay", "ping", "__read")
    assert [contents(one) for one in out] == [[], ["pay", "ping"], ["__read"], []]


def test_a_word_that_began_while_nothing_waited_is_no_name():
    texts = ["x", "pay__read ", "x", "", "pay__read", "."]
    assert [contents(one)[:1] for one in leaving(*texts)[:-1]] == [[text] for text in texts]


@given(
    st.lists(PARTS, max_size=6),
    st.lists(st.tuples(st.integers(0, 999), st.binary(max_size=2)), max_size=4),
    st.integers(1, 60),
)
def test_of_a_damaged_stream_nothing_is_lost_but_prefixes(said, damage, size):
    stream = b"".join(json.dumps(event).encode() + b"\n" for event in spoken(*said))
    for at, new in damage:
        stream = stream[:at] + new + stream[at + 1 :]
    out = back(CHAT, stream, size, [("content-type", "application/x-ndjson")])
    assert _lines(out) == _lines(stream)


def _lines(stream: bytes) -> list[bytes]:
    """Without letters; blank lines keep a connection alive, and overtake what waits."""
    return [line.translate(None, LETTERS) for line in stream.split(b"\n") if line.strip()]


def test_too_much_that_waits_leaves_as_it_came():
    events = [*spoken("pay__rea"), *spoken(*["x"] * 1500, choice=1), *spoken("d")]
    answer = restoring(CHAT, of_request(), EVENTS)
    assert answer.feed(sse(*events[:500])) == b""
    assert answer.feed(sse(*events[500:1200])).startswith(sse(*events[:1000]))
    assert answer.feed(sse(*events[1200:])) + answer.finish() == sse(*events[1200:])


def test_a_stream_that_ends_in_an_event_loses_nothing():
    stream = sse(*spoken("use pay__read", " now pay"))
    for end in range(len(stream)):
        out = back(CHAT, stream[:end])
        assert out.replace(PREFIX.encode(), b"") == stream[:end].replace(PREFIX.encode(), b"")


def test_an_event_too_large_passes_with_what_waited(monkeypatch):
    monkeypatch.setattr("llmproxy_core.namespace.events.LIMIT", 1000)
    stream = sse(*spoken("pay", "__read" + "x" * 2000), *spoken("pay__read"))
    assert back(CHAT, stream, 7) == stream


def test_a_fault_of_ours_lets_everything_pass(monkeypatch):
    answer = restoring(CHAT, of_request(), EVENTS)
    first, second, third = (sse(event) for event in spoken("pay", "__read", "pay__read"))
    assert answer.feed(first) == b""
    monkeypatch.setattr("llmproxy_core.namespace.waiting.words", lambda *_: 1 / 0)
    assert answer.feed(second + third + third[:9]) == first + second + third + third[:9]
    assert isinstance(answer.fault, ZeroDivisionError)
    assert answer.feed(third[9:]) + answer.finish() == third[9:]


def test_json_texts_in_a_row_go_on_one_by_one():
    lines = [json.dumps({"message": {"content": text}}) + "\n" for text in ("a ", "pay", "__read.")]
    answer = restoring("ollama.chat", of_request(), JSON)
    out = [answer.feed(line.encode()) for line in lines]
    assert [line.count(b"content") for line in out] == [1, 0, 2]
    assert (
        b"".join(out) + answer.finish()
        == "".join(lines).replace("pay", "").replace("__r", "r").encode()
    )


@pytest.mark.parametrize(("wire", "headers", "bodies"), ANSWERS)
@pytest.mark.parametrize("size", [0, 1, 7])
def test_in_answers_names_come_back_in_texts_alone(wire, headers, bodies, size):
    texts = [json.dumps(body).encode() for body in bodies]
    if headers is EVENTS:
        came = b"".join(b"event: x\r\ndata: " + text + b"\r\n\r\n" for text in texts)
    else:
        came = b"\n".join(texts)
    expected = came.replace(TOLD.encode(), HEARD.encode())
    expected = expected.replace(b'"name": "pay__read"', b'"name": "read"')
    assert back(wire, came, size, headers) == expected


def test_frames_of_an_eventstream_are_made_anew_in_order():
    kind = {":message-type": "event", ":event-type": "contentBlockDelta"}
    texts = ["use pa", "y__re", "ad", "\n"]
    frames = [
        encode_message(kind, json.dumps({"contentBlockIndex": 1, "delta": {"text": text}}).encode())
        for text in texts
    ]
    headers = [("content-type", "application/vnd.amazon.eventstream")]
    answer = restoring("bedrock.converse-stream", of_request(), headers)
    out = [answer.feed(frame) for frame in frames]
    assert out[:3] == [b""] * 3
    reader = MessageReader()
    got = [json.loads(message.payload) for message in reader.feed(out[3] + answer.finish())]
    assert [one["delta"]["text"] for one in got] == ["use ", "re", "ad", "\n"]
    assert reader.problem is None


def test_a_frame_of_a_websocket_is_changed_where_it_has_all_of_a_name():
    def frame(text: str) -> bytes:
        return json.dumps({"type": "response.output_text.delta", "delta": text}).encode()

    naming, wire = of_request(), "openai.responses.websocket"
    assert changed_frame(frame("use pay__read."), wire, naming) == frame("use read.")
    assert changed_frame(frame("use pay__"), wire, naming) == frame("use pay__")
