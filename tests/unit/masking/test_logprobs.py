"""Tokens, their alternatives and their bytes say a secret again, in pieces that nobody knows."""

import json
from typing import Any

import pytest

from llmproxy_core.masking.logprobs import without_logprobs
from tests.unit.masking.test_masked import JSON, KEY, MARK, SSE, written

SIZES = (1, 3, 7)


def token(text: str) -> dict[str, Any]:
    said = {"token": text, "logprob": -0.5, "bytes": [*text.encode()]}
    return {**said, "top_logprobs": [said, {**said, "token": "}]", "bytes": None}]}


def tokens(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def hidden(out: bytes, size: int) -> None:
    """No token of the key is left, in letters or numbers."""
    for piece in tokens(KEY, size):
        if len(piece) == size > 1:
            assert piece.encode() not in out
            assert json.dumps([*piece.encode()]).encode() not in out


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", ["chat", "responses", "completions", "gemini"])
def test_of_a_document_with_a_secret_they_are_left_out(form, size):
    text = f"Use {KEY} now."
    said = [token(one) for one in tokens(KEY, size)]
    bodies: dict[str, dict[str, Any]] = {
        "chat": {"choices": [{"message": {"content": text}, "logprobs": {"content": said}}]},
        "responses": {"output": [{"content": [{"text": text, "logprobs": said}]}]},
        "completions": {"choices": [{"text": text, "logprobs": {"tokens": tokens(KEY, size)}}]},
        "gemini": {"candidates": [{"text": text, "logprobsResult": {"chosenCandidates": said}}]},
    }
    body = bodies[form] | {"usage": {"total_tokens": 9}}
    for indent in (None, 2):
        out, _ = written(JSON, [json.dumps(body, indent=indent).encode()])
        hidden(out, size)
        assert MARK in out.decode()
        assert json.loads(out)["usage"] == {"total_tokens": 9}


@pytest.mark.parametrize("size", SIZES)
def test_of_a_stream_those_of_the_events_with_the_secret_are_left_out(size):
    events = [
        {
            "choices": [
                {"index": 0, "delta": {"content": one}, "logprobs": {"content": [token(one)]}}
            ]
        }
        for one in ("Use ", *tokens(KEY, size), " now.", " Bye.")
    ]
    sent = [b"data: %b\n\n" % json.dumps(one).encode() for one in events]
    for cuts in (sent, [b"".join(sent)]):
        out, _ = written(SSE, cuts)
        hidden(out, size)
        told = [json.loads(line[6:])["choices"][0] for line in out.decode().splitlines() if line]
        assert "".join(one["delta"]["content"] for one in told) == f"Use {MARK} now. Bye."
        assert all(one["logprobs"] for one in (told[0], told[-1]))  # what has nothing of it


def test_an_event_that_says_all_of_it_again_has_none():
    said = [token(one) for one in tokens(KEY, 4)]
    event = {"type": "response.output_text.done", "text": KEY, "logprobs": said}
    out, _ = written(SSE, [b"data: %b\n\n" % json.dumps(event).encode()])
    assert json.loads(out[6:]) == {**event, "text": MARK, "logprobs": []}


def test_without_a_secret_they_stay():
    body = json.dumps({"choices": [{"logprobs": {"content": [token("fine")]}}]}).encode()
    assert written(JSON, [body])[0] == body


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b'{"logprobs": [{"a": "]}\\""}, 1], "b": 1}', b'{"logprobs": [], "b": 1}'),
        (b'{"logprobs": {"a": [{"b": "', b'{"logprobs": null'),
        (b'{"logprobs": null, "a": "\\"logprobs\\": [1]"}',) * 2,
        (b'{"logprobs": true}',) * 2,
    ],
)
def test_only_they_are_taken_out(data, left):
    assert without_logprobs(data) == left
