"""Gemini CLI: a small model chooses the large one that answers; no session id on the wire."""

import json

import pytest

from tests.clients.agent import KEY

pytestmark = pytest.mark.clients

ASK = ("gemini", "--skip-trust", "--output-format", "json")


@pytest.fixture
def gemini(start):
    return start(GEMINI_API_KEY=KEY)


def test_a_question_is_two_calls_with_what_gemini_tells_of_them(gemini):
    said = gemini.run(*ASK, "-p", "Say hello to llmproxy").json

    router, row = gemini.calls(2)
    assert {(call["provider"], call["wire"]) for call in (router, row)} == {("google", "gemini")}
    assert [(call["state"], call["status"]) for call in (router, row)] == [("complete", 200)] * 2
    assert (router["stream"], row["stream"]) == (False, True)
    assert row["preview"] == "Say hello to llmproxy"
    assert gemini.show(row)["response"]["text"] == said["response"]
    for call in (router, row):
        used = said["stats"]["models"][call["model"]]["tokens"]
        assert call["input_tokens"] == used["prompt"]
        assert (call["cached_tokens"] or 0) == used["cached"]
        assert call["output_tokens"] == used["candidates"] + used["thoughts"]
        assert call["reasoning_tokens"] == used["thoughts"]
        assert float(call["cost_usd"]) > 0
    gemini.assert_untouched([router, row])
    gemini.assert_key_is_nowhere()


def test_a_tool_runs_between_two_calls_of_one_session(gemini):
    arguments = {"command": "echo from-the-tool"}
    words = f"Please call run_shell_command with {json.dumps(arguments)}"

    said = gemini.run(*ASK, "--yolo", "-p", words).json

    _, first, second = gemini.calls(3)
    (call,) = gemini.show(first)["tool_calls"]
    assert (call["name"], json.loads(call["arguments"])) == ("run_shell_command", arguments)
    assert "from-the-tool" in second["preview"]
    assert gemini.show(second)["response"]["text"] == said["response"]
    assert [node.relation for node in gemini.tree()] == ["root", "root", "append"]
    (session,) = [one for one in gemini.sessions() if one.source == "messages"]
    assert session.requests == 2  # which model to take is no turn
    assert session.title == words[: len(session.title)]
