"""Recorded requests of twenty providers, all with rules, patterns and an experiment in force."""

import json
from itertools import pairwise
from typing import Any

import pytest

from llmproxy_core.enhancing.enhancer import Enhancer
from llmproxy_core.providers.formats import FORMATS, read_request
from tests.unit.enhancing.handing import APPEND, NOW, improving, rule, sent
from tests.unit.enhancing.test_enhancer import EXPERIMENT
from tests.unit.providers.corpus import body, exchanges, needs_corpus, path_of, wire_of

pytestmark = needs_corpus

LARGEST = 200_000
ALL = [
    rule("asks", 'pattern.name == "x" or pattern.system == "y" or pattern.tools == "z" or true'),
    rule("clamps", "true", {"op": "clamp", "parameter": "max_tokens", "max": 7}),
]


@pytest.fixture(scope="module")
def requests() -> list[tuple[str, str, bytes]]:
    found = ((wire_of(one), path_of(one), body(one, "request")) for one in exchanges())
    return [one for one in found if len(one[2]) < LARGEST]


def test_nothing_is_a_fault_and_what_is_sent_can_be_read(requests, learnt):
    what = improving(*ALL, trials=[EXPERIMENT], patterns=learnt[0])
    one, changed = Enhancer(None, NOW), 0
    for number, (wire, path, data) in enumerate(requests):
        made = sent(one, what, data, wire=wire, at=NOW + number)
        again = sent(one, what, data, wire=wire, at=NOW + number)
        assert made.outcome.body == again.outcome.body
        if made.outcome.body != data and wire in FORMATS:
            changed += 1
            assert read_request(wire, path, [], made.outcome.body)[1] is None
    assert changed > len(requests) // 2


def test_later_turns_of_recorded_conversations_repeat_what_was_sent(requests, learnt):
    """Cut at each answer: what a program would have sent at that turn."""
    what = improving(rule("brief", "true", APPEND), trials=[EXPERIMENT], patterns=learnt[0])
    seen = 0
    for wire, _, data in requests:
        if wire not in ("openai.chat", "anthropic.messages") or b'"assistant"' not in data:
            continue
        turns = cut(data)
        if len(turns) < 2:
            continue
        one = Enhancer(None, NOW)
        made = [
            json.loads(sent(one, what, turn, wire=wire, at=NOW + at).outcome.body)
            for at, turn in enumerate(turns)
        ]
        seen += 1
        for before, after in pairwise(made):
            assert after["messages"][: len(before["messages"])] == before["messages"]
            assert after.get("system") == before.get("system")
    assert seen > 50


def cut(data: bytes) -> list[bytes]:
    fields: Any = json.loads(data)
    messages = fields.get("messages")
    if not isinstance(messages, list):
        return []
    ends = [at for at, one in enumerate(messages) if one.get("role") == "assistant"]
    return [
        json.dumps({**fields, "messages": messages[:end]}).encode()
        for end in (*ends, len(messages))
        if end
    ]
