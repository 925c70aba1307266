"""Codex: Responses over a WebSocket, or over HTTP where there is none; ids in headers."""

import json
from typing import Any

import pytest

from tests.clients.agent import KEY, Said

pytestmark = pytest.mark.clients

ASK = ("codex", "exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access")
SIDES = ("request", "response")
SCRIPT = '{ text(await tools.exec_command({"cmd": "echo from-the-tool"})) }'
"""Codex's tool takes JavaScript, in which its other tools are functions."""


def event_of(said: Said, kind: str) -> dict[str, Any]:
    return next(event for event in said.events if event["type"] == kind)


def words_of(said: Said) -> str:
    """The last message that Codex tells of."""
    items = [event["item"] for event in said.events if event["type"] == "item.completed"]
    return str([item["text"] for item in items if item["type"] == "agent_message"][-1])


def thread_of(said: Said) -> str:
    return str(event_of(said, "thread.started")["thread_id"])


def test_a_response_over_a_websocket_is_a_call_that_is_read_in_full(start):
    codex = start(CODEX_API_KEY=KEY)

    said = codex.run(*ASK, "Say hello to llmproxy")

    (row,) = codex.calls(1)
    used = event_of(said, "turn.completed")["usage"]
    asked = [seen.body for seen in codex.provider.seen if seen.method == "WEBSOCKET"]
    assert (row["provider"], row["wire"]) == ("openai", "openai.responses.websocket")
    assert (row["state"], row["status"], row["stream"]) == ("complete", 101, True)
    assert row["model"] == json.loads(asked[-1])["model"]
    assert row["preview"] == "Say hello to llmproxy"
    assert codex.show(row)["response"]["text"] == words_of(said)
    assert row["input_tokens"] == used["input_tokens"]
    assert row["output_tokens"] == used["output_tokens"]
    assert float(row["cost_usd"]) > 0
    codex.assert_key_is_nowhere()


def test_every_frame_of_a_websocket_is_kept(start):
    codex = start(CODEX_API_KEY=KEY)

    codex.run(*ASK, "Say hello")

    (row,) = codex.calls(1)
    frames = [json.loads(line) for side in SIDES for line in codex.body(row, side).splitlines()]
    sent = [frame["data"].encode() for frame in frames if frame["from"] == "client"]
    assert sent == [seen.body for seen in codex.provider.seen if seen.method == "WEBSOCKET"]
    told = [json.loads(frame["data"])["type"] for frame in frames if frame["from"] == "server"]
    assert told[-1] == "response.completed"


def test_its_session_is_the_thread_of_codex(start):
    codex = start(CODEX_API_KEY=KEY)

    said = codex.run(*ASK, "Say hello")

    codex.calls(1)
    (session,) = codex.sessions()
    assert (session.source, session.external_id) == ("session-id", thread_of(said))


def test_lists_of_models_and_plugins_are_not_recorded(start):
    codex = start(CODEX_API_KEY=KEY)

    codex.run(*ASK, "Say hello")

    assert [row["host"] for row in codex.calls(1)] == ["api.openai.com"]
    assert any(asked.startswith("chatgpt.com/backend-api/codex/models") for asked in codex.asked)


@pytest.fixture
def plain(start):
    """Codex where something on the way has no WebSockets."""
    return start(CODEX_API_KEY=KEY, websockets=False)


def test_without_websockets_it_asks_over_http_and_all_is_read(plain):
    said = plain.run(*ASK, "Say hello to llmproxy")

    refused, row = plain.calls(2)
    used = event_of(said, "turn.completed")["usage"]
    assert (refused["state"], refused["status"]) == ("failed", 426)
    assert (row["provider"], row["wire"]) == ("openai", "openai.responses")
    assert (row["state"], row["status"], row["stream"]) == ("complete", 200, True)
    assert row["model"] == json.loads(plain.generations()[0].body)["model"]
    assert row["preview"] == "Say hello to llmproxy"
    assert plain.show(row)["response"]["text"] == words_of(said)
    assert row["input_tokens"] == used["input_tokens"]
    assert row["cached_tokens"] == used["cached_input_tokens"]
    assert row["output_tokens"] == used["output_tokens"]
    assert row["reasoning_tokens"] == used["reasoning_output_tokens"]
    assert float(row["cost_usd"]) > 0
    plain.assert_untouched([row])
    plain.assert_key_is_nowhere()


def test_a_tool_runs_between_two_calls_of_one_session(plain):
    said = plain.run(*ASK, f"Please call exec with {SCRIPT}")

    _, first, second = plain.calls(3)
    (call,) = plain.show(first)["tool_calls"]
    assert (call["name"], call["arguments"]) == ("exec", SCRIPT)
    assert second["preview"].startswith("Script completed")
    assert [node.relation for node in plain.tree()[1:]] == ["root", "append"]
    assert plain.show(second)["response"]["text"] == words_of(said)
    plain.assert_untouched([first, second])
    (session,) = plain.sessions()
    assert (session.external_id, session.requests) == (thread_of(said), 3)
    assert session.title.startswith("Please call exec")


def test_a_thread_that_is_resumed_is_one_session_and_a_new_one_is_another(plain):
    first = plain.run(*ASK, "Say hello")
    again = plain.run(*ASK, "resume", "--last", "And again")
    other = plain.run(*ASK, "Something else")

    rows = [row for row in plain.calls(6) if row["method"] == "POST"]
    assert thread_of(first) == thread_of(again) != thread_of(other)
    assert rows[0]["session_id"] == rows[1]["session_id"] != rows[2]["session_id"]
    assert rows[1]["n_messages"] > rows[0]["n_messages"]
