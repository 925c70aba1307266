"""Frames of WebSockets with a prefix, both ways, as the provider and the client see them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from llmproxy_core.hashing import content_hash
from tests.e2e.namespaced import CONFIG, PREFIX, TEAM
from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.mitm import Mitmdump, wait_for

LONG = "look_up_" + "a_very_long_name_" * 8


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Script, Mitmdump]]:
    folder = tmp_path_factory.mktemp("sockets")
    with Script(folder) as script, Mitmdump(folder, simulator=script, config=CONFIG) as proxy:
        yield script, proxy


@pytest.fixture
def script(running):
    running[0].got.clear()
    return running[0]


@pytest.fixture
def proxy(running):
    return running[1]


@contextmanager
def talk(proxy: Mitmdump, url: str, mark: str = "") -> Iterator[Connection]:
    headers = {**TEAM, "x-mark": mark}
    with connect(
        url,
        ssl=proxy.trust(),
        proxy=proxy.url,
        additional_headers=headers,
        max_size=None,
        open_timeout=60,
    ) as socket:
        yield socket


def calls_of(proxy: Mitmdump, mark: str) -> list[Any]:
    return [call for call in proxy.calls() if ("x-mark", mark) in call.opened.headers]


def create(*names: str, **more: Any) -> str:
    tools = [{"type": "function", "name": name} for name in names]
    return json.dumps({"type": "response.create", "tools": tools, "input": [], **more})


def called(name: str) -> str:
    item = {"type": "function_call", "name": name, "arguments": json.dumps({"name": name})}
    return json.dumps({"type": "response.output_item.done", "item": item})


DONE = json.dumps({"type": "response.completed", "response": {"id": "resp_1", "output": []}})


def test_each_turn_of_a_session_is_stored_as_the_provider_saw_it(script, proxy, request):
    mark = request.node.name
    with talk(proxy, RESPONSES, mark) as socket:
        for name in ("find", LONG):
            script.answers = [[called(PREFIX + "find"), DONE]]
            socket.send(create("find", name))
            assert json.loads(socket.recv())["item"] == {
                "type": "function_call",
                "name": "find",
                "arguments": json.dumps({"name": f"{PREFIX}find"}),
            }
            assert socket.recv() == DONE

    assert f'"name": "{PREFIX}find"' in script.got[0]
    short = json.loads(script.got[1])["tools"][1]["name"]
    first, second = wait_closed(proxy, mark, 2)
    assert [json.loads(call.request)["data"] for call in (first, second)] == script.got
    assert PREFIX.encode() in first.response
    assert (first.opened.prefix, second.opened.prefix) == (PREFIX, PREFIX)
    assert second.opened.shortened == {short: LONG}
    assert second.opened.left_alone == ""
    assert first.closed.hash_in == content_hash(first.response)


def wait_closed(proxy: Mitmdump, mark: str, count: int) -> list[Any]:
    def enough() -> list[Any] | None:
        found = [call for call in calls_of(proxy, mark) if call.closed]
        return found if len(found) >= count else None

    return wait_for(enough)


def test_a_message_in_fragments_is_changed_as_a_whole_in_both_directions(script, proxy):
    text = create("find", instructions="x" * 20_000)
    answer = called(PREFIX + "find").replace('"item"', f'"pad": "{"y" * 9_000}", "item"')
    cut = answer.index(PREFIX) + 3
    script.answers = [[[answer[:cut], answer[cut : cut + 9], answer[cut + 9 :]], DONE]]
    with talk(proxy, RESPONSES) as socket:
        at = text.index("find") + 2
        socket.send([text[:at], text[at:]])
        got = json.loads(socket.recv())
        assert socket.recv() == DONE

    assert script.got == [text.replace('"find"', f'"{PREFIX}find"')]
    assert got["item"]["name"] == "find"
    assert json.loads(got["item"]["arguments"]) == {"name": f"{PREFIX}find"}


def test_a_frame_over_the_limit_passes_and_the_call_says_why(script, proxy, request):
    mark = request.node.name
    text = create("find", instructions="x" * 300_000)
    script.answers = [[DONE]]
    with talk(proxy, RESPONSES, mark) as socket:
        socket.send(text)
        assert socket.recv() == DONE

    (call,) = wait_closed(proxy, mark, 1)
    assert script.got == [text]
    assert call.opened.left_alone == "too_large"
    assert call.opened.body_kept == "head"


@pytest.mark.parametrize("names", [["a b"], ["caf\u00e9", "find"]])
def test_a_frame_that_cannot_be_changed_passes_as_a_whole(script, proxy, request, names):
    mark = request.node.name
    script.answers = [[DONE]]
    with talk(proxy, RESPONSES, mark) as socket:
        socket.send(create(*names))
        assert socket.recv() == DONE

    (call,) = wait_closed(proxy, mark, 1)
    assert script.got == [create(*names)]
    assert call.opened.left_alone == "strange_name"


def test_frames_of_google_are_binary_and_stay_so(script, proxy):
    setup = {"setup": {"tools": [{"functionDeclarations": [{"name": "find"}]}]}}
    call = {"toolCall": {"functionCalls": [{"id": "1", "name": f"{PREFIX}find", "args": {}}]}}
    result = {"toolResponse": {"functionResponses": [{"id": "1", "name": "find"}]}}
    script.answers = [[b'{"setupComplete": {}}'], [json.dumps(call).encode()], []]
    with talk(proxy, LIVE) as socket:
        socket.send(json.dumps(setup).encode())
        assert socket.recv() == b'{"setupComplete": {}}'
        socket.send(b'{"clientContent": {"turnComplete": true}}')
        assert socket.recv() == json.dumps(call).encode().replace(PREFIX.encode(), b"")
        socket.send(json.dumps(result).encode())

    wait_for(lambda: len(script.got) == 3 or None)
    assert all(isinstance(frame, bytes) for frame in script.got)
    assert [PREFIX.encode() in frame for frame in script.got] == [True, False, True]


@pytest.mark.parametrize(
    "frame",
    [b"\x00\xff" * 1000, b"", "", "hello", '{"type":', "[" * 5000, '{"x": {"name": "pay__x"}}'],
)
def test_what_is_no_event_passes_both_ways(script, proxy, frame):
    script.answers = [[], [frame]]
    with talk(proxy, REALTIME) as socket:
        socket.send(json.dumps({"type": "session.update", "session": {}}))
        socket.send(frame)
        assert socket.recv() == frame

    assert script.got[1] == frame


def test_a_session_of_another_team_has_no_prefix(script, proxy):
    script.answers = [[called("pay__find"), DONE]]
    with connect(RESPONSES, ssl=proxy.trust(), proxy=proxy.url, open_timeout=60) as socket:
        socket.send(create("find"))
        assert socket.recv() == called("pay__find")

    assert script.got == [create("find")]


def test_nothing_of_all_this_was_a_fault_of_ours(running):
    """The last test of this module."""
    assert not [event for event in running[1].events() if event.kind == "fault"]
