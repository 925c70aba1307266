import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.enhancements import candidate, life
from llmproxy_core.enhancements.record import read, to_json
from llmproxy_core.errors import EnhancementError
from tests.unit.enhancements.made import PATTERN, START, suggestion

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
VALUES = st.one_of(TEXTS, st.integers(-9, 9), st.booleans(), st.lists(TEXTS, max_size=2))
OPERATIONS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3)


@given(
    st.lists(OPERATIONS, min_size=1, max_size=3),
    TEXTS,
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 100)),
    st.lists(TEXTS, max_size=2),
)
def test_what_is_written_is_read_again(edit, reasoning, confidence, saving, wires):
    told = suggestion(
        edit=tuple(edit),
        reasoning=reasoning,
        confidence=confidence,
        saving_usd_per_day=saving,
        wires=tuple(wires),
    )
    one = life.reject(candidate(told, "e1", PATTERN, START), START + timedelta(1), "ann", "no")

    assert read(json.loads(json.dumps(to_json(one)))) == one


GOOD = to_json(candidate(suggestion(), "e1", PATTERN, START))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"status": "tried"}, "status"),
        ({"confidence": 2}, "confidence"),
        ({"edit": "x"}, "edit"),
        ({"edit": []}, "no operation"),
        ({"history": [{"at": "soon"}]}, "history.0.at"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change, where):
    with pytest.raises(EnhancementError, match=where):
        read({**GOOD, **change})
