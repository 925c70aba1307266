import json

import pytest

from llmproxy_core.model import ApiError
from tests.unit.providers.sample import read

BODIES = {
    '{"error": {"type": "t", "message": "m"}}': ApiError("t", "m"),
    '{"error": {"code": "404", "message": "m"}}': ApiError("404", "m"),
    '{"error": {"code": 429, "status": "S", "message": "m"}}': ApiError("S", "m"),
    '{"error": "m"}': ApiError(None, "m"),
    '{"error": ["m"]}': ApiError(None, '["m"]'),
    '[{"error": {"message": "m"}}]': ApiError(None, "m"),
    '{"object": "error", "type": "t", "message": "m", "code": 1}': ApiError("t", "m"),
    '{"message": "m"}': ApiError(None, "m"),
    '{"detail": [{"loc": ["body"]}]}': ApiError(None, '[{"loc":["body"]}]'),
    '{"__type": "ThrottlingException", "Message": "m"}': ApiError("ThrottlingException", "m"),
    '{"error": {"reason": "r"}}': ApiError(None, '{"reason":"r"}'),
    "{}": ApiError(None, "HTTP 418"),
    "": ApiError(None, "HTTP 418 without a body"),
    "upstream  connect\nerror": ApiError(None, "upstream connect error"),
    "<html><head><title>502 Bad Gateway</title></head><body>x": ApiError(None, "502 Bad Gateway"),
    "<html>no title": ApiError(None, "<html>no title"),
    '{"error": {"mess': ApiError(None, '{"error": {"mess'),
    '"text"': ApiError(None, '"text"'),
    "[]": ApiError(None, "[]"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("wire", ["openai.chat", "openai.responses", "anthropic.messages", "x"])
def test_errors_are_read_in_all_their_shapes(wire: str, body: str) -> None:
    assert read(wire, body.encode(), 418).error == BODIES[body]


def test_an_error_in_an_answer_of_200_is_told() -> None:
    body = json.dumps({"error": {"type": "t", "message": "m"}}).encode()
    for wire in ("openai.chat", "anthropic.messages", "gemini", "x"):
        assert read(wire, body).error == ApiError("t", "m")


def test_long_messages_are_shortened() -> None:
    error = read("openai.chat", json.dumps({"error": "x" * 99_999}).encode(), 500).error
    assert error is not None
    assert len(error.message) == 4000
