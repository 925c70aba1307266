"""What policies do to frames of WebSockets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.mitm import Mitmdump, wait_for

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
POLICIES = """
[[policies]]
name = "keys"
when = 'finding.family == "secret"'
action = "block"
"""
DONE = json.dumps({"type": "response.completed", "response": {"id": "resp_1", "output": []}})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Script, Mitmdump]]:
    folder = tmp_path_factory.mktemp("sockets")
    with Script(folder) as script, Mitmdump(folder, simulator=script, config=POLICIES) as proxy:
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
        url, ssl=proxy.trust(), proxy=proxy.url, additional_headers=headers, open_timeout=60
    ) as socket:
        yield socket


def asked(text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    return json.dumps({"type": "response.create", "input": [{"role": "user", "content": content}]})


def item(text: str) -> str:
    content = [{"type": "input_text", "text": text}]
    inner = {"type": "message", "role": "user", "content": content}
    return json.dumps({"type": "conversation.item.create", "item": inner})


def calls(running: tuple[Script, Mitmdump], mark: str, count: int) -> list[Any]:
    def ended() -> list[Any] | None:
        found = [one for one in running[1].calls() if ("x-mark", mark) in one.opened.headers]
        return found if sum(bool(one.closed) for one in found) >= count else None

    return wait_for(ended)


def test_a_refused_turn_is_answered_in_the_words_of_the_provider(running, script, request):
    with talk(running, RESPONSES, request.node.name) as socket:
        socket.send(asked(f"my key is {KEY}"))
        refused = json.loads(socket.recv(60))
        script.answers = [[DONE]]
        socket.send(asked("hello"))
        assert socket.recv(60) == DONE
    assert (refused["type"], refused["status"]) == ("error", 403)
    assert "policy keys" in refused["error"]["message"]
    assert len(script.got) == 1
    first, second = calls(running, request.node.name, 2)
    assert [one.outcome for one in first.opened.judged.decisions] == ["blocked"]
    assert second.opened.judged.decisions == []


def test_an_item_of_a_voice_session_does_not_reach_the_provider(running, script, request):
    with talk(running, REALTIME, request.node.name) as socket:
        socket.send(item(f"my key is {KEY}"))
        refused = json.loads(socket.recv(60))
        script.answers = [["{}"]]
        socket.send(item("hello"))
        assert socket.recv(60) == "{}"
    assert refused["type"] == "error"
    assert [KEY in str(message) for message in script.got] == [False]


def test_a_protocol_without_words_for_it_is_closed(running, script, request):
    turn = {"turns": [{"role": "user", "parts": [{"text": f"my key is {KEY}"}]}]}
    with talk(running, LIVE, request.node.name) as socket:
        socket.send(json.dumps({"clientContent": {**turn, "turnComplete": True}}))
        with pytest.raises(ConnectionClosed):
            socket.recv(60)
    assert script.got == []


def test_what_a_policy_says_of_a_later_frame_names_the_finding_of_that_frame(
    tmp_path, running, script, request
):
    flag = POLICIES.replace("block", "flag")
    config = flag + flag.replace("keys", "people").replace('"secret"', '"pii"')
    mark = request.node.name
    script.answers = [[], [], [json.dumps({"type": "response.created", "response": {"id": "r"}})]]
    with Mitmdump(tmp_path, simulator=script, config=config) as proxy:
        both = script, proxy
        with talk(both, REALTIME, mark) as socket:
            socket.send(item(f"my key is {KEY}"))
            socket.send(item("write to jane.doe@corporate-mail.com please"))
            socket.send(json.dumps({"type": "response.create"}))
            socket.recv()
        judgement = calls(both, mark, 1)[0].opened.judged
    assert [one.family for one in judgement.found] == ["secret", "pii"]
    told = [(one.policy, one.findings) for one in judgement.decisions]
    assert told == [("keys", (0,)), ("people", (1,))]
