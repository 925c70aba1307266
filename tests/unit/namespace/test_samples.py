"""On the way out and back, of all samples exactly what is marked changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from llmproxy_core.namespace.incoming import AnswerNames, changed
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from tests.unit.namespace.sample import PREFIX, T
from tests.unit.namespace.test_places import ANSWERS, REQUESTS


def named(value: Any, name: Callable[[str], str]) -> Any:
    """The body with other names at the marked places."""
    if isinstance(value, T):
        return name(value)
    if isinstance(value, dict):
        return {key: named(inner, name) for key, inner in value.items()}
    return [named(inner, name) for inner in value] if isinstance(value, list) else value


def naming() -> Naming:
    """Of a request that declared these tools."""
    made = Naming(PREFIX)
    for name in (b"weather", b"patch", b"find"):
        made.send(name)
    return made


@pytest.mark.parametrize(("wire", "body"), REQUESTS)
def test_a_request_is_sent_with_prefixed_names_and_can_be_told_as_it_was(
    wire: str, body: Any
) -> None:
    text, made = json.dumps(body).encode(), Naming(PREFIX)
    sent = prefix_request(wire, text, made)
    assert (sent.body.decode(), sent.reason) == (json.dumps(named(body, PREFIX.__add__)), "")
    assert strip_request(wire, sent.body, made) == text


@pytest.mark.parametrize(("wire", "body"), ANSWERS)
def test_an_answer_comes_back_without_prefixes_whole_and_byte_by_byte(wire: str, body: Any) -> None:
    text = json.dumps(body).encode()
    expected = json.dumps(named(body, lambda name: name.removeprefix(PREFIX))).encode()
    assert changed(text, wire, naming()) == expected
    assert _byte_by_byte(wire, text) == expected
    assert _byte_by_byte(wire, b"data: " + text + b"\n\n") == b"data: " + expected + b"\n\n"


def _byte_by_byte(wire: str, data: bytes) -> bytes:
    answer = AnswerNames(wire, naming())
    return b"".join(answer.feed(bytes([byte])) for byte in data) + answer.finish()
