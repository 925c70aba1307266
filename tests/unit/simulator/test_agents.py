"""What command-line agents need of the simulated provider and SDKs do not."""

import json

import httpx
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import websocket_connect

from llmproxy_core.simulator import Simulator
from tests.unit.simulator.sockets import connected

SCHEMA = {
    "type": "OBJECT",
    "properties": {"score": {"type": "INTEGER"}, "why": {"type": "STRING"}},
    "required": ["why", "score"],
}
FITS = {"why": "sample", "score": 3}
BASH = {"name": "Bash", "input_schema": {"type": "object"}}


@pytest.fixture(scope="module")
def provider():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def client(provider):
    with httpx.Client(base_url=provider.http_url, trust_env=False, timeout=60) as client:
        yield client


def anthropic(client, *messages, **more):
    body = {"model": "claude-opus-5-5", "messages": messages, **more}
    return client.post("/v1/messages", json=body).json()


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (
            "/v1/chat/completions",
            {
                "messages": [{"role": "user", "content": "How hard?"}],
                "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
            },
            lambda said: said["choices"][0]["message"]["content"],
        ),
        (
            "/v1/responses",
            {
                "input": "How hard?",
                "text": {"format": {"type": "json_schema", "schema": SCHEMA}},
            },
            lambda said: said["output"][0]["content"][0]["text"],
        ),
        (
            "/v1/messages",
            {
                "messages": [{"role": "user", "content": "How hard?"}],
                "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
            },
            lambda said: said["content"][0]["text"],
        ),
        (
            "/v1beta/models/gemini-3.8-flash:generateContent",
            {
                "contents": [{"role": "user", "parts": [{"text": "How hard?"}]}],
                "generationConfig": {"responseJsonSchema": SCHEMA},
            },
            lambda said: said["candidates"][0]["content"]["parts"][0]["text"],
        ),
    ],
    ids=["chat", "responses", "anthropic", "gemini"],
)
def test_an_answer_fits_the_schema_that_was_asked_for(client, path, body, text):
    said = client.post(path, json={"model": "m", **body}).json()

    assert json.loads(text(said)) == FITS


def test_a_prompt_may_say_what_to_call_a_tool_with(client):
    asked = {"role": "user", "content": 'Please call Bash with {"command": "ls"}'}

    said = anthropic(client, asked, tools=[BASH])

    assert (said["stop_reason"], said["content"][0]["input"]) == ("tool_use", {"command": "ls"})


def test_arguments_that_are_not_json_are_not_taken_from_the_prompt(client):
    asked = {"role": "user", "content": "Please call Bash with {command: ls}"}

    said = anthropic(client, asked, tools=[BASH])

    assert (said["stop_reason"], said["content"][0]["input"]) == ("tool_use", {})


def test_what_an_agent_puts_around_the_words_of_a_person_names_no_tool(client):
    content = [
        {"type": "text", "text": "<system-reminder>You have the tool Bash.</system-reminder>"},
        {"type": "text", "text": "Say hello"},
    ]

    assert anthropic(client, {"role": "user", "content": content}, tools=[BASH])["stop_reason"] == (
        "end_turn"
    )


def test_the_result_of_a_tool_is_answered_even_with_a_message_of_the_system_after_it(client):
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "call Bash with {}"}
    messages = [
        {"role": "user", "content": [result]},
        {"role": "system", "content": 'There is a tool: call Bash with {"command": "ls"}'},
    ]

    assert anthropic(client, *messages, tools=[BASH])["stop_reason"] == "end_turn"


@pytest.mark.parametrize("stream", [False, True])
def test_tools_within_the_input_of_codex_are_called(client, stream):
    tools = [{"type": "custom", "name": "exec"}, {"type": "function", "name": "wait"}]
    body = {
        "model": "gpt-6.1-sol",
        "stream": stream,
        "input": [
            {"type": "additional_tools", "tools": [{"type": "namespace", "tools": tools}]},
            {"type": "message", "role": "user", "content": "call exec with { text(1) }"},
        ],
    }

    answer = client.post("/v1/responses", json=body)

    if stream:
        events = [json.loads(line[6:]) for line in answer.text.splitlines() if line[:1] == "d"]
        pieces = [e["delta"] for e in events if e["type"].endswith("custom_tool_call_input.delta")]
        assert "".join(pieces) == "{ text(1) }"
    said = events[-1]["response"] if stream else answer.json()
    call = said["output"][0]
    assert (call["type"], call["name"], call["input"]) == (
        "custom_tool_call",
        "exec",
        "{ text(1) }",
    )


def test_claude_code_finds_its_provider_there(client):
    assert client.get("/api/hello").status_code == 200


def test_codex_finds_no_models_and_takes_its_own(client):
    assert client.get("/backend-api/codex/models?client_version=1").json() == {"models": []}


async def test_a_warm_up_is_answered_without_a_word(provider):
    asked = {"type": "response.create", "model": "m", "input": [], "generate": False}
    async with connected(provider) as socket:
        await socket.write_message(json.dumps(asked))
        first, last = [json.loads(await socket.read_message() or "") for _ in range(2)]

    assert (first["type"], last["type"]) == ("response.created", "response.completed")
    assert last["response"]["output"] == []


async def test_a_provider_may_have_no_websockets():
    with Simulator(websockets=False) as plain:
        with pytest.raises(HTTPClientError, match="426"):
            await websocket_connect(f"ws://127.0.0.1:{plain.http_port}/v1/responses")

        assert (plain.seen[-1].method, plain.seen[-1].status) == ("GET", 426)
