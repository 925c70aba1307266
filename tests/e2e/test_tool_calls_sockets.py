"""Calls of tools in WebSockets that policies let go on, or replace."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.mitm import Mitmdump, wait_for

POLICIES = """
[[policies]]
name = "no-refunds"
when = 'tool == "refund"'
action = "block"

[[namespaces]]
name = "payments"
prefix = "pay__"
match = { header = { "x-team" = "payments" } }
"""
SAID = "policy no-refunds"
LONG = {"order": "7" * 20_000}


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
def talk(running: Any, url: str, mark: str, **headers: str) -> Iterator[Connection]:
    proxy = running[1]
    told = {"x-mark": mark, **headers}
    with connect(
        url,
        ssl=proxy.trust(),
        proxy=proxy.url,
        additional_headers=told,
        max_size=None,
        open_timeout=60,
    ) as socket:
        yield socket


def calls(running: Any, mark: str, count: int) -> list[Any]:
    def ended() -> list[Any] | None:
        found = [one for one in running[1].calls() if ("x-mark", mark) in one.opened.headers]
        return found if sum(bool(one.closed) for one in found) >= count else None

    return wait_for(ended)


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": f"response.{kind}", **fields})


def called(name: str, arguments: Any, at: int = 0, pieces: int = 3) -> list[str]:
    """The events of a call in the Responses API."""
    text = json.dumps(arguments)
    size = len(text) // pieces + 1
    item = {"id": f"fc_{at}", "type": "function_call", "call_id": f"call_{at}", "name": name}
    place = {"output_index": at, "item_id": f"fc_{at}"}
    deltas = [text[n : n + size] for n in range(0, len(text), size)]
    return [
        event("output_item.added", output_index=at, item={**item, "arguments": ""}),
        *(event("function_call_arguments.delta", **place, delta=one) for one in deltas),
        event("function_call_arguments.done", **place, arguments=text),
        event("output_item.done", output_index=at, item={**item, "arguments": text}),
    ]


def spoken(text: str, at: int = 0) -> list[str]:
    return [event("output_text.delta", output_index=at, item_id=f"msg_{at}", delta=text)]


def done(*frames: str) -> str:
    told = [json.loads(one) for one in frames]
    items = [one["item"] for one in told if one["type"] == "response.output_item.done"]
    return event("completed", response={"id": "resp_1", "output": items})


def asked() -> str:
    return json.dumps({"type": "response.create", "input": []})


def received(socket: Connection, last: str = "response.completed") -> list[str]:
    got = [str(socket.recv(60))]
    while last not in got[-1]:
        got.append(str(socket.recv(60)))
    return got


@pytest.mark.parametrize("arguments", [{"city": "Oslo"}, LONG])
def test_calls_that_may_go_on_are_the_same_in_the_same_order(running, script, request, arguments):
    frames = [*called("look", arguments), *spoken("and", 1), *called("find", {}, 2)]
    script.answers = [[*frames, done(*frames)]] * 2
    with talk(running, RESPONSES, request.node.name) as socket:
        for _ in range(2):
            socket.send(asked())
            assert received(socket) == [*frames, done(*frames)]


def test_a_call_that_is_denied_becomes_a_message(running, script, request):
    mark = request.node.name
    frames = [*spoken("first"), *called("refund", LONG, 1), *called("find", {"x": 1}, 2)]
    script.answers = [[*frames, done(*frames)], [done()]]
    with talk(running, RESPONSES, mark) as socket:
        socket.send(asked())
        got = received(socket)
        socket.send(asked())
        assert received(socket) == [done()]
    assert not [one for one in got if '"refund"' in one or "call_1" in one]
    assert got[0] == frames[0]
    assert [one for one in got if one in frames] == [*frames[:1], *called("find", {"x": 1}, 2)]
    output = json.loads(got[-1])["response"]["output"]
    assert [one["type"] for one in output] == ["message", "function_call"]
    assert SAID in output[0]["content"][0]["text"]
    first, _ = calls(running, mark, 2)
    stored = [json.loads(line)["data"] for line in first.response.splitlines()]
    assert stored == [*frames, done(*frames)]
    assert [one.outcome for one in first.closed.judged.decisions] == ["blocked"]


def test_what_was_held_comes_before_the_end_of_the_connection(running, script, request):
    frames = called("look", {"a": "b"})
    for _ in range(20):
        script.answers = [[*frames, done(*frames), None]]
        with talk(running, RESPONSES, request.node.name) as socket:
            socket.send(asked())
            assert [str(one) for one in socket] == [*frames, done(*frames)]


def test_a_later_turn_gives_the_provider_an_output_of_what_was_denied(running, script, request):
    begun = event("created", response={"id": "resp_7", "output": []})
    frames = [*called("refund", {"order": "7"}), *called("find", {}, 1)]
    script.answers = [[begun, *frames, done(*frames)], [done()]]
    found = {"type": "function_call_output", "call_id": "call_1", "output": "3"}
    more = {"previous_response_id": "resp_7", "input": [found]}
    with talk(running, RESPONSES, request.node.name) as socket:
        socket.send(asked())
        received(socket)
        socket.send(json.dumps({"type": "response.create", **more}))
        received(socket)
    given = json.loads(script.got[1])["input"]
    assert [(one["call_id"], SAID in one["output"]) for one in given] == [
        ("call_0", True),
        ("call_1", False),
    ]
    assert given[1] == found


def test_names_of_a_namespace_are_judged_as_the_client_knows_them(running, script, request):
    frames = called("pay__refund", {"order": "7"})
    script.answers = [[*frames, done(*frames)]]
    with talk(running, RESPONSES, request.node.name, **{"x-team": "payments"}) as socket:
        socket.send(asked())
        got = received(socket)
    assert SAID in got[-1]
    assert not [one for one in got if "refund" in one.replace("no-refunds", "")]


def test_a_voice_session_goes_on_after_a_call_that_was_denied(running, script, request):
    item = {"id": "item_1", "type": "function_call", "call_id": "call_1", "name": "refund"}
    place = {"item_id": "item_1", "output_index": 0, "response_id": "resp_1"}
    text = '{"order": 7}'
    added = {"type": "conversation.item.added", "item": {**item, "status": "in_progress"}}
    output = [{**item, "arguments": text}]
    frames = [
        event("created", response={"id": "resp_1"}),
        event("output_item.added", output_index=0, item=item),
        json.dumps(added),
        event("function_call_arguments.delta", **place, delta=text),
        event("output_audio_transcript.delta", item_id="item_0", delta="Hm."),
        event("function_call_arguments.done", **place, arguments=text),
        event("output_item.done", output_index=0, item={**item, "arguments": text}),
        event("done", response={"id": "resp_1", "output": output, "usage": {"total_tokens": 3}}),
    ]
    script.answers = [frames]
    with talk(running, REALTIME, request.node.name) as socket:
        socket.send(asked())
        got = [json.loads(one) for one in received(socket, '"response.done"')]
    kinds = [one["type"] for one in got]
    assert kinds[:2] == ["response.created", "response.output_audio_transcript.delta"]
    assert kinds[2:4] == ["response.output_item.added", "conversation.item.added"]
    assert got[2]["item"]["type"] == got[3]["item"]["type"] == "message"
    assert got[-1]["response"]["usage"] == {"total_tokens": 3}
    assert SAID in got[-1]["response"]["output"][0]["content"][0]["text"]


@pytest.mark.parametrize("binary", [False, True])
def test_a_provider_that_waits_for_a_result_is_told(running, script, request, binary):
    named = [{"id": str(n), "name": name, "args": {}} for n, name in enumerate(("refund", "look"))]
    frame = json.dumps({"toolCall": {"functionCalls": named}})
    end = json.dumps({"serverContent": {"turnComplete": True}})
    script.answers = [[frame.encode() if binary else frame], [end], []]
    with talk(running, LIVE, request.node.name) as socket:
        socket.send(json.dumps({"clientContent": {"turns": [], "turnComplete": True}}))
        said, left, over = (json.loads(socket.recv(60)) for _ in range(3))
    assert SAID in said["serverContent"]["modelTurn"]["parts"][0]["text"]
    assert [one["name"] for one in left["toolCall"]["functionCalls"]] == ["look"]
    assert over == json.loads(end)
    told = json.loads(script.got[1])["toolResponse"]["functionResponses"]
    assert [(one["id"], SAID in one["response"]["error"]) for one in told] == [("0", True)]
