"""Tools are taken out of an offer, and put in."""

from typing import Any

import pytest

from llmproxy_core.providers.formats import read_request
from tests.unit.transformations.done import FEW_SHOT, applied, done, left

ADD = {"op": "add_tools", "tools": [{"name": "new", "description": "D"}]}
DROP = {"op": "drop_tools", "names": ["old*"]}


@pytest.mark.parametrize(
    "wire",
    [
        *("openai.chat", "openai.responses", "anthropic.messages", "gemini"),
        *("bedrock.converse", "ollama.chat", "cohere.chat"),
    ],
)
def test_what_is_added_our_own_reader_finds_and_what_is_dropped_it_does_not(wire):
    body: dict[str, Any] = {"messages": [], "contents": []}
    made = applied(wire, body, ADD)
    request, _ = read_request(wire, "/v1/x", [], made.body)

    assert [tool.name for tool in request.tools] == ["new"]
    assert not applied(wire, made.body, ADD).edits
    gone = applied(wire, made.body, {"op": "drop_tools", "names": "new"})
    assert read_request(wire, "/v1/x", [], gone.body)[0].tools == []
    assert gone.notes == ["without new"]


def test_tools_are_dropped_behind_what_other_operations_have_moved():
    body = {
        "input": [{"type": "additional_tools", "tools": [{"type": "function", "name": "old"}]}, {}],
        "tools": [{"type": "function", "name": f"old{n}"} for n in range(3)]
        + [{"type": "function", "name": "kept"}],
    }
    after = done("openai.responses", body, FEW_SHOT, ADD, DROP)

    assert [one["name"] for one in after["tools"]] == ["kept", "new"]
    assert [one.get("content") for one in after["input"]] == ["1+1", "2", None]


def test_declarations_join_those_that_are_there():
    body = {"tools": [{"googleSearch": {}}, {"function_declarations": [{"name": "a"}]}]}
    after = done("gemini", body, ADD)

    assert [one["name"] for one in after["tools"][1]["function_declarations"]] == ["a", "new"]


def test_a_choice_of_what_is_gone_goes_as_well():
    tool = {"type": "function", "function": {"name": "old"}}
    body = {"tools": [tool], "tool_choice": tool, "n": 1}
    assert done("openai.chat", body, DROP) == {"n": 1}


def test_formats_without_tools_and_sessions_that_offer_none_are_left_alone():
    assert left("ollama.generate", {}, ADD) == "elsewhere"
    assert left("cohere.chat", {"message": "x"}, ADD) == "elsewhere"
    assert left("openai.realtime", {"session": {}}, ADD) == ""
    assert left("gemini", {"cachedContent": "x"}, ADD) == "elsewhere"
