"""Claude Code: Anthropic messages, a session id in a header, telemetry to the same host."""

import json

import pytest

from tests.clients.agent import KEY

pytestmark = pytest.mark.clients

ASK = ("claude", "-p", "--output-format", "json")


@pytest.fixture
def claude(start):
    return start(ANTHROPIC_API_KEY=KEY)


def test_a_question_is_one_call_with_what_claude_tells_of_it(claude):
    said = claude.run(*ASK, "Say hello to llmproxy").json

    (row,) = claude.calls(1)
    used = said["usage"]
    assert (row["provider"], row["wire"]) == ("anthropic", "anthropic.messages")
    assert (row["state"], row["status"], row["stream"]) == ("complete", 200, True)
    assert row["model"] == next(iter(said["modelUsage"]))
    assert row["preview"] == "Say hello to llmproxy"
    assert claude.show(row)["response"]["text"] == said["result"]
    assert row["input_tokens"] == used["input_tokens"] + used["cache_read_input_tokens"]
    assert row["cached_tokens"] == used["cache_read_input_tokens"]
    assert row["output_tokens"] == used["output_tokens"]
    assert float(row["cost_usd"]) == pytest.approx(said["total_cost_usd"])
    claude.assert_untouched([row])
    claude.assert_key_is_nowhere()


def test_telemetry_and_settings_on_the_same_host_are_not_recorded(claude):
    claude.run(*ASK, "Say hello")

    (row,) = claude.calls(1)
    assert row["path"].startswith("/v1/messages")
    assert any(path.startswith("api.anthropic.com/api/event_logging") for path in claude.asked)
    assert len(claude.asked) > 1


def test_a_tool_runs_between_two_calls_of_one_session(claude):
    arguments = {"command": "echo from-the-tool", "description": "Say it"}
    words = f"Please call Bash with {json.dumps(arguments)}"

    said = claude.run(*ASK, words, "--allowedTools", "Bash(echo:*)").json

    first, second = claude.calls(2)
    (call,) = claude.show(first)["tool_calls"]
    assert (call["name"], json.loads(call["arguments"])) == ("Bash", arguments)
    assert first["finish_reasons"] == ["tool_use"]
    assert second["preview"] == "from-the-tool"
    assert claude.show(second)["response"]["text"] == said["result"]
    claude.assert_untouched([first, second])
    (session,) = claude.sessions()
    assert (session.source, session.external_id) == (
        "x-claude-code-session-id",
        said["session_id"],
    )
    assert (session.requests, session.title) == (2, words[: len(session.title)])


def test_a_sub_agent_belongs_to_the_session_that_called_it(claude):
    arguments = {
        "description": "Greet",
        "prompt": "Say hello to everybody",
        "subagent_type": "general-purpose",
        "run_in_background": False,
    }

    said = claude.run(*ASK, f"Please call Agent with {json.dumps(arguments)}").json

    rows = claude.calls(3)
    assert rows[1]["preview"] == "Say hello to everybody"
    (call,) = claude.show(rows[0])["tool_calls"]
    nodes = claude.tree()
    assert [node.relation for node in nodes] == ["root", "subagent", "append"]
    assert [node.parent_id for node in nodes] == [None, nodes[0].id, nodes[0].id]
    assert nodes[1].parent_call == call["call_id"]
    (session,) = claude.sessions()
    assert (session.external_id, session.requests) == (said["session_id"], 3)
    assert float(session.cost_usd) == pytest.approx(said["total_cost_usd"])


def test_a_conversation_that_is_continued_is_one_session_and_a_new_one_is_another(claude):
    first = claude.run(*ASK, "Say hello").json
    again = claude.run(*ASK, "--continue", "And again").json
    other = claude.run(*ASK, "Something else").json

    rows = claude.calls(3)
    assert first["session_id"] == again["session_id"] != other["session_id"]
    assert rows[0]["session_id"] == rows[1]["session_id"] != rows[2]["session_id"]
    assert rows[1]["n_messages"] > rows[0]["n_messages"]


def test_a_refusal_of_the_provider_is_shown_by_claude_and_stored_as_failed(start):
    claude = start(ANTHROPIC_API_KEY=KEY, ANTHROPIC_CUSTOM_HEADERS="x-simulate: status=400")

    with pytest.raises(AssertionError, match="Simulated 400"):
        claude.run(*ASK, "Say hello")

    (row,) = claude.calls(1)
    assert (row["state"], row["status"]) == ("failed", 400)
    assert (row["error_type"], row["error"]) == ("invalid_request_error", "Simulated 400.")
