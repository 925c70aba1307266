"""How the simulated model calls tools, in every wire format, whole and streamed."""

import json
from typing import Any

import httpx
import pytest

from llmproxy_core.providers.eventstream import MessageReader
from llmproxy_core.simulator import Simulator
from llmproxy_core.simulator.calling import _id
from tests.unit.simulator.sockets import connected

LONG = "pay__" + "long_" * 10
TWO = 'call find with {"q": 1} and call #2 with {"q": 2}'
NAMES = ["pay__find", LONG]
FUNCTIONS = [{"name": name, "parameters": {"type": "object"}} for name in NAMES]
TOOLS = [{"type": "function", "function": function} for function in FUNCTIONS]
ASKED = [{"role": "user", "content": TWO}]
SPECS = [{"toolSpec": {"name": name, "inputSchema": {"json": {}}}} for name in NAMES]


@pytest.fixture(scope="module")
def provider():
    with Simulator(required_prefix="pay__") as provider:
        yield provider


@pytest.fixture(scope="module")
def client(provider):
    with httpx.Client(base_url=provider.http_url, trust_env=False, timeout=60) as client:
        yield client


def lines(text: str) -> list[Any]:
    found = (line.removeprefix("data: ") for line in text.splitlines())
    return [json.loads(line) for line in found if line.startswith("{")]


@pytest.mark.parametrize("stream", [False, True])
def test_every_choice_of_a_chat_has_every_call(client, stream):
    body = {"model": "m", "n": 2, "messages": ASKED, "tools": TOOLS, "stream": stream}

    answer = client.post("/v1/chat/completions", json=body)

    said = [answer.json()] if not stream else lines(answer.text)
    calls: dict[tuple[int, int], str] = {}
    for choice in (choice for one in said for choice in one["choices"]):
        message = choice.get("message") or choice["delta"]
        for at, call in enumerate(message.get("tool_calls") or []):
            key = (choice["index"], call.get("index", at))
            calls[key] = calls.get(key, "") + call["function"].get("name", "")
    assert calls == {(0, 0): NAMES[0], (0, 1): LONG, (1, 0): NAMES[0], (1, 1): LONG}


@pytest.mark.parametrize("stream", [False, True])
def test_functions_as_they_once_were_are_called_one_at_a_time(client, stream):
    body = {"model": "m", "messages": ASKED, "functions": FUNCTIONS, "stream": stream}

    answer = client.post("/v1/chat/completions", json=body)

    said = [answer.json()] if not stream else lines(answer.text)
    calls = [
        call
        for one in said
        for choice in one["choices"]
        if (call := (choice.get("message") or choice["delta"]).get("function_call"))
    ]
    assert [call["name"] for call in calls if "name" in call] == ["pay__find"]
    assert "".join(call["arguments"] for call in calls) == '{"q": 1}'


@pytest.mark.parametrize("stream", [False, True])
def test_ollama_calls_in_lines_of_json(client, stream):
    body = {"model": "m", "messages": ASKED, "tools": TOOLS, "stream": stream}

    said = lines(client.post("/api/chat", json=body).text)

    calls = [call for line in said for call in line["message"].get("tool_calls") or []]
    assert [call["function"] for call in calls] == [
        {"name": "pay__find", "arguments": {"q": 1}},
        {"name": LONG, "arguments": {"q": 2}},
    ]
    assert said[-1]["done"] is True


def test_bedrock_calls_in_an_eventstream_that_our_reader_takes(client):
    body = {
        "messages": [{"role": "user", "content": [{"text": TWO}]}],
        "toolConfig": {"tools": SPECS},
    }

    whole = client.post("/model/m/converse", json=body).json()
    streamed = client.post("/model/m/converse-stream", json=body)

    calls = [block["toolUse"]["name"] for block in whole["output"]["message"]["content"]]
    reader = MessageReader()
    messages = [(one.name, json.loads(one.payload)) for one in reader.feed(streamed.content)]
    starts = [
        data["start"]["toolUse"]["name"] for name, data in messages if name == "contentBlockStart"
    ]
    assert (reader.problem, reader.open) == (None, False)
    assert calls == starts == NAMES
    assert messages[-1][0] == "metadata"


async def test_a_realtime_session_calls_repeats_its_tools_and_takes_results(provider):
    tools = [{"type": "function", "name": name, "parameters": {}} for name in NAMES]

    def item(**data: Any) -> dict[str, Any]:
        return {"until": "conversation.item.done", "type": "conversation.item.create", "item": data}

    async with connected(provider, "/v1/realtime?model=m") as socket:

        async def say(until: str, **data: Any) -> list[Any]:
            if data:
                await socket.write_message(json.dumps(data))
            events: list[Any] = []
            while not events or events[-1]["type"] not in (until, "error"):
                events.append(json.loads(await socket.read_message() or "null"))
            return events

        await say("session.created")
        updated = await say("session.updated", type="session.update", session={"tools": tools})
        await say(
            **item(type="message", role="user", content=[{"type": "input_text", "text": TWO}])
        )
        called = await say("response.done", type="response.create")
        calls = called[-1]["response"]["output"]
        await say(**item(type="function_call_output", call_id=calls[0]["call_id"], output="4"))
        said = await say("response.done", type="response.create")
        refused = await say(**item(type="function_call", name="find", call_id="c", arguments="{}"))

    assert updated[-1]["session"]["tools"] == tools
    assert [call["name"] for call in calls] == NAMES
    done = [event for event in called if event["type"].endswith("arguments.done")]
    assert [event["name"] for event in done] == NAMES
    assert said[-1]["response"]["output"][0]["content"][0]["text"]
    assert "does not begin" in refused[-1]["error"]["message"]


def test_a_model_may_call_what_nobody_offered(client):
    body = {"model": "m", "messages": ASKED, "tools": TOOLS}
    headers = {"x-simulate": "call_name=other"}

    said = client.post("/v1/chat/completions", json=body, headers=headers).json()

    calls = said["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["other", LONG]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_may_come_byte_by_byte(client, stream):
    body = {"model": "m", "messages": ASKED, "tools": TOOLS, "stream": stream}
    whole = client.post("/v1/chat/completions", json=body).content

    headers = {"x-simulate": "grain=1"}
    with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        pieces = list(answer.iter_raw())

    assert b"".join(pieces) == whole
    assert len(pieces) > 50


def test_a_stream_may_end_or_be_cut_inside_a_name(client):
    body = {"model": "m", "messages": ASKED, "tools": TOOLS, "stream": True}

    ended = client.post(
        "/v1/chat/completions", json=body, headers={"x-simulate": "end_inside=pay__find"}
    )

    assert ended.content.endswith(b'"pay_')
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post(
            "/v1/chat/completions", json=body, headers={"x-simulate": "cut_inside=pay__find"}
        )


def test_the_tools_of_a_response_are_repeated_in_it(client):
    tools = [{"type": "function", "name": "pay__find", "parameters": {}}]
    body = {"model": "m", "input": "Why?", "tools": tools, "tool_choice": "auto"}

    assert client.post("/v1/responses", json=body).json()["tools"] == tools


def test_calls_in_one_answer_have_ids_of_their_own():
    for key in ("a" * 22 + "01" + "b" * 40, "0" * 64, f"{1:064x}"):
        assert len({_id(key, number) for number in range(3)}) == 3
