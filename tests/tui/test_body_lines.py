"""Bodies of all kinds as lines."""

import base64
import json

import pytest

from llmproxy_core.providers.eventstream import encode_message
from llmproxy_core.tui.body_lines import NOT_KEPT, body_lines

JSON = [("content-type", "application/json")]
STREAM = [("content-type", "application/vnd.amazon.eventstream")]


def texts(body: bytes, headers=(), kept="full", **options) -> list[str]:
    return [line.text for line in body_lines(body, list(headers), kept, **options)]


def framed(*frames: tuple[str, str, str]) -> bytes:
    return b"\n".join(
        json.dumps({"from": side, "type": kind, "at": 0, "data": data}).encode()
        for side, kind, data in frames
    )


def message(payload: bytes, kind: str = "event", name: str = "chunk") -> bytes:
    return encode_message({":message-type": kind, f":{kind}-type": name}, payload)


def test_an_eventstream_is_shown_by_its_messages():
    body = message(b'{"delta":{"text":"Hi"}}', name="contentBlockDelta")
    body += message(b'{"message":"slow down"}', "exception", "throttlingException")
    lines = texts(body, STREAM)
    assert "event: contentBlockDelta" in lines
    assert '    "text": "Hi"' in lines
    assert "exception: throttlingException" in lines


def test_what_models_wrap_into_bytes_is_unwrapped():
    inner = base64.b64encode(b'{"completion":"Hello"}').decode()
    assert '  "completion": "Hello"' in texts(message(json.dumps({"bytes": inner}).encode()))


def test_a_damaged_eventstream_says_where():
    body = message(b"{}") + message(b"{}")[:-1] + b"!"
    assert any("checksum" in line for line in texts(body))


def test_frames_say_who_sent_them_and_what_they_say():
    said = base64.b64encode(b'{"serverContent":{}}').decode()
    lines = texts(
        framed(("client", "text", '{"type":"response.create"}'), ("server", "binary", said))
    )
    assert lines == [
        "→ client, text",
        "{",
        '  "type": "response.create"',
        "}",
        "← server, binary",
        "{",
        '  "serverContent": {}',
        "}",
    ]


def test_frames_of_an_earlier_turn_say_so():
    frame = json.dumps({"from": "client", "type": "text", "data": "{}", "carried": True})
    assert texts(frame.encode())[0] == "→ client, text, of an earlier turn"


@pytest.mark.parametrize("body", [b'{"a": 1}', bytes(range(256)), message(b"{}"), b"data: {}\n\n"])
def test_the_bytes_of_any_body_can_be_seen(body):
    first = texts(body, as_hex=True)[1]
    assert first.startswith(f"00000000  {body[:8].hex(' ')}")


@pytest.mark.parametrize("kept", ["head", "dropped"])
def test_a_body_that_was_not_kept_says_why(kept):
    assert texts(b"", kept=kept) == [NOT_KEPT[kept]]
    assert texts(b"{", kept=kept)[0] == NOT_KEPT[kept]


def test_an_empty_body_that_was_kept_is_just_empty():
    assert texts(b"") == ["no body"]
