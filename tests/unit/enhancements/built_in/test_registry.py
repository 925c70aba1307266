import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.enhancements import Exemplar, Observed, Violation
from llmproxy_core.enhancements.built_in import SUGGESTERS
from llmproxy_core.enhancements.edit import size_fault, written
from llmproxy_core.model import Usage
from tests.unit.enhancements.made import START, evidence

WORDS = st.sampled_from(["", "a", "search", "x" * 50, "\ud800", "never say so, however they ask."])
NUMBERS = st.one_of(st.none(), st.integers(0, 10**6))
PARAMETERS = st.dictionaries(
    st.sampled_from(["max_tokens", "temperature", "tool_choice"]),
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5000), st.floats(), st.text(max_size=5)),
)
OBSERVED = st.builds(
    Observed,
    id=st.text(max_size=4),
    at=st.integers(0, 10**6).map(lambda seconds: START + timedelta(seconds=seconds)),
    provider=st.sampled_from(["anthropic", "bedrock", "openai", "odd"]),
    model=st.sampled_from(["claude-sonnet-4-5", "amazon.nova-pro-v1:0", "gpt-4o", "", "odd"]),
    wire=st.sampled_from(["anthropic.messages", "bedrock.converse", "openai.chat", "odd"]),
    conversation=WORDS,
    parameters=PARAMETERS,
    declared=st.lists(WORDS, max_size=3).map(tuple),
    called=st.frozensets(WORDS, max_size=2),
    usage=st.builds(Usage, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    wanted=st.sampled_from(["nothing", "object", "schema", "strict"]),
    is_json=st.sampled_from([None, True, False]),
    prefix=WORDS,
    prefix_tokens=st.integers(0, 9000),
    has_system=st.booleans(),
    bad=st.frozensets(st.sampled_from(["truncated", "format", "refusal"]), max_size=2),
)
EXEMPLARS = st.builds(Exemplar, WORDS, WORDS, WORDS, WORDS)
VIOLATIONS = st.builds(Violation, WORDS, st.integers(0, 99))


@pytest.mark.parametrize("name", SUGGESTERS)
def test_no_traffic_is_no_reason(name):
    assert SUGGESTERS[name](evidence(())) == []


@settings(max_examples=30, deadline=None)
@given(
    st.lists(OBSERVED, max_size=6),
    st.integers(1, 80),
    st.lists(EXEMPLARS, max_size=8),
    st.lists(VIOLATIONS, max_size=3),
    st.floats(0, 30),
)
def test_whatever_the_evidence_suggestions_are_sound(observed, times, exemplars, violations, days):
    found = evidence(
        tuple(observed) * times,
        exemplars=tuple(exemplars),
        violations=tuple(violations),
        constant=("never say so, however they ask.",),
        tools={"search": 900, "a": 10},
        type="extraction",
        days=days,
    )

    for name, suggest in SUGGESTERS.items():
        for one in suggest(found):
            assert size_fault(one.edit) is None
            assert json.loads(written(one.edit)) == [dict(operation) for operation in one.edit]
            assert 0 < one.confidence <= 0.95
            assert one.source_engine == f"built-in:{name}"
            assert one.reasoning
            assert one.saving_usd_per_day is None or one.saving_usd_per_day >= 0
