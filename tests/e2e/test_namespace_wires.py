"""Prefixes on other wires: lines of JSON, eventstreams, WebSockets; and what is left alone."""

import base64
import gzip
import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx
import httpx2
import pytest
import zstandard
from google import genai
from google.genai import types

from llmproxy_core.hashing import content_hash
from llmproxy_core.providers.eventstream import MessageReader
from tests.e2e.namespaced import PREFIX, TEAM, Machine, function, named, said
from tests.e2e.tool_programs import PROGRAMS
from tests.mitm import Call, wait_for

OPENAI = "https://api.openai.com/v1/chat/completions"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-pro-v1%3A0"
BEARER = {"authorization": "Bearer not-a-key-0123456789abcdef", **TEAM}
LONG = "look_up_" + "a_very_long_name_" * 4
TWO = "call #1 with {} and call #2 with {}"
NAMES = ["find", LONG]
LONGER = ["find", "look_up_" + "a_very_long_name_" * 7]
CODERS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


def converse(text: str, *names: str) -> dict[str, Any]:
    tools = [{"toolSpec": {"name": name, "inputSchema": {"json": {}}}} for name in names]
    return {
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "t", "name": names[0], "input": {}}}],
            },
            {"role": "user", "content": [{"text": text}]},
        ],
        "toolConfig": {"tools": tools, "toolChoice": {"auto": {}}},
    }


def calls_of(machine: Machine) -> list[Call]:
    assert machine.proxy
    return machine.proxy.calls()


def stored(machine: Machine, mark: str) -> Call:
    """The call with this text in its request, once it has ended."""

    def find() -> Call | None:
        calls = (call for call in calls_of(machine) if mark.encode() in call.request)
        return next((call for call in calls if call.closed), None)

    return wait_for(find)


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_ollama_in_lines_of_json(machine, stream):
    call = {"function": {"name": "find", "arguments": {"name": "find"}}}
    body = {
        "model": "qwen3",
        "stream": stream,
        "tools": [function(name) for name in NAMES],
        "messages": [
            *said("Hi"),
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_name": "find", "content": "find"},
            *said(TWO),
        ],
    }
    with machine.http() as http:
        answer = http.post("https://ollama.com/api/chat", json=body, headers=BEARER)

    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.splitlines()]
    calls = [call for line in lines for call in line["message"].get("tool_calls") or []]
    assert [call["function"]["name"] for call in calls] == NAMES
    machine.assert_no_prefix_came_back()


@pytest.mark.parametrize("grain", ["", "grain=1"])
def test_bedrock_in_an_eventstream_with_checksums_that_are_right(machine, grain):
    headers = {"x-simulate": grain, **BEARER}
    with machine.http() as http:
        url = f"{BEDROCK}/converse-stream"
        answer = http.post(url, json=converse(TWO, *NAMES), headers=headers)

    assert answer.status_code == 200, answer.text
    reader = MessageReader()
    events = [(one.name, json.loads(one.payload)) for one in reader.feed(answer.content)]
    assert (reader.problem, reader.open) == (None, False)
    starts = [data["start"] for name, data in events if name == "contentBlockStart"]
    assert [start["toolUse"]["name"] for start in starts] == NAMES
    assert events[-1][0] == "metadata"
    machine.assert_no_prefix_came_back()


def test_bedrock_in_one_piece(machine):
    with machine.http() as http:
        body = converse("call #1 with {}", "find", "refund")
        answer = http.post(f"{BEDROCK}/converse", json=body, headers=BEARER)

    content = answer.json()["output"]["message"]["content"]
    assert [block["toolUse"]["name"] for block in content] == ["find"]
    machine.assert_only_names_were_changed()


def claude_events(stream: bytes) -> list[dict[str, Any]]:
    reader = MessageReader()
    wrapped = [json.loads(one.payload) for one in reader.feed(stream)]
    assert (reader.problem, reader.open) == (None, False)
    return [json.loads(base64.b64decode(one["bytes"])) for one in wrapped]


@pytest.mark.parametrize("grain", ["", "grain=1"])
def test_claude_on_bedrock_in_events_of_base64(machine, grain):
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 99,
        "messages": said(TWO),
        "tools": [{"name": name, "input_schema": {"type": "object"}} for name in NAMES],
    }
    headers = {"x-simulate": grain, **BEARER}
    with machine.http() as http:
        url = f"{BEDROCK}/invoke-with-response-stream"
        answer = http.post(url, json=body, headers=headers)

    assert answer.status_code == 200, answer.text
    events = claude_events(answer.content)
    blocks = [e["content_block"] for e in events if e["type"] == "content_block_start"]
    assert [block["name"] for block in blocks] == NAMES
    assert events[-1]["type"] == "message_stop"


def test_the_bedrock_client_of_anthropic_with_a_key(machine):
    """Ten turns; its streams need botocore."""
    with machine.http(httpx2) as http:
        client = anthropic.AnthropicBedrock(
            api_key="not-a-key-0123456789",
            aws_region="us-east-1",
            default_headers=TEAM,
            http_client=http,
        )
        done = PROGRAMS["anthropic"](client, False)

    assert sum(len(turn.calls) for turn in done.turns) == 11
    machine.assert_only_names_were_changed()
    machine.assert_no_prefix_came_back()


def test_a_signed_request_is_left_alone_and_says_why(machine, mark):
    body = json.dumps(converse(f"{mark}: call #1 with {{}}", "find")).encode()
    signed = {
        "authorization": (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/bedrock/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256, Signature=0123456789abcdef"
        ),
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-simulate": "required_prefix=",
        **TEAM,
    }
    with machine.http() as http:
        answer = http.post(f"{BEDROCK}/converse", content=body, headers=signed)

    assert answer.status_code == 200, answer.text
    content = answer.json()["output"]["message"]["content"]
    assert content[0]["toolUse"]["name"] == "find"
    assert machine.received[0].body == body
    assert stored(machine, mark).opened.left_alone == "signed"


def test_a_body_over_the_limit_is_left_alone_and_says_why(machine, mark):
    body = {"model": "gpt-5", "tools": [function("find")], "x": "y" * 300_000}
    content = json.dumps(body | {"messages": said(f"{mark} use a tool")}).encode()
    headers = {"x-simulate": "required_prefix=", **TEAM, "x-mark": mark}
    with machine.http() as http:
        answer = http.post(f"{OPENAI}?{mark}", content=content, headers=headers)

    assert answer.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "find"
    assert machine.received[0].body == content
    call = wait_for(lambda: next((c for c in calls_of(machine) if mark in c.opened.path), None))
    assert call.opened.left_alone == "too_large"


@pytest.mark.parametrize("encoding", CODERS)
def test_a_request_in_a_coding_is_prefixed_in_it(machine, encoding):
    body = json.dumps(
        {"model": "gpt-5", "messages": said("use a tool"), "tools": [function("find")]}
    ).encode()
    headers = {"content-encoding": encoding, **TEAM}
    with machine.http() as http:
        answer = http.post(OPENAI, content=CODERS[encoding](body), headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "find"


def test_what_is_no_json_passes_as_it_is(machine, mark):
    content = b'{"tools": [{"type": "function", "function": {"name": "find"}}], ' + mark.encode()
    with machine.http() as http:
        assert http.post(OPENAI, content=content, headers=TEAM).status_code == 400

    assert machine.received[0].body == content
    assert stored(machine, mark).opened.left_alone == "unreadable"


def test_what_the_provider_saw_and_said_is_stored_with_what_the_client_did(machine, mark):
    body = {"model": "gpt-5", "stream": True, "tools": [function(name) for name in NAMES]}
    sent = json.dumps(body | {"messages": said(f"{mark} {TWO}")}).encode()
    with machine.http() as http:
        answer = http.post(OPENAI, content=sent, headers=TEAM)

    call, received = stored(machine, mark), machine.received[0].body
    assert call.request == received
    assert call.opened.hash_in == content_hash(sent)
    assert call.opened.hash_out == content_hash(received)
    assert call.closed.hash_in == content_hash(call.response)
    assert call.closed.hash_out == content_hash(answer.content)
    assert PREFIX.encode() in call.response
    assert PREFIX not in answer.text
    assert call.opened.prefix == PREFIX
    assert call.opened.shortened == {named(received)[1]: LONG}
    assert call.opened.left_alone == ""


class Told:
    """What came over a socket, as the SDK gives it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.events: list[Any] = []

    def until(self, kind: str) -> Any:
        for event in self.connection:
            self.events.append(event)
            assert event.type != "error", event
            if event.type == kind:
                return event
        raise AssertionError(f"no {kind}: {self.events}")

    def assert_without_prefix(self) -> None:
        assert not [e for e in self.events if PREFIX in e.model_dump_json(warnings=False)]


@contextmanager
def connected(machine: Machine, resource: str, **more: Any) -> Iterator[Told]:
    assert machine.proxy
    options = {"proxy": machine.proxy.url, "ssl": machine.proxy.trust()}
    with (
        machine.sdk("openai") as client,
        getattr(client, resource).connect(
            extra_headers=TEAM, websocket_connection_options=options, **more
        ) as connection,
    ):
        yield Told(connection)


def test_a_realtime_session_calls_tools_by_the_programs_names(machine):
    tools: list[Any] = [{"type": "function", "name": name, "parameters": {}} for name in NAMES]
    with connected(machine, "realtime", model="gpt-realtime") as told:
        session, talk = told.connection.session, told.connection.conversation
        session.update(session={"type": "realtime", "tools": tools})
        assert [tool.name for tool in told.until("session.updated").session.tools] == NAMES
        for turn in range(3):
            part = {"type": "input_text", "text": TWO}
            talk.item.create(item={"type": "message", "role": "user", "content": [part]})
            told.connection.response.create()
            calls = told.until("response.done").response.output
            assert [call.name for call in calls] == NAMES
            for call in calls:
                given = {"type": "function_call_output", "call_id": call.call_id, "output": "18"}
                talk.item.create(item=given)
            told.connection.response.create()
            assert told.until("response.done").response.output[0].type == "message", turn
        again = {"type": "function_call", "name": "find", "call_id": "c", "arguments": "{}"}
        talk.item.create(item=again)
        assert told.until("conversation.item.done").item.name == "find"
    told.assert_without_prefix()


def test_responses_over_a_socket_call_tools_by_the_programs_names(machine):
    """As Codex has it: tools nested in the input."""
    tools = [{"type": "function", "name": name, "parameters": {}} for name in NAMES]
    nested = {"type": "namespace", "name": "functions", "tools": tools}
    items: list[Any] = [{"type": "additional_tools", "role": "developer", "tools": [nested]}]
    with connected(machine, "responses") as told:
        for _ in range(3):
            items.append({"role": "user", "content": TWO})
            told.connection.response.create(model="gpt-5", input=items)
            calls = told.until("response.completed").response.output
            assert [call.name for call in calls] == NAMES
            for call in calls:
                items.append(call.model_dump(exclude_none=True, mode="json"))
                items.append(
                    {"type": "function_call_output", "call_id": call.call_id, "output": "18"}
                )
            told.connection.response.create(model="gpt-5", input=items)
            assert told.until("response.completed").response.output[0].type == "message"
    told.assert_without_prefix()
    frames = [seen.body for seen in machine.received if seen.method == "WEBSOCKET"]
    assert len(frames) == 6
    assert all(f'"{PREFIX}find"'.encode() in frame for frame in frames)


def test_a_gemini_stream_that_is_one_array(machine):
    body = {
        "contents": [{"role": "user", "parts": [{"text": TWO}]}],
        "tools": [{"function_declarations": [{"name": name} for name in NAMES]}],
    }
    host = "https://generativelanguage.googleapis.com/v1beta/models"
    with machine.http(httpx) as http:
        url = f"{host}/gemini-2.5-flash:streamGenerateContent"
        answer = http.post(url, json=body, headers=TEAM)

    parts = [part for one in answer.json() for part in one["candidates"][0]["content"]["parts"]]
    assert [part["functionCall"]["name"] for part in parts] == NAMES


def test_responses_are_fetched_and_continued_by_their_ids(machine):
    """The conversation is at the provider's; a program may ask for an answer again."""
    tools: list[Any] = [{"type": "function", "name": name, "parameters": {}} for name in NAMES]
    with machine.sdk("openai", **TEAM) as client:
        first = client.responses.create(model="gpt-5", input=TWO, tools=tools)
        again = client.responses.retrieve(first.id)
        results: list[Any] = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "18"}
            for call in first.output
        ]
        client.responses.create(
            model="gpt-5", input=results, tools=tools, previous_response_id=first.id
        )

    assert [call.name for call in first.output] == NAMES
    assert again.output == first.output
    assert again.tools == first.tools
    machine.assert_no_prefix_came_back()
    posted = [seen.body for seen in machine.received if seen.method == "POST"]
    assert [f'"{PREFIX}find"'.encode() in body for body in posted] == [True, True]


def test_tokens_are_counted_of_what_will_be_sent(machine):
    tools = [{"name": "find", "input_schema": {"type": "object"}}]
    with machine.sdk("anthropic", **TEAM) as client:
        client.messages.count_tokens(model="m", messages=said("Hi"), tools=tools)

    machine.assert_only_names_were_changed()


def test_a_batch_is_prefixed_and_its_results_are_the_programs(machine):
    """Results are fetched by an id that the provider gave, by whoever knows it."""
    tools: list[Any] = [{"name": name, "input_schema": {"type": "object"}} for name in LONGER]
    params: Any = {"model": "m", "max_tokens": 9, "messages": said(TWO), "tools": tools}
    asked: list[Any] = [{"custom_id": f"r{number}", "params": params} for number in range(3)]
    with machine.sdk("anthropic", **TEAM) as client:
        made = client.messages.batches.create(requests=asked)
        results = list(client.messages.batches.results(made.id))

    assert [one.custom_id for one in results] == ["r0", "r1", "r2"]
    called = [[block.name for block in one.result.message.content] for one in results]
    assert called == [LONGER] * 3
    machine.assert_no_prefix_came_back()


async def test_a_live_session_of_gemini_calls_tools_by_the_programs_names(machine, monkeypatch):
    """Google's server speaks in binary frames."""
    monkeypatch.setenv("HTTPS_PROXY", machine.proxy.url)
    options = types.HttpOptions(
        headers=TEAM, async_client_args={"ssl": machine.proxy.trust()}, client_args={}
    )
    declared: list[Any] = [{"name": name} for name in NAMES]
    config = types.LiveConnectConfig(
        response_modalities=[types.Modality.TEXT],
        tools=[types.Tool(function_declarations=declared)],
    )
    got: list[types.LiveServerMessage] = []
    client = genai.Client(api_key="AIza-test-not-a-key", http_options=options)
    async with client.aio.live.connect(model="gemini-live-2.5", config=config) as session:
        for _ in range(3):
            turn = types.Content(role="user", parts=[types.Part(text=TWO)])
            await session.send_client_content(turns=turn)
            async for message in session.receive():
                got.append(message)
                if message.tool_call:
                    calls = message.tool_call.function_calls or []
                    assert [call.name for call in calls] == NAMES
                    results = [
                        types.FunctionResponse(id=c.id, name=c.name, response={"name": "18"})
                        for c in calls
                    ]
                    await session.send_tool_response(function_responses=results)

    assert sum(message.tool_call is not None for message in got) == 3
    assert sum(bool(message.server_content) for message in got) > 3
    assert not [message for message in got if PREFIX in message.model_dump_json()]
    frames = [seen.body for seen in machine.received if seen.method == "WEBSOCKET"]
    assert len(frames) == 7
    assert b"pay__find" in frames[0]
