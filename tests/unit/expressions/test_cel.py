"""What our expressions share with CEL means the same there: compared with the Rust implementation."""

import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.expressions import Type, compile

VARIABLES: dict[str, Type] = {
    "s": "text",
    "t": "text",
    "m": "number",
    "n": "number",
    "b": "bool",
    "l": "list",
}
TEXT = st.sampled_from(["''", "'a'", "'ab'", "'b'", "s", "t"])
NUMBER = st.sampled_from(["0", "1", "2", "0.5", "m", "n", "-1"])
LIST = st.sampled_from(["['a', 'b']", "[]", "l"])
RELATIONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
PLAIN = st.one_of(
    st.builds("{} {} {}".format, NUMBER, RELATIONS, NUMBER),
    st.builds("{} {} {}".format, TEXT, st.sampled_from(["==", "!="]), TEXT),
    st.builds(
        "{}.{}({})".format, TEXT, st.sampled_from(["contains", "startsWith", "endsWith"]), TEXT
    ),
    st.builds("{} in {}".format, TEXT, LIST),
    st.builds("size({}) > {}".format, TEXT | LIST, st.sampled_from(["0", "1"])),
    st.sampled_from(["b", "true", "false", "s == null", "n != null", "s.matches('^a')"]),
)
BOOL = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
    ),
    max_leaves=8,
)
FACTS = st.fixed_dictionaries(
    {
        "s": st.sampled_from(["", "a", "ab", None]),
        "t": st.sampled_from(["", "b", None]),
        "m": st.sampled_from([0, 1, 0.5]),
        "n": st.sampled_from([2, -1, None]),
        "b": st.sampled_from([True, False, None]),
        "l": st.sampled_from([["a"], [], None]),
    }
)


def in_cel(text, facts):
    try:
        answer = cel.compile(text).execute(facts)
    except (TypeError, RuntimeError, ValueError):
        return None
    return answer if isinstance(answer, bool) else None


@settings(max_examples=400, deadline=None)
@given(BOOL, FACTS)
def test_an_expression_means_what_it_means_in_cel(text, facts):
    assert compile(text, VARIABLES, {}).value(facts) == in_cel(text, facts)
