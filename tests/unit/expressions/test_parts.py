"""An expression is taken apart at its `and`s."""

import pytest

from llmproxy_core import expressions
from llmproxy_core.expressions.parts import parts
from llmproxy_core.expressions.triggers import SAME, VARIABLES

MODEL, WIRE, NAME = 'model == "a and b"', 'wire in ["x", "y"]', 'not (pattern.name == "c")'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MODEL, [MODEL]),
        (f"{MODEL} and {WIRE}", [MODEL, WIRE]),
        (f" ( {MODEL} &&\n{WIRE} ) and {NAME} ", [MODEL, WIRE, NAME]),
        (f"(({MODEL}))", [MODEL]),
        (f"({MODEL}) and ({WIRE})", [MODEL, WIRE]),
        (f"({MODEL} or {WIRE}) and {NAME}", [f"{MODEL} or {WIRE}", NAME]),
        (f"{MODEL} or {WIRE} and {NAME}", [f"{MODEL} or {WIRE} and {NAME}"]),
        (f"({MODEL}) or ({WIRE})", [f"({MODEL}) or ({WIRE})"]),
        ("model.startsWith('a') and (1 + 2) * 3 > 4", ["model.startsWith('a')", "(1 + 2) * 3 > 4"]),
        ("true", ["true"]),
    ],
)
def test_an_expression_holds_if_its_parts_do(text: str, found: list[str]) -> None:
    assert parts(text) == found
    for part in found:
        expressions.compile(part, VARIABLES, SAME)


def test_parentheses_as_deep_as_can_be_compiled_are_taken_off() -> None:
    deep = "(" * 30 + "true" + ")" * 30
    expressions.compile(deep, VARIABLES, SAME)
    assert parts(f"{deep} and {deep}") == ["true", "true"]
