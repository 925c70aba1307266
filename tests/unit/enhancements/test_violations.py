from llmproxy_core.enhancements import Violation
from llmproxy_core.enhancements.violations import violations


def test_the_same_mistake_at_several_places_of_a_list_is_one():
    whys = [f"not as the schema says: $.items[{n}].price is not of type number" for n in range(9)]

    assert violations([*whys, "not as the schema says: $.topic is missing"]) == (
        Violation("$.items[*].price is not of type number", 9),
        Violation("$.topic is missing", 1),
    )


def test_other_faults_have_no_place():
    assert violations(["not JSON: unexpected character", "the answer is empty", ""]) == ()
