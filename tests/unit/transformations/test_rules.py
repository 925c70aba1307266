"""Which rules apply, in which order, and what becomes of one that cannot be done."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.errors import ConfigError
from llmproxy_core.namespace.outgoing import edited
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.transformations.rules import Rules

BODY = b'{"model": "m", "system": "S", "messages": [{"role": "user", "content": "x"}]}'


def rule(
    name: str, when: str = "true", *logic: dict[str, Any], **more: Any
) -> TransformationConfig:
    operations = [*logic] or [{"op": "append_system", "text": name}]
    table = {"name": name, "when": when, "logic": operations, **more}
    return TransformationConfig.model_validate(table)


def system(rules: Rules, **facts: Any) -> str:
    made = rules.apply("anthropic.messages", "/v1", [], BODY, facts)
    assert edited(BODY, made.edits) == made.body
    return str(json.loads(made.body)["system"])


def test_the_lowest_order_comes_first_and_then_the_name():
    rules = Rules.of([rule("b"), rule("c", order=-1), rule("a"), rule("off", active=False)])
    assert system(rules) == "S\n\nc\n\na\n\nb"


def test_only_those_apply_whose_condition_holds():
    rules = Rules.of(
        [
            rule("1", 'pattern.name == "triage"'),
            rule("2", 'pattern.name in ["triage", "x"] and model == "m"'),
            rule("3", 'not (model == "m")'),
            rule("4", 'model.startsWith("m")'),
            rule("5", 'namespace == "pay" or wire == "anthropic.messages"'),
            rule("6", 'gen_ai.request.model == "m"'),
        ]
    )
    facts = {"pattern.name": "triage", "model": "m", "namespace": "x"}

    assert system(rules, **facts) == "S\n\n1\n\n2\n\n4\n\n5\n\n6"
    assert system(rules) == "S\n\n3\n\n5"
    assert rules.asked >= {"pattern.name", "model", "namespace", "wire"}


NAMES = st.sampled_from(["a", "b", "c"])
CONDITIONS = st.one_of(
    NAMES.map('model == "{}"'.format),
    NAMES.map('namespace == "{}" and model != "a"'.format),
    NAMES.map('pattern.id in ["{}", "b"]'.format),
    NAMES.map('not (model == "{}")'.format),
    NAMES.map('model == "{}" or namespace == "b"'.format),
    NAMES.map('model != "{}" and time.hour < 2'.format),
    NAMES.map('model.startsWith("{}") and request.bytes < 2'.format),
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "model": NAMES | st.none() | st.text("a", min_size=2000, max_size=2001),
        "namespace": NAMES,
        "pattern.id": NAMES,
        "time.hour": st.integers(0, 3),
        "request.bytes": st.integers(0, 3),
    },
)


@given(st.lists(CONDITIONS, max_size=6), st.lists(FACTS, max_size=6))
def test_looking_rules_up_finds_all_that_apply(conditions, calls):
    rules = Rules.of(rule(f"r{number}", when) for number, when in enumerate(conditions))
    for facts in calls:
        found = rules.matching("openai.chat", facts)
        assert found == [one for one in rules.all if one.expression.holds(facts)]


def test_a_rule_that_cannot_be_done_leaves_no_trace_and_stops_no_other():
    failing: list[dict[str, Any]] = [
        {"op": "append_system", "text": "half"},
        {"op": "cache_breakpoint", "at": 9},
    ]
    rules = Rules.of([rule("1"), rule("2", "true", *failing), rule("3")])
    made = rules.apply("anthropic.messages", "/v1", [], BODY, {})

    assert json.loads(made.body)["system"] == "S\n\n1\n\n3"
    assert made.done == ("1", "3")
    assert [(one.name, one.reason) for one in made.left] == [("2", "elsewhere")]


def test_a_rule_for_another_format_is_not_tried():
    only_claude = rule("1", "true", {"op": "cache_breakpoint", "at": "system"})
    made = Rules.of([only_claude]).apply("openai.chat", "/v1", [], BODY, {})

    assert (made.body, made.done, made.left) == (BODY, (), ())


def test_without_rules_nothing_is_read():
    made = Rules().apply("openai.chat", "/v1", [], b"no json", {})
    assert made.body == b"no json"
    assert not Rules()


def test_a_rule_that_can_be_done_nowhere_is_an_error_on_load():
    with pytest.raises(ConfigError, match="transformation x: "):
        Rules.of([rule("x", 'wire == "openai.embeddings"')])


def test_a_bad_rule_does_not_stop_good_ones():
    rules, problems = Rules.of_good([rule("x", 'wire == "openai.embeddings"'), rule("good")])
    assert system(rules) == "S\n\ngood"
    assert len(problems) == 1


def test_every_turn_begins_with_the_bytes_of_the_turn_before():
    rules = Rules.of(
        [
            rule("1"),
            rule(
                "2", "true", {"op": "replace_text", "role": "user", "find": "x", "replacement": "y"}
            ),
            rule(
                "3",
                "true",
                {"op": "replace_text", "role": "assistant", "find": "a", "replacement": "b"},
            ),
        ]
    )
    turns: list[dict[str, str]] = []
    before = b""
    for number in range(10):
        turns.append({"role": "user", "content": f"x{number}"})
        body = json.dumps({"system": "S", "messages": turns}).encode()
        made = rules.apply("anthropic.messages", "/v1", [], body, {}).body
        assert made.startswith(before)
        before = made[:-2]
        turns.append({"role": "assistant", "content": f"a{number}"})
