"""Limits of WebSockets: each turn is a call."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.e2e.limited import counted, level, limit, namespace
from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.mitm import Mitmdump, wait_for

CONFIG = "\n".join(
    [
        limit("few", requests_per_minute=1, burst=2, per=["provider"]),
        limit("tokens", tokens_per_minute=1_000_000),
        limit("spoken", tokens_per_minute=1_000_000),
        limit("live", tokens_per_minute=1_000_000),
        limit("hasty", tokens_per_minute=1_000_000),
        limit("narrow", concurrent=1),
        limit("by-model", tokens_per_minute=1, per=["model"]),
        namespace("free"),
    ]
)
USAGE = {"input_tokens": 30, "output_tokens": 12, "total_tokens": 42}
DONE = json.dumps({"type": "response.completed", "response": {"id": "r", "usage": USAGE}})
SPOKEN = [
    json.dumps({"type": "response.created", "response": {"id": "r"}}),
    json.dumps({"type": "response.done", "response": {"id": "r", "usage": USAGE}}),
]
SAID = [
    json.dumps({"serverContent": {"modelTurn": {"parts": [{"text": "Hi"}]}}}),
    json.dumps(
        {"usageMetadata": {"promptTokenCount": 5, "responseTokenCount": 6, "totalTokenCount": 11}}
    ),
    json.dumps({"serverContent": {"turnComplete": True}}),
]
ASK = json.dumps({"type": "response.create", "model": "gpt-5", "input": "hi"})
SETUP = json.dumps({"setup": {"model": "models/gemini-live"}})
TURN = json.dumps({"clientContent": {"turns": [], "turnComplete": True}})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Script, Mitmdump]]:
    folder = tmp_path_factory.mktemp("sockets")
    with Script(folder) as script, Mitmdump(folder, simulator=script, config=CONFIG) as proxy:
        yield script, proxy


@pytest.fixture
def script(running):
    running[0].got.clear()
    running[0].answers = []
    return running[0]


@pytest.fixture
def proxy(running):
    return running[1]


@contextmanager
def talk(proxy: Mitmdump, url: str, team: str) -> Iterator[Connection]:
    headers = {"x-team": team}
    with connect(
        url,
        ssl=proxy.trust(),
        proxy=proxy.url,
        additional_headers=headers,
        max_size=None,
        open_timeout=60,
    ) as socket:
        yield socket


def send_and_listen(socket: Connection, *frames: str) -> str | bytes:
    for frame in frames:
        socket.send(frame)
    return socket.recv(60)


def refused(frame: str | bytes) -> dict[str, Any]:
    told = json.loads(frame)
    assert told["type"] == "error"
    error: dict[str, Any] = told["error"]
    return error


def test_a_turn_over_the_limit_is_refused_and_the_session_goes_on(script, proxy):
    script.answers = [[DONE], [DONE]]
    with talk(proxy, RESPONSES, "few") as socket:
        for _ in range(2):
            socket.send(ASK)
            assert socket.recv(60) == DONE
        socket.send(ASK)
        error = refused(socket.recv(60))
        assert error["code"] == "rate_limit_exceeded"
        assert "the limit few" in error["message"]
        socket.send(json.dumps({"type": "response.cancel"}))
        wait_for(lambda: len(script.got) == 3 or None)
    calls = [call for call in proxy.closed(3) if call.opened.namespace == "few"]
    assert b"the limit few" in calls[2].response


def test_a_turn_of_gemini_over_the_limit_closes_the_session(script, proxy):
    script.answers = [[], SAID, SAID]  # the first to the setup
    with talk(proxy, LIVE, "few") as socket:
        socket.send(SETUP)
        for _ in range(2):
            socket.send(TURN)
            assert [socket.recv(60) for _ in SAID] == SAID
        with pytest.raises(ConnectionClosed) as caught:
            send_and_listen(socket, *[TURN] * 5)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008
    assert "crashed" not in proxy.output
    assert "the limit few" in caught.value.rcvd.reason


def test_a_turn_takes_what_its_last_frame_tells(script, proxy):
    script.answers = [[DONE], [DONE]]
    with talk(proxy, RESPONSES, "tokens") as socket:
        for number in (1, 2):
            socket.send(ASK)
            socket.recv(60)
            counted(proxy, "tokens", 42 * number)


def test_a_turn_that_a_voice_begins_counts_when_it_ends(script, proxy):
    script.answers = [SPOKEN]
    with talk(proxy, REALTIME, "spoken") as socket:
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA"}))
        assert [socket.recv(60) for _ in SPOKEN] == SPOKEN
        counted(proxy, "spoken", 42)


def test_a_turn_of_gemini_takes_what_any_of_its_frames_tells(script, proxy):
    script.answers = [[], SAID]
    with talk(proxy, LIVE, "live") as socket:
        socket.send(SETUP)
        socket.send(TURN)
        assert [socket.recv(60) for _ in SAID] == SAID
        counted(proxy, "live", 11)


def test_a_turn_that_is_never_answered_counts_as_what_was_set_aside(script, proxy):
    script.answers = [[]]
    with talk(proxy, RESPONSES, "hasty") as socket:
        socket.send(json.dumps({"type": "response.create", "max_output_tokens": 900}))
        wait_for(lambda: script.got or None)
    wait_for(lambda: (found := level(proxy, "hasty", "tokens")) and 900 <= found.used < 1000)


def test_turns_of_two_sessions_share_what_may_be_under_way(script, proxy):
    script.answers = [[], [DONE]]
    with talk(proxy, RESPONSES, "narrow") as first, talk(proxy, RESPONSES, "narrow") as second:
        first.send(ASK)
        wait_for(lambda: script.got or None)
        second.send(ASK)
        assert "1 call at a time" in refused(second.recv(60))["message"]
        first.close()
        wait_for(lambda: (found := level(proxy, "narrow", "concurrent")) and found.used == 0)
        second.send(ASK)
        assert second.recv(60) == DONE


def test_the_model_of_a_session_is_that_of_its_turns(script, proxy):
    with talk(proxy, LIVE, "by-model") as socket:
        script.answers = [[]]
        socket.send(SETUP)
        socket.send(TURN)
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(60)
    assert "model gemini-live" in str(caught.value)
