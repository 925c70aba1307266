"""Values that keep to a JSON Schema, and what is wrong with those that do not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.success.schema import problem

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(
    [
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "items",
        "anyOf",
        "oneOf",
        "not",
        "$ref",
        "pattern",
        "minLength",
        "maximum",
        "multipleOf",
        "uniqueItems",
        "if",
        "patternProperties",
        "prefixItems",
        "contains",
    ]
)

RIGHT = [
    ({"type": "string"}, "a"),
    ({"type": "STRING"}, "a"),
    ({"type": "string", "nullable": True}, None),
    ({"type": ["string", "null"]}, None),
    ({"type": "integer"}, 3.0),
    ({"type": "number"}, 3),
    ({"enum": [1, "a"]}, 1.0),
    ({"const": {"a": [1]}}, {"a": [1.0]}),
    ({"properties": {"a": {"type": "string"}}}, {"b": 1}),
    ({"items": {"type": "integer"}, "minItems": 1}, [1, 2]),
    ({"prefixItems": [{"type": "string"}], "items": False}, ["a"]),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 3),
    ({"pattern": "^a+$"}, "aaa"),
    ({"multipleOf": 0.1}, 0.3),
    ({"maxLength": 1}, "🦜"),
    ({"uniqueItems": True}, [1, True, "1"]),
    ({"format": "date"}, "no date"),
    (True, "anything"),
    ("no schema", "anything"),
]
WRONG = [
    ({"type": "string"}, 1, "$ is not of type string"),
    ({"type": "integer"}, True, "$ is not of type integer"),
    ({"enum": [1, "a"]}, True, "$ is none of the 2 values that it may have"),
    ({"required": ["a"]}, {}, "$.a is missing"),
    ({"additionalProperties": False}, {"a": 1}, "$.a must not be there"),
    ({"properties": {"a": {"minimum": 3}}}, {"a": 2}, "$.a is less than 3"),
    ({"items": {"type": "integer"}}, [1, "b"], "$[1] is not of type integer"),
    ({"prefixItems": [{}], "items": False}, [1, 2], "$[1] must not be there"),
    ({"maxLength": 2}, "abc", "$ has 3 and not 2 at most"),
    ({"minItems": 1}, [], "$ has 0 and not 1 at least"),
    ({"pattern": "^a+$"}, "b", "$ does not fit its pattern"),
    ({"oneOf": [{}, {"type": "string"}]}, "a", "$ is 2 of the things of which it should be one"),
    (
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        1,
        "$ is none of the 2 things that it may be",
    ),
    ({"not": {"type": "null"}}, None, "$ is what it must not be"),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, "$.b is missing"),
    ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], "$ holds the same twice"),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, "a", "$ is not of type integer"),
]


@pytest.mark.parametrize(("schema", "value"), RIGHT)
def test_what_keeps_to_its_schema_has_no_problem(schema, value):
    assert problem(schema, value) is None


@pytest.mark.parametrize(("schema", "value", "why"), WRONG)
def test_what_does_not_says_where_and_why(schema, value, why):
    assert problem(schema, value) == why


@given(st.dictionaries(WORDS, JSON, max_size=4), JSON)
def test_no_schema_makes_it_raise(schema, value):
    problem(schema, value)


@given(JSON)
def test_every_value_is_itself(value):
    assert problem({"const": value}, value) is None
    assert problem({"not": {"const": value}}, value) is not None


BOMBS = {
    "a schema that is within itself": ({"$ref": "#"}, 1),
    "branches that double": (
        {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}] * 2}}, "$ref": "#/$defs/a"},
        1,
    ),
    "a long enum for a long list": (
        {"items": {"enum": list(range(20_000))}},
        [19_999] * 20_000,
    ),
    "many patterns for a long text": ({"allOf": [{"pattern": "(a|b)*"}] * 5000}, "ab" * 100_000),
    "many names for many patterns": (
        {"patternProperties": {f"^{n}": {} for n in range(2000)}},
        {str(n): n for n in range(2000)},
    ),
    "constants of many values": (
        {"allOf": [{"const": list(range(10_000))}] * 1000},
        list(range(10_000)),
    ),
    "a reference out of the schema": ({"$ref": "https://example.com/schema"}, 1),
    "a reference to nothing": ({"$ref": "#/$defs/none"}, 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_takes_too_much_work_is_not_judged(name):
    schema, value = BOMBS[name]
    begun = time.process_time()
    assert problem(schema, value) is None
    assert time.process_time() - begun < 2
