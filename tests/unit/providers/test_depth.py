"""Values nested as deep as JSON may be: no format follows them until it breaks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from llmproxy_core.providers.formats import FORMATS, read_request
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.providers.sample import read

DEEP = 450
"""Objects within objects; with the lists between them close to what the JSON parser takes."""
KEYS = ("content", "contents", "tools", "parts", "response", "request", "output", "input")


def nested(node: dict[str, Any], key: str) -> list[str]:
    """JSON of the node within itself, at `key`: as an object, and as the only one of a list."""
    shells = [json.dumps({**node, key: hole}).split('"@"') for hole in ("@", ["@"])]
    return [before * DEEP + "{}" + after * DEEP for before, after in shells]


BLOCKS = [
    text
    for block, key in (
        ({"type": "tool_result"}, "content"),
        ({"type": "mcp_tool_result"}, "content"),
        ({"type": "namespace", "name": "n"}, "tools"),
        ({"type": "document", "title": "t"}, "content"),
        ({"type": "message"}, "content"),
        ({"type": "thinking"}, "thinking"),
    )
    for text in nested(block, key)
]


def places(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object in the document and every key of it that holds more."""
    if isinstance(document, dict):
        for key, value in document.items():
            if isinstance(value, dict | list):
                yield document, key
                yield from places(value)
    elif isinstance(document, list):
        for item in document:
            yield from places(item)


@pytest.mark.parametrize("wire", FORMATS)
def test_deep_values_are_survived(wire: str) -> None:
    for sample in (sample for sample in SAMPLES if sample.wire == wire):
        asked = sample.request if isinstance(sample.request, dict) else {}
        for document in (asked, sample.whole, *sample.events):
            for text in deepened(document):
                read_request(wire, sample.path, [], text)
                read(wire, text, path=sample.path)


def deepened(document: dict[str, Any]) -> Iterator[bytes]:
    """The document with something deep in one of its places."""
    for node, key in list(places(document)):
        original = node[key]
        node[key] = ["@"] if isinstance(original, list) else "@"
        before, after = json.dumps(document).split('"@"', 1)
        node[key] = original
        for value in (*nested(node, key), *BLOCKS):
            yield f"{before}{value}{after}".encode()


def test_lists_within_lists_are_survived() -> None:
    deep = b"[" * 900 + b"]" * 900
    for wire in FORMATS:
        for key in (*KEYS, "prompt", "texts", "documents", "messages", "system", "instructions"):
            body = b'{"%s": %s}' % (key.encode(), deep)
            read_request(wire, "/", [], body)
            read(wire, body)


def test_answers_that_are_lists_within_lists_are_survived() -> None:
    for wire in FORMATS:
        for status in (200, 500):
            read(wire, b"[" * 900 + b"]" * 900, status=status)
            read(wire, b'{"error": ' * 450 + b"{}" + b"}" * 450, status=status)
