import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core import expressions
from llmproxy_core.expressions.pinned import pinned
from llmproxy_core.expressions.variables import FAMILY

SECRET = 'finding.family == "secret"'


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (SECRET, {"secret"}),
        (f"{SECRET} and provider.name != 'ollama'", {"secret"}),
        (f'finding.score > 0.5 && ({SECRET} && model == "m")', {"secret"}),
        ('finding.family in ["pii", "secret"]', {"pii", "secret"}),
        ('finding.family in ["pii", "secret"] and finding.family == "pii"', {"pii"}),
        ('finding.family == "pii" and finding.family == "secret"', set()),
    ],
)
def test_a_conjunction_tells_which_values_it_wants(text, values):
    assert pinned(text, "finding.family") == values


@pytest.mark.parametrize(
    "text",
    [
        "finding.score > 0.5",
        f'{SECRET} or model == "m"',
        f"not ({SECRET})",
        f"!({SECRET})",
        f"({SECRET}) == false",
        'finding.family != "secret"',
        'finding.family not in ["secret"]',
        'model == "finding.family"',
        'finding.family == "secret" == has(tool)',
    ],
)
def test_all_else_may_hold_with_any_value(text):
    assert pinned(text, "finding.family") is None


PARTS = st.sampled_from(
    [
        SECRET,
        'finding.family == "pii"',
        'finding.family in ["pii", "jailbreak"]',
        'finding.family not in ["pii"]',
        'finding.family != "pii"',
        'model == "m"',
        "finding.score > 0.5",
        "has(tool)",
        "true",
    ]
)
EXPRESSIONS = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda one: f"({one[0]}) {one[1]} ({one[2]})"
        ),
        inner.map(lambda one: f"not ({one})"),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, st.booleans(), st.sampled_from(["m", None]), st.sampled_from([0.1, 0.9, None]))
def test_no_expression_holds_with_another_value(text, knows_tool, model, score):
    values = pinned(text, "finding.family")
    facts = {"model": model, "finding.score": score, "tool": "bash" if knows_tool else None}
    expression = expressions.compile(text)
    held = {f for f in FAMILY.words if expression.holds({**facts, "finding.family": f})}
    assert values is None or held <= values
