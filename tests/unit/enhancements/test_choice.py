import pytest

from llmproxy_core.enhancements import built_in
from llmproxy_core.enhancements.choice import fault
from llmproxy_core.enhancements.edit import MOST_OPERATIONS, digest
from llmproxy_core.model import Usage
from tests.unit.enhancements.made import calls, evidence, some, suggestion

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
WIRES = frozenset({"anthropic.messages"})


def can_all(operations, wires):
    return None


def cannot_force(operations, wires):
    forced = any(one["op"] == "response_format" for one in operations)
    return "anthropic.messages has no response_format" if forced else None


def violating():
    observed = calls(200, wanted="object", usage=Usage(900, 100), prefix_tokens=10)
    return evidence(some(observed, 60, bad=frozenset({"format"})), schema=SCHEMA)


def test_the_first_that_the_wires_can_do_is_taken():
    chosen, refused = built_in(violating(), cannot_force)

    assert [one.edit[0]["op"] for one in chosen] == ["append_system"]
    assert [one.why for one in refused] == ["anthropic.messages has no response_format"]
    assert built_in(violating(), can_all)[0][0].edit[0]["op"] == "response_format"


def test_what_was_tried_is_not_suggested_again():
    (first,), _ = built_in(violating(), can_all)

    (second,), refused = built_in(violating(), can_all, tried={digest(first.edit)})

    assert second.edit != first.edit
    assert refused[0].why == "the same edit was suggested before"


def test_the_most_valuable_comes_first():
    observed = calls(200, declared=("a", "b"), called=frozenset({"a"}))
    found = evidence(observed, tools={"b": 5000})

    values = [one.saving_usd_per_day or 0.0 for one in built_in(found, can_all)[0]]

    assert len(values) == 2
    assert values == sorted(values, reverse=True)


def test_a_candidate_is_surer_than_seven_of_ten():
    assert fault(suggestion(confidence=0.7), WIRES, can_all) == (
        "a confidence of 0.70 is not above 0.7"
    )
    assert fault(suggestion(confidence=0.71), WIRES, can_all) is None


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        ((), "no operation"),
        (({"op": "drop_tools", "names": ["x"]},) * (MOST_OPERATIONS + 1), "operations; 8 at most"),
        (({"op": "append_system", "text": "x" * 20_000},), "characters as JSON"),
    ],
)
def test_edits_have_a_fair_size(edit, why):
    assert why in (fault(suggestion(edit=edit), WIRES, can_all) or "")


def test_what_no_call_can_take_is_no_candidate():
    assert fault(suggestion(), frozenset(), can_all) == "no call of the pattern can be edited"


def test_the_same_edit_has_the_same_digest_however_its_keys_are_ordered():
    assert digest([{"op": "x", "a": 1}]) == digest([{"a": 1, "op": "x"}])
    assert digest([{"op": "x", "a": 1}]) != digest([{"op": "x", "a": 2}])
