"""Calls of tools that there are not, or with arguments that they do not take."""

import pytest

from llmproxy_core.success.demands import tool_schemas
from llmproxy_core.success.tool_calls import tool_calls
from tests.unit.success.exchanges import asked_for, call

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
USER = [{"role": "user", "content": "Rain in Oslo?"}]


def judged(answer, tools=(FUNCTION,)):
    return tool_calls(call("openai.chat", {"messages": USER, "tools": list(tools)}, answer))


def test_a_call_that_the_tool_takes_is_good():
    signal = judged(asked_for("weather", '{"city": "Oslo"}'))
    assert signal is not None
    assert signal.verdict == "good"


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("wether", "{}", "there is no tool 'wether'"),
        ("weather", "{}", "weather: $.city is missing"),
        ("weather", '{"city": 3}', "weather: $.city is not of type string"),
        ("weather", '["Oslo"]', "weather: the arguments are no object"),
        ("weather", "", "weather: $.city is missing"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(name, arguments, why):
    signal = judged(asked_for(name, arguments))
    assert signal is not None
    assert (signal.verdict, signal.why) == ("bad", why)


def test_arguments_that_are_no_json_are_wrong():
    signal = judged(asked_for("weather", '{"city": "Os'))
    assert signal is not None
    assert signal.why.startswith("weather: the arguments are not JSON")


def test_a_tool_that_takes_any_text_has_no_arguments_to_be_wrong():
    custom = {"type": "custom", "custom": {"name": "patch"}}
    signal = judged(asked_for("patch", "*** Begin Patch"), (custom,))
    assert signal is not None
    assert signal.verdict == "good"


def test_an_answer_without_calls_says_nothing():
    assert judged({"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}) is None


def test_a_call_that_was_cut_is_not_judged():
    answer = asked_for("weather", '{"ci')
    answer["choices"][0]["finish_reason"] = "length"
    assert judged(answer) is None


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("openai.chat", {"tools": [FUNCTION]}),
        ("openai.chat", {"functions": [{"name": "weather", "parameters": SCHEMA}]}),
        ("openai.responses", {"tools": [{"name": "weather", "parameters": SCHEMA}]}),
        (
            "openai.responses",
            {"input": [{"tools": [{"tools": [{"name": "weather", "parameters": SCHEMA}]}]}]},
        ),
        ("anthropic.messages", {"tools": [{"name": "weather", "input_schema": SCHEMA}]}),
        (
            "gemini",
            {"tools": [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}]},
        ),
        (
            "bedrock.converse",
            {
                "toolConfig": {
                    "tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]
                }
            },
        ),
        (
            "openai.realtime",
            {
                "frames": [
                    {
                        "from": "client",
                        "data": {"session": {"tools": [{"name": "weather", "parameters": SCHEMA}]}},
                    }
                ]
            },
        ),
    ],
)
def test_schemas_of_tools_are_found_wherever_a_wire_has_them(wire, body):
    assert tool_schemas(wire, body) == {"weather": SCHEMA}


@pytest.mark.parametrize(
    "value", [None, "weather", [None, 3, {"name": 3}, []], {"name": "weather"}]
)
def test_strange_lists_of_tools_hold_none(value):
    assert tool_schemas("openai.chat", {"tools": value}) == {}
