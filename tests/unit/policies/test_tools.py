"""Requests without the tools that a policy denies."""

import json
from typing import Any

import pytest

from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.whole import names_in
from llmproxy_core.policies.tools import Stripped, without_tools
from tests.unit.namespace.test_places import REQUESTS


def stripped(wire: str, request: Any, *denied: str) -> Stripped:
    return without_tools(wire, json.dumps(request).encode(), lambda name: name in denied)


def left(wire: str, request: Any, *denied: str) -> Any:
    made = stripped(wire, request, *denied)
    assert made.left == ""
    return json.loads(made.body)


def offered(wire: str, body: bytes) -> set[str]:
    """By the grammar of names of tools."""
    places = PLACES[wire]
    found = names_in(body, places.request, places.request_words)
    return {body[one.start : one.end].decode() for one in found if one.place.declares and one.holds}


def chosen(wire: str, body: bytes) -> set[str]:
    places = PLACES[wire]
    found = names_in(body, places.request, places.request_words)
    return {body[one.start : one.end].decode() for one in found}


@pytest.mark.parametrize(("wire", "request_"), REQUESTS)
def test_each_tool_that_a_format_can_offer_can_be_denied(wire: str, request_: Any):
    body = json.dumps(request_).encode()
    names = offered(wire, body)
    for name in names:
        made = stripped(wire, request_, name)
        assert name in made.names
        assert name not in offered(wire, made.body)
        assert offered(wire, made.body) >= names - {name}
    assert stripped(wire, request_, "nobody") == Stripped(body)


CHAT: dict[str, Any] = {
    "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "shell"}}]}],
    "tools": [
        {"type": "function", "function": {"name": "shell"}},
        {"type": "function", "function": {"name": "read"}},
    ],
}


def test_a_key_that_is_there_twice_and_a_batch_cannot_be_changed():
    body = b'{"tools": [{"function": {"name": "sh"}}], "tools": []}'
    assert without_tools("openai.chat", body, lambda _: True).left == "repeated"
    assert without_tools("gemini.batches", b"{}", lambda _: True).left == "batch"


def test_past_calls_and_other_bytes_stay():
    text = (
        b'{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"shell"}}]}],\n "tools":'
        b'[{"type":"function","function":{"name":"shell"}} , {"function": {"name":"read"}}]}'
    )
    made = without_tools("openai.chat", text, "shell".__eq__)
    gone = b'{"type":"function","function":{"name":"shell"}} , '
    assert made == Stripped(text.replace(gone, b""), ["shell"])


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        ({"type": "function", "function": {"name": "shell"}}, None),
        ({"type": "function", "function": {"name": "read"}}, "same"),
        ("shell", None),
        ("auto", "same"),
        ("required", "same"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": CHAT["tools"]}},
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": CHAT["tools"][1:]}},
        ),
        ({"type": "allowed_tools", "tools": CHAT["tools"][:1]}, None),
    ],
)  # fmt: skip
def test_a_choice_that_names_it_goes_with_it(choice: Any, after: Any):
    request = left("openai.chat", {**CHAT, "tool_choice": choice}, "shell")
    assert request.get("tool_choice") == (choice if after == "same" else after)
    assert request["tools"] == CHAT["tools"][1:]


def test_without_any_tool_nothing_is_said_of_tools():
    asked = {**CHAT, "tool_choice": "auto", "parallel_tool_calls": True}
    assert left("openai.chat", asked, "shell", "read") == {"messages": CHAT["messages"]}


TOOL_USE = [{"role": "assistant", "content": [{"type": "tool_use", "name": "shell", "id": "1"}]}]


def test_where_tools_were_called_claude_is_offered_one_that_does_nothing():
    asked = {"tools": [{"name": "shell"}], "tool_choice": {"type": "any"}, "messages": TOOL_USE}
    request = left("anthropic.messages", asked, "shell")
    assert [tool["name"] for tool in request["tools"]] == ["no_tool"]
    assert "tool_choice" not in request
    asked["messages"] = []
    assert left("anthropic.messages", asked, "shell") == {"messages": []}


def test_bedrock_needs_a_tool_where_tools_were_called():
    tools = [{"toolSpec": {"name": "shell"}}, {"systemTool": {"name": "nova_grounding"}}]
    called = [{"role": "assistant", "content": [{"toolUse": {"name": "shell"}}]}]
    asked = {"toolConfig": {"tools": tools, "toolChoice": {"tool": {"name": "shell"}}}}
    assert left("bedrock.converse", asked, "shell") == {"toolConfig": {"tools": tools[1:]}}
    assert left("bedrock.converse", asked, "shell", "nova_grounding") == {}
    request = left("bedrock.converse", {**asked, "messages": called}, "shell", "nova_grounding")
    assert [one["toolSpec"]["name"] for one in request["toolConfig"]["tools"]] == ["no_tool"]


def test_tools_of_google():
    declared = [{"name": "shell"}, {"name": "read"}]
    calling = {"mode": "ANY", "allowedFunctionNames": ["shell", "read"]}
    asked = {
        "tools": [{"functionDeclarations": declared, "codeExecution": {}}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": calling, "retrievalConfig": {}},
    }
    request = left("gemini", asked, "shell", "googleSearch")
    assert request["tools"] == [{"functionDeclarations": declared[1:], "codeExecution": {}}]
    assert request["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == ["read"]
    request = left("gemini", asked, "shell", "read")
    assert request["tools"] == [{"codeExecution": {}}, {"googleSearch": {}}]
    assert request["toolConfig"] == {"retrievalConfig": {}}
    request = left("gemini", asked, "shell", "read", "codeExecution", "googleSearch")
    assert request == {"toolConfig": {"retrievalConfig": {}}}
    assert left("gemini", {"tools": {"functionDeclarations": declared[0]}}, "shell") == {}


def test_tools_of_the_provider_and_of_servers():
    tools = [
        {"type": "web_search"},
        {"type": "mcp", "server_label": "shop", "server_url": "https://shop.test"},
        {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]},
    ]
    choice = {"type": "web_search"}
    request = left("openai.responses", {"tools": tools, "tool_choice": choice}, "web_search")
    assert request == {"tools": tools[1:]}
    assert left("openai.responses", {"tools": tools}, "shop") == {"tools": [tools[0], tools[2]]}
    for name in ("crm", "find"):
        assert left("openai.responses", {"tools": tools}, name) == {"tools": tools[:2]}
    bash = {"type": "bash_20250124", "name": "bash"}
    for name in ("bash", "bash_20250124"):
        made = stripped("anthropic.messages", {"tools": [bash, {"name": "read"}]}, name)
        assert (made.names, json.loads(made.body)) == (["bash"], {"tools": [{"name": "read"}]})


def test_tools_among_what_was_said():
    shell = {"type": "function", "name": "shell"}
    items: list[dict[str, Any]] = [
        {"type": "additional_tools", "tools": [shell]},
        {"type": "tool_search_output", "call_id": "1", "tools": [shell]},
        {"type": "message", "content": "Hi"},
    ]
    request = left("openai.responses", {"input": items, "tool_choice": "auto"}, "shell")
    assert request["input"] == [{**items[1], "tools": []}, items[2]]


def test_a_session_forgets_the_tools_that_it_was_offered():
    update = {"type": "session.update", "session": {"tools": [{"type": "function", "name": "x"}]}}
    assert left("openai.realtime", update, "x")["session"] == {"tools": []}


@pytest.mark.parametrize(
    "body", [b"no json", b'{"tools": [', b'{"tools": [{"name": "x"}], "tools": 1}']
)
def test_what_cannot_be_read_says_so(body: bytes):
    made = without_tools("openai.chat", body, "x".__eq__)
    assert made.body == body
    assert made.left == "unreadable" or made.names == []
