"""Frames of WebSockets that are changed on their way."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from llmproxy_core import rulebook
from llmproxy_core.enhancing.handed import Tables
from llmproxy_core.records import Enhanced
from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.e2e.test_enhance import EXPERIMENT
from tests.mitm import Call, Mitmdump, wait_for

CONFIG = """
[[transformations]]
name = "brief"
logic = [{ op = "append_system", text = "Be brief." }]

[[policies]]
name = "private"
when = 'finding.family == "pii"'
action = "redact_wire"
"""
EMAIL = "anna.schmidt@acme-corp.com"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Script, Mitmdump]]:
    folder = tmp_path_factory.mktemp("sockets")
    with Script(folder) as script:
        proxy = Mitmdump(folder, simulator=script, config=CONFIG)
        proxy.home.path.mkdir(parents=True)
        began = {"at": time.time() - 100, "status": "running", "by": "anna", "why": ""}
        experiments = [EXPERIMENT | {"when": "", "steps": [began]}]
        rulebook.write(proxy.home, [], tables=Tables((), experiments))
        with proxy:
            yield script, proxy


@pytest.fixture
def script(running: tuple[Script, Mitmdump]) -> Script:
    running[0].got.clear()
    return running[0]


@contextmanager
def talk(running: tuple[Script, Mitmdump], url: str, mark: str) -> Iterator[Connection]:
    proxy = running[1]
    headers = {"x-mark": mark}
    with connect(
        url,
        ssl=proxy.trust(),
        proxy=proxy.url,
        additional_headers=headers,
        close_timeout=1,
        open_timeout=60,
    ) as socket:
        yield socket


def asked(text: str, **more: Any) -> str:
    content = [{"type": "input_text", "text": text}]
    turn = {"type": "response.create", "input": [{"role": "user", "content": content}]}
    return json.dumps(turn | {"instructions": "Be kind."} | more)


def answer(id: str) -> list[str]:
    part = {"type": "output_text", "text": "x"}
    output = [{"type": "message", "role": "assistant", "content": [part]}]
    return [
        json.dumps({"type": "response.created", "response": {"id": id}}),
        json.dumps({"type": "response.completed", "response": {"id": id, "output": output}}),
    ]


def calls(running: tuple[Script, Mitmdump], mark: str) -> list[Call]:
    def ended() -> list[Call] | None:
        found = [one for one in running[1].calls() if ("x-mark", mark) in one.opened.headers]
        return found if found and all(one.closed for one in found) else None

    return wait_for(ended)


def told(call: Call) -> Enhanced:
    assert call.opened.enhanced is not None
    return call.opened.enhanced


def test_a_chain_of_frames_gets_the_same_turn_by_turn(running, script, request):
    arms = set()
    for number in range(8):
        mark = f"{request.node.name}-{number}"
        script.got.clear()
        script.answers = [answer(f"resp_{number}a"), answer(f"resp_{number}b")]
        with talk(running, RESPONSES, mark) as socket:
            socket.send(asked(f"{number} Hello"))
            socket.recv(60), socket.recv(60)
            socket.send(asked("And?", previous_response_id=f"resp_{number}a"))
            socket.recv(60), socket.recv(60)
        got = [json.loads(one) for one in script.got]
        first, second = calls(running, mark)
        assert got[0]["instructions"] == got[1]["instructions"]
        assert told(first).applied == told(second).applied == ["brief"]
        assert told(first).arms == told(second).arms
        assert told(first).root == told(second).root
        [(_, arm)] = told(first).arms
        end = "\n\nBe kind." if arm == "kind" else ""
        assert got[0]["instructions"] == f"Be kind.\n\nBe brief.{end}"
        assert got[0]["instructions"] in json.loads(first.request.splitlines()[0])["data"].replace(
            "\\n", "\n"
        )
        arms.add(arm)
    assert arms == {"control", "kind"}


def test_the_instructions_of_a_voice_session_are_changed_and_sound_is_not(running, script, request):
    sound = '{"type":  "input_audio_buffer.append", "audio": "AAAA"}'
    update = {"type": "session.update", "session": {"instructions": f"I am {EMAIL}."}}
    script.answers = [[], [], [json.dumps({"type": "session.updated"})]]
    with talk(running, REALTIME, request.node.name) as socket:
        socket.send(json.dumps(update))
        socket.send(sound)
        socket.send(json.dumps({"type": "response.create"}))
        socket.recv(60)
    assert script.got[1] == sound
    said = json.loads(script.got[0])["session"]["instructions"]
    assert "\n\nBe brief." in said
    assert EMAIL not in said
    [call] = calls(running, request.node.name)
    assert told(call).applied == ["brief"]
    assert [id for id, _ in told(call).arms] == ["0199-e"]


def test_google_is_changed_in_its_setup(running, script, request):
    setup = {"setup": {"model": "m", "systemInstruction": {"parts": [{"text": "Be kind."}]}}}
    turn = {"role": "user", "parts": [{"text": "Hi"}]}
    script.answers = [[json.dumps({"setupComplete": {}}).encode()], []]
    with talk(running, LIVE, request.node.name) as socket:
        socket.send(json.dumps(setup))
        socket.recv(60)
        socket.send(json.dumps({"clientContent": {"turns": [turn], "turnComplete": True}}))
        wait_for(lambda: len(script.got) == 2 or None)  # else it takes the next test's answer
    parts = json.loads(script.got[0])["setup"]["systemInstruction"]["parts"]
    assert "Be brief." in json.dumps(parts)
    assert calls(running, request.node.name)


@pytest.mark.parametrize("frame", ["", "{", "hello", '{"type": "ping"}', "[1]"])
def test_odd_frames_pass_as_they_are(running, script, request, frame: str):
    script.answers = [[json.dumps({"type": "error"})]]
    with talk(running, RESPONSES, request.node.name) as socket:
        socket.send(frame)
        socket.recv(60)
    assert script.got == [frame]
