"""Answers whose placeholders become values again, however they come."""

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.providers.eventstream import MessageReader, encode_message
from llmproxy_core.redaction.restoring import RestoredFrames, RestoredValues
from tests.unit.masking.test_pieces import WIRES, sse
from tests.unit.redaction.values import EMAIL, PLACEHOLDERS, SECRETS, redacted

BACK = redacted({"messages": [one.value for one in SECRETS]}).back
SIMPLE = {sent: value for sent, value in BACK.items() if value.isascii() and '"' not in value
          and "\n" not in value}  # fmt: skip
SENT = PLACEHOLDERS.of(SECRETS[0])
EVENTS = [("content-type", "text/event-stream")]
LINES = [("content-type", "application/x-ndjson")]
AWS = [("content-type", "application/vnd.amazon.eventstream")]
PARTS = st.sampled_from([*SIMPLE, *[sent[:5] for sent in SIMPLE], "u", "9", "S", " ", "\n", '"', "é",
                         "\\", "{", "😀", "SECRET_SECRET", ""])  # fmt: skip


def headers(wire: str) -> list[tuple[str, str]]:
    return LINES if wire.startswith("ollama") else EVENTS


def back(wire: str, stream: bytes, size: int = 0, told: Any = None, known: Any = None) -> bytes:
    answer = RestoredValues(wire.split()[0], known or SIMPLE, told or headers(wire))
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    out = b"".join(map(answer.feed, pieces)) + answer.finish()
    assert answer.fault is None
    return out


def plain(text: str, known: Any = None) -> str:
    known = SIMPLE if known is None else known
    for sent in sorted(known, key=len, reverse=True):
        text = text.replace(sent, known[sent])
    return text


def chat(text: str, choice: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": choice, "delta": {"content": text}}]}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), PARTS), max_size=20), st.booleans(), st.integers(1, 40)
)
def test_values_come_back_however_an_answer_is_cut_into_events(said, each, size):
    text = ["".join(part for index, part in said if index == choice) for choice in (0, 1)]
    cuts = [(choice, text[choice][at : at + 3]) for choice in (0, 1)
            for at in range(0, len(text[choice]), 3)]  # fmt: skip
    random.Random(size).shuffle(cuts)
    left = [text[0], text[1]]
    events: list[dict[str, Any]] = []
    for choice, part in cuts:
        events.append({**chat(left[choice][: len(part)], choice), "id": str(len(events))})
        left[choice] = left[choice][len(part) :]
    stream = b"".join(map(sse, events))
    out = back("openai.chat", stream, 0 if each else size)
    got = [json.loads(line[6:]) for line in out.decode().splitlines() if line[:5] == "data:"]
    assert [event["id"] for event in got] == [event["id"] for event in events]
    for choice in (0, 1):
        heard = [event["choices"][0] for event in got if event["choices"][0]["index"] == choice]
        assert "".join(one["delta"]["content"] for one in heard) == plain(text[choice])


@pytest.mark.parametrize("wire", [w for w in WIRES if WIRES[w]("x").endswith(b"\n")])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_they_come_back_in_every_format_and_in_any_cuts(wire: str, size: int):
    text = f"Write to {SENT}, {SENT} and {SENT[:9]}"
    stream = b"".join(WIRES[wire](text[at : at + size]) for at in range(0, len(text), size))
    said = _said(wire, back(wire, stream))
    if "thinking" in wire:
        assert said == text  # they are signed
    else:
        assert said == plain(text)
    for cut in (1, 3, 50):
        assert back(wire, stream, cut) == back(wire, stream)


def _said(wire: str, stream: bytes) -> str:
    where: dict[str, Callable[[Any], str]] = {
        "openai.chat": lambda e: e["choices"][0]["delta"]["content"],
        "openai.chat tool": lambda e: e["choices"][0]["delta"]["tool_calls"][0]["function"][
            "arguments"
        ],
        "openai.responses": lambda e: e["delta"],
        "anthropic.messages": lambda e: e["delta"]["text"],
        "anthropic.messages tool": lambda e: e["delta"]["partial_json"],
        "anthropic.messages thinking": lambda e: e["delta"]["thinking"],
        "gemini": lambda e: e["candidates"][0]["content"]["parts"][0]["text"],
        "ollama.chat": lambda e: e["message"]["content"],
        "ollama.generate": lambda e: e["response"],
        "cohere.chat": lambda e: e["delta"]["message"]["content"]["text"],
        "openai.completions": lambda e: e["choices"][0]["text"],
    }
    lines = [line.removeprefix(b"data: ") for line in stream.split(b"\n") if b"{" in line]
    return "".join(where[wire](json.loads(line)) for line in lines)


def leaving(*events: bytes, wire: str = "openai.chat") -> list[int]:
    """How many events leave with each that comes, and at the end."""
    answer = RestoredValues(wire, SIMPLE, EVENTS)
    return [out.count(b"data: ") for out in (*map(answer.feed, events), answer.finish())]


def test_an_event_waits_for_no_longer_than_it_may_begin_a_placeholder():
    told = [sse(chat(text)) for text in ("Hi", " to us", "er", " me", "9")]
    assert leaving(*told) == [1, 0, 0, 3, 0, 1]


def test_comments_and_pings_do_not_wait():
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    assert leaving(sse(chat("use")), b": alive\n\n", ping, sse(chat("x"))) == [0, 0, 1, 2, 0]


def test_the_end_of_a_block_is_the_end_of_its_text():
    event = {"type": "content_block_delta", "index": 1, "delta": {"text": "S"}}
    stop = {"type": "content_block_stop", "index": 1}
    other = {"type": "content_block_stop", "index": 0}
    assert leaving(sse(event), sse(other), sse(stop)) == [0, 0, 3, 0]
    call = {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "a"}]}}]}
    assert leaving(sse(chat("S")), sse(chat("x", 1)), sse(call)) == [0, 0, 3, 0]
    assert leaving(sse(chat("S")), b"data: [DONE]\n\n") == [0, 2, 0]


def test_untouched_answers_are_the_same_bytes():
    stream = b'data:  {"a" : "email-x",\r\ndata: "b": 1}\r\n\r\n: x\r\n\r\ndata: no json\r\n\r\n'
    for size in (0, 1, 5):
        assert back("openai.chat", stream, size) == stream


@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_is_escaped_as_deep_as_it_stands(secret: Any):
    sent = next(one for one, value in BACK.items() if value == secret.value)
    inner = json.dumps({"pw": f"a{sent}b", "n": [1, sent]})
    arguments = json.dumps({"file": inner, "plain": f'"{sent}"', sent: 1})
    text = f"It's {sent} or {{{sent}}}"
    whole = {"choices": [{"message": {"content": text, "tool_calls": [{"arguments": arguments}]}}]}
    for size in (0, 1, 7):
        out = back("openai.chat", json.dumps(whole).encode(), size, [], BACK)
        said = json.loads(out)["choices"][0]["message"]
        assert said["content"] == text.replace(sent, secret.value)
        given = json.loads(said["tool_calls"][0]["arguments"])
        assert given[secret.value] == 1
        assert given["plain"] == f'"{secret.value}"'
        assert json.loads(given["file"]) == {"pw": f"a{secret.value}b", "n": [1, secret.value]}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(SECRETS), st.integers(1, 30), st.integers(0, 40))
def test_arguments_in_pieces_are_escaped_as_deep_as_they_stand(secret, size, cut):
    sent = next(one for one, value in BACK.items() if value == secret.value)
    arguments = json.dumps({"é": '\\"', "file": json.dumps({"a\n": [f"\u00e9{sent}"]}), "x": sent})
    pieces = [arguments[at : at + size] for at in range(0, len(arguments), size)]
    stream = b"".join(map(WIRES["anthropic.messages tool"], pieces))
    said = _said("anthropic.messages tool", back("anthropic.messages", stream, cut, None, BACK))
    given = json.loads(said)
    assert given["x"] == secret.value
    assert json.loads(given["file"]) == {"a\n": [f"\u00e9{secret.value}"]}


def test_numbers_and_keys_come_back():
    number = PLACEHOLDERS.of(SECRETS[3])
    args = {"card": int(number), SENT: 1, "id": SENT, "other": int(number + "1")}
    body = {"candidates": [{"content": {"parts": [{"functionCall": {"args": args}}]}}]}
    given = json.loads(back("gemini", json.dumps(body).encode(), told=[]))
    part = given["candidates"][0]["content"]["parts"][0]
    whole = {"card": 4929827344180019, EMAIL: 1, "id": EMAIL, "other": int(number + "1")}
    assert part["functionCall"]["args"] == whole


def test_escaped_characters_are_characters():
    phone = PLACEHOLDERS.of(SECRETS[1])
    text = json.dumps(f"{phone} {SENT}").replace("+", "\\u002B").replace("@", "\\u0040")
    event = b'data: {"choices": [{"index": 0, "delta": {"content": %s}}]}\n\n' % text.encode()
    said = _said("openai.chat", back("openai.chat", event))
    assert said == f"{SECRETS[1].value} {EMAIL}"


def test_models_may_write_numbers_and_addresses_in_other_ways():
    phone = PLACEHOLDERS.of(SECRETS[1])
    compact = "".join(char for char in phone if char in "+0123456789")
    text = f"tel:{compact} mailto:{SENT.replace('@', '%40')}"
    said = _said("openai.chat", back("openai.chat", sse(chat(text))))
    assert said == f"tel:+14155550123 mailto:{EMAIL.replace('@', '%40')}"


@pytest.mark.parametrize("size", [0, 1, 100])
def test_messages_of_bedrock_are_changed_within(size: int):
    text = f"Write to {SENT} now"
    events: list[dict[str, Any]] = [{"contentBlockIndex": 0, "delta": {"text": text[at : at + 4]}, "p": "ab"}
              for at in range(0, len(text), 4)]  # fmt: skip
    plainly = [_message(json.dumps(event).encode()) for event in events]
    out = back("bedrock.converse-stream", b"".join(plainly), size, AWS)
    said = [json.loads(payload)["delta"]["text"] for payload in _payloads(out)]
    assert "".join(said) == plain(text)
    assert len(said) == len(events)

    claude = [{"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": event["delta"]["text"]}}
              for event in events]  # fmt: skip
    coded = [
        _message(json.dumps({"bytes": base64.b64encode(json.dumps(e).encode()).decode()}).encode())
        for e in claude
    ]
    out = back("bedrock.invoke-with-response-stream", b"".join(coded), size, AWS)
    inner = [json.loads(base64.b64decode(json.loads(p)["bytes"])) for p in _payloads(out)]
    assert "".join(one["delta"]["text"] for one in inner) == plain(text)


def _message(payload: bytes) -> bytes:
    return encode_message({":message-type": "event", ":event-type": "chunk"}, payload)


def _payloads(stream: bytes) -> list[bytes]:
    return [message.payload for message in MessageReader().feed(stream)]


@pytest.mark.parametrize("size", [0, 1, 4])
def test_an_answer_that_is_plain_text_is_changed_too(size: int):
    text = f"1\n00:01\n{SENT} é\n{SENT[:7]}".encode()
    told = [("content-type", "text/plain; charset=utf-8")]
    assert back("openai.audio", text, size, told) == text.replace(SENT.encode(), EMAIL.encode())


def test_json_that_calls_itself_text_is_json():
    sent = next(one for one, value in BACK.items() if "\n" in value)
    told = [("content-type", "text/plain")]
    out = back("openai.chat", json.dumps({"a": sent}).encode(), 3, told, BACK)
    assert json.loads(out) == {"a": BACK[sent]}


def test_frames_that_wait_are_sent_with_the_next():
    frames = RestoredFrames("openai.realtime", BACK)
    made = [WIRES["openai.realtime"](part) for part in ("Hi ", SENT[:7], SENT[7:], "!", "S")]
    stop = json.dumps({"type": "response.text.done", "item_id": "i", "content_index": 0}).encode()
    out = [frames.feed(frame) for frame in (*made, stop)]
    assert [len(one) for one in out] == [1, 0, 2, 1, 0, 2]
    said = [json.loads(frame).get("delta", "") for one in out for frame in one]
    assert "".join(said) == f"Hi {EMAIL}!S"
    assert frames.feed(made[4]) == []
    assert frames.finish() == [made[4]]


def test_frames_of_a_session_that_has_no_values_pass():
    known: dict[str, str] = {}
    frames = RestoredFrames("openai.realtime", known)
    frame = WIRES["openai.realtime"](SENT)
    assert frames.feed(frame) == [frame]
    known[SENT] = EMAIL
    assert EMAIL.encode() in frames.feed(frame)[0]
