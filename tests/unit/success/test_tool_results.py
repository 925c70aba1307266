"""Whether the tools did what they were called for, as the next turn tells."""

import pytest

from llmproxy_core.success.tool_results import tool_result
from tests.unit.success.exchanges import call, completion, id_of

ASKED = {"role": "user", "content": "Rain in Oslo?"}
CALLED = {
    "role": "assistant",
    "tool_calls": [{"id": "t1", "function": {"name": "weather", "arguments": "{}"}}],
}


def told(*texts, relation="append"):
    results = [{"role": "tool", "tool_call_id": f"t{n}", "content": t} for n, t in enumerate(texts)]
    request = {"messages": [ASKED, CALLED, *results]}
    next_turn = call(
        "openai.chat", request, completion("No."), number=2, parent=1, relation=relation
    )
    return tool_result(next_turn)


@pytest.mark.parametrize(
    "text",
    [
        "Error: no such city",
        "error executing tool: timeout",
        "Traceback (most recent call last):\n  File",
        "ValueError: no such city",
        "1 validation error:\n```json",
        "Tool weather not found",
        '{"error": "no such city"}',
        '{"isError": true, "content": []}',
        '{"success": false}',
        '{"output": "Error: no such city"}',
        "The user doesn't want to proceed with this tool use.",
    ],
)
def test_words_of_a_failure_are_bad(text):
    signal = told(text)
    assert signal is not None
    assert (signal.request, signal.by, signal.verdict) == (id_of(1), id_of(2), "bad")
    assert signal.weight >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "4 °C, rain",
        "",
        "Errors in physics are of two kinds.",
        '{"error": null, "rain": true}',
        '{"errors": 0}',
        "exit code: 0\nfine",
        '{"exit_code": 0}',
        '{"output": "4 °C", "metadata": {"exit_code": 0}}',
        "The error rate was 3 %.",
        "{broken",
    ],
)
def test_other_results_are_good(text):
    signal = told(text)
    assert signal is not None
    assert signal.verdict == "good"


@pytest.mark.parametrize("text", ["Exit code 1\n", '{"metadata": {"exit_code": 2}}'])
def test_an_exit_code_says_little(text):
    signal = told(text)
    assert signal is not None
    assert signal.verdict == "bad"
    assert signal.weight < 0.5


def test_one_failure_of_several_is_enough():
    signal = told("4 °C", "Error: no such city")
    assert signal is not None
    assert signal.verdict == "bad"


def test_a_repeated_turn_says_nothing_of_its_tools():
    assert told("Error: no", relation="retry") is None


def test_an_answer_that_called_no_tool_is_not_judged():
    request = {"messages": [ASKED, {"role": "assistant", "content": "Yes."}, ASKED]}
    assert tool_result(call("openai.chat", request, parent=1, relation="append")) is None


def anthropic(is_error):
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "x", "is_error": is_error}
    used = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    return {
        "messages": [
            ASKED,
            {"role": "assistant", "content": [used]},
            {"role": "user", "content": [result]},
        ]
    }


def bedrock(is_error):
    status = "error" if is_error else "success"
    result = {"toolUseId": "t1", "content": [{"text": "x"}], "status": status}
    used = {"toolUseId": "t1", "name": "weather", "input": {}}
    return {
        "messages": [
            {"role": "user", "content": [{"text": "Rain?"}]},
            {"role": "assistant", "content": [{"toolUse": used}]},
            {"role": "user", "content": [{"toolResult": result}]},
        ]
    }


@pytest.mark.parametrize(
    ("wire", "request_of"), [("anthropic.messages", anthropic), ("bedrock.converse", bedrock)]
)
@pytest.mark.parametrize("is_error", [True, False])
def test_fields_for_failures_are_read(wire, request_of, is_error):
    signal = tool_result(call(wire, request_of(is_error), parent=1, relation="append"))
    assert signal is not None
    assert signal.verdict == ("bad" if is_error else "good")
