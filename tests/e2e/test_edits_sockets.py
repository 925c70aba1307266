"""Values in frames of WebSockets: the provider gets placeholders, the program its values."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from llmproxy_core.masking.masker import Secret
from llmproxy_core.redaction.placeholders import Placeholders
from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.mitm import Mitmdump, wait_for

POLICIES = """
[[policies]]
name = "private"
when = 'finding.family == "pii"'
action = "redact_wire"

[[policies]]
name = "no-refunds"
when = 'request.messages >= 0'
action = "deny_tools"
tools = ["refund"]
"""
GATED = """
[[policies]]
name = "no-shell"
when = 'tool == "shell"'
action = "block"
"""
EMAIL = "anna.schmidt@acme-corp.com"


@pytest.fixture(scope="module", params=[POLICIES, POLICIES + GATED], ids=["edits", "gate"])
def running(
    tmp_path_factory: pytest.TempPathFactory, request: Any
) -> Iterator[tuple[Script, Mitmdump]]:
    folder = tmp_path_factory.mktemp("sockets")
    config = request.param
    with Script(folder) as script, Mitmdump(folder, simulator=script, config=config) as proxy:
        yield script, proxy


@pytest.fixture
def script(running: tuple[Script, Mitmdump]) -> Script:
    running[0].got.clear()
    return running[0]


@pytest.fixture
def placeholder(running: tuple[Script, Mitmdump]) -> str:
    """What the provider knows the address as."""
    key = running[1].home.fingerprint_key()
    return Placeholders(key, "default").of(Secret("pii:email", EMAIL))


@contextmanager
def talk(running: tuple[Script, Mitmdump], url: str, mark: str) -> Iterator[Connection]:
    proxy = running[1]
    headers = {"x-mark": mark}
    with connect(
        url, ssl=proxy.trust(), proxy=proxy.url, additional_headers=headers, open_timeout=60
    ) as socket:
        yield socket


def asked(text: str, **more: Any) -> str:
    content = [{"type": "input_text", "text": text}]
    turn = {"type": "response.create", "input": [{"role": "user", "content": content}]}
    return json.dumps(turn | more)


def delta(text: str) -> str:
    event = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0}
    return json.dumps(event | {"content_index": 0, "delta": text})


def done(text: str) -> str:
    part = {"type": "output_text", "text": text}
    output = [{"type": "message", "role": "assistant", "content": [part]}]
    return json.dumps(
        {"type": "response.completed", "response": {"id": "resp_1", "output": output}}
    )


def received(socket: Connection, count: int) -> list[Any]:
    return [json.loads(socket.recv(60)) for _ in range(count)]


def calls(running: tuple[Script, Mitmdump], mark: str) -> list[Any]:
    def ended() -> list[Any] | None:
        found = [one for one in running[1].calls() if ("x-mark", mark) in one.opened.headers]
        return found if found and all(one.closed for one in found) else None

    return wait_for(ended)


@pytest.mark.parametrize("size", [3, 8, 100])
def test_the_program_gets_its_values_back(running, script, placeholder, request, size: int):
    said = f"Hello {placeholder}, or {placeholder}!"
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    script.answers = [[*map(delta, pieces), done(said)]]
    with talk(running, RESPONSES, request.node.name) as socket:
        socket.send(asked(f"I am {EMAIL}"))
        *deltas, last = received(socket, len(pieces) + 1)
    assert [json.loads(got)["input"][0]["content"][0]["text"] for got in script.got] == [
        f"I am {placeholder}"
    ]
    assert "".join(one["delta"] for one in deltas) == f"Hello {EMAIL}, or {EMAIL}!"
    assert EMAIL in json.dumps(last)
    for call in calls(running, request.node.name):
        assert EMAIL not in repr(call.opened)
        assert EMAIL.encode() not in call.request + call.response
        assert placeholder.encode() in call.response


def test_later_turns_know_the_values_of_earlier_ones(running, script, placeholder, request):
    script.answers = [[done("ok")], [delta(placeholder), done(placeholder)]]
    with talk(running, RESPONSES, request.node.name) as socket:
        socket.send(asked(f"I am {EMAIL}"))
        received(socket, 1)
        socket.send(asked("Who am I?", previous_response_id="resp_1"))
        assert received(socket, 1)[0]["delta"] == EMAIL


def test_voice_sessions_and_google_are_changed_too(running, script, placeholder, request):
    item = {"type": "message", "content": [{"type": "input_text", "text": f"I am {EMAIL}"}]}
    heard = {"type": "response.output_audio_transcript.delta", "item_id": "i", "content_index": 0}
    script.answers = [
        [json.dumps({**heard, "delta": part}) for part in (placeholder[:5], placeholder[5:])]
    ]
    with talk(running, REALTIME, request.node.name) as socket:
        socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        assert "".join(one["delta"] for one in received(socket, 2)) == EMAIL
    turn = {"role": "user", "parts": [{"text": f"I am {EMAIL}"}]}
    said = {"serverContent": {"modelTurn": {"parts": [{"text": f"Hi {placeholder}"}]}}}
    script.answers = [[json.dumps(said).encode()]]
    with talk(running, LIVE, request.node.name) as socket:
        socket.send(json.dumps({"clientContent": {"turns": [turn], "turnComplete": True}}))
        [answer] = received(socket, 1)
    assert answer["serverContent"]["modelTurn"]["parts"] == [{"text": f"Hi {EMAIL}"}]
    assert not [got for got in script.got if EMAIL in str(got)]


def test_frames_without_values_pass_as_they_are(running, script, request):
    frame = '{"type":  "response.output_text.delta", "delta" : "e" }'
    script.answers = [[frame, frame, done("x")]]
    with talk(running, RESPONSES, request.node.name) as socket:
        sent = asked("hello")
        socket.send(sent)
        assert [socket.recv(60) for _ in range(3)] == [frame, frame, done("x")]
    assert script.got == [sent]


def test_tools_that_are_denied_are_not_offered(running, script, request):
    tools = [{"type": "function", "name": name} for name in ("refund", "get_weather")]
    script.answers = [[done("x")]]
    with talk(running, RESPONSES, request.node.name) as socket:
        socket.send(asked("hello", tools=tools))
        received(socket, 1)
    assert json.loads(script.got[0])["tools"] == tools[1:]
