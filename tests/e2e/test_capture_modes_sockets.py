"""WebSockets of which no text is written, and of which nothing is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from tests.e2e.scripted import LIVE, REALTIME, RESPONSES, Script
from tests.e2e.test_capture_modes import CANARY, CONFIG, everything
from tests.mitm import Call, Mitmdump, wait_for

MODEL = """
[[namespaces]]
name = "by-model"
capture = "metadata"
match = { model = "gpt-private*" }
"""


@pytest.fixture
def running(tmp_path: Any) -> Iterator[tuple[Script, Mitmdump]]:
    with (
        Script(tmp_path) as script,
        Mitmdump(tmp_path, simulator=script, config=CONFIG + MODEL) as proxy,
    ):
        yield script, proxy


def talk(proxy: Mitmdump, url: str, frame: Any, answers: int, team: str = "private") -> list[Any]:
    with connect(
        url,
        ssl=proxy.trust(),
        proxy=proxy.url,
        additional_headers={"x-team": team},
        open_timeout=60,
    ) as socket:
        socket.send(frame)
        return [socket.recv() for _ in range(answers)]


def create(**more: Any) -> str:
    tool = {"type": "function", "name": "find", "description": CANARY}
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": CANARY}]}
    asked = {"input": [said], "tools": [tool]}
    return json.dumps({"type": "response.create", "response": asked, **asked, **more})


def events() -> list[str]:
    call = {"type": "function_call", "name": "find", "call_id": "c1", "arguments": CANARY}
    usage = {"input_tokens": 7, "output_tokens": 9}
    done = {"id": "resp_1", "status": "completed", "output": [call], "usage": usage}
    return [
        json.dumps({"type": "response.created", "response": {"id": "resp_1"}}),
        json.dumps({"type": "response.output_text.delta", "delta": CANARY}),
        json.dumps({"type": "response.completed", "response": done}),
    ]


def only(proxy: Mitmdump) -> Call:
    return proxy.closed(1)[0]


@pytest.mark.parametrize("url", [REALTIME, RESPONSES])
def test_frames_are_written_without_texts(running: Any, url: str) -> None:
    script, proxy = running
    said = events()
    if url == REALTIME:
        said[2] = said[2].replace("response.completed", "response.done")
    script.answers = [said]
    assert talk(proxy, url, create(model="gpt-5"), 3) == said
    assert CANARY in script.got[0]
    call = only(proxy)
    assert CANARY.encode() not in everything(proxy.home.path)
    request, _ = read_request(call.opened.wire, call.opened.path, [], call.request)
    assert [tool.name for tool in request.tools] == ["find"]
    reader = AnswerReader(call.opened.wire, 101, [])
    reader.feed(call.response)
    answer = reader.finish()
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 9)
    assert [one.name for one in answer.tool_calls] == ["find"]
    assert call.opened.body_kept == call.closed.body_kept == "skeleton"


def test_binary_frames_are_written_without_texts(running: Any) -> None:
    script, proxy = running
    content = {"modelTurn": {"parts": [{"text": CANARY}]}, "turnComplete": True}
    script.answers = [[json.dumps({"serverContent": content}).encode()]]
    parts = [{"text": CANARY}]
    asked = {"turns": [{"role": "user", "parts": parts}], "turnComplete": True}
    talk(proxy, LIVE, json.dumps({"clientContent": asked}), 1)
    call = only(proxy)
    assert CANARY.encode() not in everything(proxy.home.path)
    request, _ = read_request(call.opened.wire, call.opened.path, [], call.request)
    assert [message.role for message in request.messages] == ["user"]


def test_what_a_frame_tells_of_its_namespace_counts(running: Any) -> None:
    script, proxy = running
    script.answers = [events()]
    talk(proxy, RESPONSES, create(model="gpt-private-1"), 3, team="open")
    assert only(proxy).opened.namespace == "by-model"
    assert CANARY.encode() not in everything(proxy.home.path)


def test_nothing_is_written_of_a_session_that_is_off(running: Any) -> None:
    script, proxy = running
    script.answers = [events(), events()]
    talk(proxy, RESPONSES, create(model="gpt-5"), 3, team="nothing")
    talk(proxy, RESPONSES, create(model="gpt-5"), 3, team="private")
    wait_for(lambda: proxy.closed(1))
    assert len(proxy.calls()) == 1
    assert CANARY.encode() not in everything(proxy.home.path)
