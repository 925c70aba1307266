"""Agents in a namespace with a prefix, before a provider that takes nothing else: all is as ever."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.agent import KEY, Agent, Said
from tests.clients.test_codex import SCRIPT, event_of, words_of

pytestmark = pytest.mark.clients

MCP_SERVER = Path(__file__).with_name("mcp_server.py")
PREFIX = "pay__"
CONFIG = """
[[namespaces]]
name = "agents"
prefix = "pay__"
match = { user_agent = ["claude-cli/*", "codex*", "GeminiCLI*"] }
"""
CLAUDE = ("claude", "-p", "--output-format", "json")
CODEX = ("codex", "exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access")
GEMINI = ("gemini", "--skip-trust", "--output-format", "json", "--yolo", "-p")


def called(agent: Agent, row: dict[str, Any]) -> list[tuple[str, str]]:
    """The tools that an answer calls, as they are stored, with their arguments."""
    return [(call["name"], call["arguments"]) for call in agent.show(row)["tool_calls"]]


def assert_nothing_shows(agent: Agent, said: Said, prefix: str = PREFIX) -> None:
    """No request was refused, and the agent does not know of the prefix."""
    assert prefix not in said.text + said.errors
    refused = [seen for seen in agent.provider.seen if seen.status not in (101, 200, 404, 426)]
    assert not refused


@pytest.fixture
def claude(start):
    return start(prefix=PREFIX, config=CONFIG, ANTHROPIC_API_KEY=KEY)


def test_claude_code_runs_its_tool_and_goes_on_later(claude):
    arguments = {"command": "echo from-the-tool", "description": "Say it"}
    words = f"Please call Bash with {json.dumps(arguments)}"

    said = claude.run(*CLAUDE, words, "--allowedTools", "Bash(echo:*)")
    again = claude.run(*CLAUDE, "--continue", words, "--allowedTools", "Bash(echo:*)")

    rows = claude.calls(4)
    for first, second in (rows[:2], rows[2:]):
        ((name, given),) = called(claude, first)
        assert (name, json.loads(given)) == ("pay__Bash", arguments)
        assert second["preview"] == "from-the-tool"
    assert claude.show(rows[1])["response"]["text"] == said.json["result"]
    assert [claude.body(row, "request") for row in rows] == [
        seen.body for seen in claude.generations()
    ]
    assert all(row["request_changed"] for row in rows)
    assert [row["response_changed"] for row in rows] == [True, False, True, False]
    for one in (said, again):
        assert_nothing_shows(claude, one)
    (session,) = claude.sessions()
    assert (session.external_id, session.requests) == (said.json["session_id"], 4)


def test_claude_code_has_its_sub_agents(claude):
    arguments = {
        "description": "Greet",
        "prompt": "Say hello to everybody",
        "subagent_type": "general-purpose",
        "run_in_background": False,
    }

    said = claude.run(*CLAUDE, f"Please call Agent with {json.dumps(arguments)}")

    rows = claude.calls(3)
    assert [name for name, _ in called(claude, rows[0])] == ["pay__Agent"]
    assert [node.relation for node in claude.tree()] == ["root", "subagent", "append"]
    assert_nothing_shows(claude, said)


def test_claude_code_calls_tools_side_by_side(claude):
    one, two = ({"command": f"echo {n}", "description": n} for n in ("first", "second"))
    words = f"call Bash with {json.dumps(one)} and call Bash with {json.dumps(two)}"

    said = claude.run(*CLAUDE, words, "--allowedTools", "Bash(echo:*)")

    first, second = claude.calls(2)
    assert [name for name, _ in called(claude, first)] == ["pay__Bash"] * 2
    sent = claude.body(second, "request")
    assert sent.count(b'"type":"tool_result"') == 2
    assert_nothing_shows(claude, said)


def test_codex_runs_its_tool_over_http(start):
    codex = start(prefix=PREFIX, config=CONFIG, websockets=False, CODEX_API_KEY=KEY)

    said = codex.run(*CODEX, f"Please call exec with {SCRIPT}")

    _, first, second = codex.calls(3)
    assert called(codex, first) == [("pay__exec", SCRIPT)]
    assert second["preview"].startswith("Script completed")
    assert codex.show(second)["response"]["text"] == words_of(said)
    assert_nothing_shows(codex, said)


def test_codex_runs_its_tool_over_a_websocket(start):
    codex = start(prefix=PREFIX, config=CONFIG, CODEX_API_KEY=KEY)

    said = codex.run(*CODEX, f"Please call exec with {SCRIPT}")

    first, second = codex.calls(2)
    assert called(codex, first) == [("pay__exec", SCRIPT)]
    assert codex.show(second)["response"]["text"] == words_of(said)
    assert event_of(said, "turn.completed")["usage"]
    assert_nothing_shows(codex, said)


def test_gemini_cli_runs_its_tool(start):
    gemini = start(prefix=PREFIX, config=CONFIG, GEMINI_API_KEY=KEY)
    arguments = {"command": "echo from-the-tool"}

    said = gemini.run(*GEMINI, f"Please call run_shell_command with {json.dumps(arguments)}")

    _, first, second = gemini.calls(3)
    ((name, given),) = called(gemini, first)
    assert (name, json.loads(given)) == ("pay__run_shell_command", arguments)
    assert "from-the-tool" in second["preview"]
    assert gemini.show(second)["response"]["text"] == said.json["response"]
    assert_nothing_shows(gemini, said)


def test_claude_code_finds_and_runs_tools_of_mcp_whose_names_are_too_long(start):
    """It looks for them first: what it found is named in `tool_reference`, and offered later."""
    prefix = "the_payments_team_of_the_shop__"
    claude = start(prefix=prefix, config=CONFIG.replace("pay__", prefix), ANTHROPIC_API_KEY=KEY)
    tool = "look_up_" + "very_long_" * 9 + "name"
    name = f"mcp__shop__{tool}"
    server = {"command": sys.executable, "args": [str(MCP_SERVER), "find", tool]}
    servers = json.dumps({"mcpServers": {"shop": server}})
    more = ("--mcp-config", servers, "--allowedTools", "mcp__shop__find", name)

    search = json.dumps({"query": f"select:mcp__shop__find,{name}"})
    found = claude.run(*CLAUDE, f"call ToolSearch with {search}", *more)
    offered = [tool["name"] for tool in json.loads(claude.generations()[-1].body)["tools"]]
    sent = next(one for one in offered if one.startswith(f"{prefix}mcp__shop__look_up"))
    number = offered.index(sent) + 1  # the model knows the tool by another name than we do
    ran = claude.run(*CLAUDE, "--continue", f'call #{number} with {{"q": "x"}}', *more)

    rows = claude.calls(4)
    assert called(claude, rows[2]) == [(sent, '{"q": "x"}')]
    assert len(sent) == 128
    assert rows[2]["namespace"] == "agents"
    assert (rows[2]["tool_names"], rows[2]["client_tool_names"]) == ([sent], [name])
    body = json.loads(claude.body(rows[3], "request"))
    blocks = [b for m in body["messages"] if isinstance(m["content"], list) for b in m["content"]]
    results = [block["content"] for block in blocks if block["type"] == "tool_result"]
    assert [one["tool_name"] for one in results[0]] == [f"{prefix}mcp__shop__find", sent]
    assert results[1][0]["text"] == f'{tool} was given {{"q": "x"}}'
    for said in (found, ran):
        assert_nothing_shows(claude, said, prefix)


@pytest.mark.parametrize("websockets", [False, True], ids=["http", "websocket"])
def test_codex_resumes_a_thread_with_its_tools(start, websockets):
    codex = start(prefix=PREFIX, config=CONFIG, websockets=websockets, CODEX_API_KEY=KEY)

    first = codex.run(*CODEX, f"Please call exec with {SCRIPT}")
    again = codex.run(*CODEX, "resume", "--last", f"Please call exec with {SCRIPT}")

    rows = [row for row in codex.calls(4 if websockets else 6) if row["status"] != 426]
    assert [called(codex, row) for row in rows] == [[("pay__exec", SCRIPT)], []] * 2
    for said in (first, again):
        assert_nothing_shows(codex, said)
        assert event_of(said, "turn.completed")["usage"]
