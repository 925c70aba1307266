"""Recorded conversations keep what they are known by from turn to turn."""

import base64
import gzip
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmproxy_core.experiments.begun import Begun, Conversation
from llmproxy_core.experiments.roots import root
from llmproxy_core.namespace.whole import fields_of

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("LLMPROXY_CORPORA", ROOT.parent / "shared" / "corpora")) / "wire"
FILES = [
    file
    for file in sorted(FOLDER.glob("*.jsonl.gz"))
    if file.name.split(".")[0] not in ("expected", "websocket")
]
pytestmark = pytest.mark.skipif(
    not FILES, reason=f"no exchanges in {FOLDER} (LLMPROXY_CORPORA names another folder)"
)
LEAST = 450
"""Turns in the corpus that go on from one whose beginning is recorded."""


def recordings() -> Iterator[list[dict[str, Any]]]:
    """The exchanges of one wire in each recording, in order."""
    found = defaultdict(list)
    for file in FILES:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for exchange in map(json.loads, lines):
                found[exchange["source_path"], exchange["wire"]].append(exchange)
    for exchanges in found.values():
        yield sorted(exchanges, key=lambda one: one["source_index"])


def body_of(exchange: dict[str, Any]) -> bytes:
    text = exchange["request_body"] or ""
    coded = exchange["request_body_encoding"] == "base64"
    return base64.b64decode(text) if coded else text.encode()


def turns(body: bytes) -> list[Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        return []
    found = [fields.get(name) for name in ("messages", "contents", "input")]
    return next((one for one in found if isinstance(one, list)), [])


def conversations(exchanges: list[dict[str, Any]]) -> Iterator[tuple[list[Any], Conversation]]:
    begun = Begun(None, 0.0)
    for number, exchange in enumerate(exchanges):
        wire, body = exchange["wire"], body_of(exchange)
        wire = "gemini" if wire.endswith("enerateContent") else wire
        headers = [(name, value) for name, value in exchange["request_headers"]]
        known = root(wire, headers, fields_of(body), body)
        found = begun.find(known, 1000.0 + number, lambda: ("e",))
        if found is not None and found.begun:
            yield turns(body), found


def test_recorded_turns_belong_to_the_conversation_that_they_go_on_from():
    total, lost = 0, []
    for exchanges in recordings():
        before: tuple[list[Any], Conversation] = [], Conversation(b"", 0.0)
        for said, found in conversations(exchanges):
            length = len(before[0])
            if 0 < length < len(said) and said[:length] == before[0]:
                total += 1
                if found != before[1]:
                    lost.append(exchanges[0]["source_path"])
            before = said, found

    assert total >= LEAST
    assert len(lost) <= 1, lost
