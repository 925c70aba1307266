"""The edits of all rules, read and done by `transformations` on requests."""

import json
from typing import Any

import pytest

from llmproxy_core.enhancements import Exemplar, built_in
from llmproxy_core.enhancements.feasible import check
from llmproxy_core.model import Usage
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.transformations.applying import apply
from tests.unit.enhancements.made import call, calls, evidence, some

SENTENCE = "Never promise a refund before the order has been checked."
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
SYSTEM = f"You help.\n- {SENTENCE}\n- Be kind.\n- {SENTENCE}"


def tool(name: str) -> dict[str, Any]:
    return {"name": name, "description": "d" * 50, "input_schema": {"type": "object"}}


REQUEST = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 300,
    "temperature": 1,
    "system": SYSTEM,
    "tools": [tool("search"), tool("weather")],
    "messages": [{"role": "user", "content": "Where is my order?"}],
}


def done(edit: Any, request: dict[str, Any], wire: str = "anthropic.messages") -> dict[str, Any]:
    applied = apply(wire, "/v1/messages", [], json.dumps(request).encode(), read_operations(edit))
    assert applied.left == ""
    changed: dict[str, Any] = json.loads(applied.body)
    return changed


def chosen(name: str, observed: Any, **fields: Any) -> Any:
    suggestions, _ = built_in(evidence(observed, **fields), check)
    (edit,) = [one.edit for one in suggestions if one.source_engine == f"built-in:{name}"]
    return edit


def test_a_cache_mark_is_set_behind_the_system_prompt():
    changed = done(chosen("cache_breakpoint", calls(100)), REQUEST)

    assert changed["system"][-1]["cache_control"] == {"type": "ephemeral"}


def test_two_cache_marks_are_set():
    observed = tuple(
        call(n, 30, conversation=f"c{n // 20}", usage=Usage(3000 + 2000 * (n % 20), 300))
        for n in range(200)
    )

    changed = done(chosen("cache_breakpoint", observed), REQUEST)

    assert changed["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_a_cache_mark_is_for_the_wires_that_have_them():
    others = calls(50, wire="openai.chat", provider="openai", model="gpt-4o")
    (one,), _ = built_in(evidence(calls(100) + others), check)

    assert one.wires == ("anthropic.messages",)


def test_a_limit_is_raised():
    observed = calls(
        60, usage=Usage(9, 300), bad=frozenset({"truncated"}), parameters={"max_tokens": 300}
    )

    assert done(chosen("truncation", observed), REQUEST)["max_tokens"] == 640


def test_a_limit_that_is_high_enough_stays():
    observed = calls(
        60, usage=Usage(9, 300), bad=frozenset({"truncated"}), parameters={"max_tokens": 300}
    )
    roomy = {**REQUEST, "max_tokens": 9000}

    assert done(chosen("truncation", observed), roomy) == roomy


def test_tools_are_left_out():
    observed = calls(200, declared=("search", "weather"), called=frozenset({"search"}))

    changed = done(chosen("unused_tools", observed, tools={"weather": 500}), REQUEST)

    assert [one["name"] for one in changed["tools"]] == ["search"]


def test_a_sentence_is_said_once():
    exemplars = tuple(Exemplar(str(n), SYSTEM, "x") for n in range(6))

    changed = done(chosen("duplicate_instructions", calls(100), exemplars=exemplars), REQUEST)

    assert changed["system"] == f"You help.\n- {SENTENCE}\n- Be kind."


def test_a_clock_loses_its_hands():
    rules = "Look at the rules of the shop before you answer, and never at the clock. " * 80
    times = [f"2026-03-02T09:{n}:07Z" for n in range(10, 18)]
    exemplars = tuple(Exemplar(time, f"It is {time}. {rules}") for time in times)
    observed = tuple(call(n, prefix=f"p{n}") for n in range(200))

    edit = chosen("volatile_prefix", observed, exemplars=exemplars)

    changed = done(edit, {**REQUEST, "system": exemplars[0].system})
    assert changed["system"] == f"It is 2026-03-02. {rules}"


def test_a_schema_is_enforced():
    observed = some(calls(200, wanted="schema"), 60, bad=frozenset({"format"}))

    edit = chosen("violated_schema", observed, schema=SCHEMA)

    assert edit[0]["op"] == "response_format"
    assert "output_config" in done(edit, REQUEST) or "output_format" in done(edit, REQUEST)


def test_where_json_cannot_be_a_parameter_words_have_to_do():
    observed = some(calls(200, is_json=True), 60, is_json=False)
    speaking = tuple(Exemplar(str(n), "Answer with JSON.", "x") for n in range(3))

    edit = chosen("violated_schema", observed, exemplars=speaking)

    assert edit[0]["op"] == "append_system"
    assert done(edit, REQUEST)["system"].startswith(SYSTEM)


def test_a_temperature_is_lowered():
    hot = some(calls(100, parameters={"temperature": 1}), 40, bad=frozenset({"format"}))
    cold = calls(100, parameters={"temperature": 0.2})

    edit = chosen("temperature", hot + cold, type="extraction")

    assert done(edit, REQUEST)["temperature"] == 0.2


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        ([{"op": "cache_breakpoint", "at": "system"}], "has no cache breakpoints"),
        ([{"op": "explode"}], "logic"),
        ([{"op": "append_system"}], "text"),
        ([], "logic"),
    ],
)
def test_what_cannot_be_done_is_told(edit, why):
    assert why in (check(edit, ["anthropic.messages", "openai.chat"]) or "")


def test_what_can_be_done_is_fine():
    edit = [{"op": "append_system", "text": "Be kind."}]

    assert check(edit, ["anthropic.messages", "openai.chat", "bedrock.converse"]) is None


def test_wires_that_nobody_knows_can_only_have_pointers():
    assert check([{"op": "append_system", "text": "x"}], ["odd.wire"]) is not None
