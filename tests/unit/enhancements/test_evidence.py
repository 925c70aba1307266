import pytest

from llmproxy_core.enhancements import Exemplar
from llmproxy_core.enhancements.advised.trusted import copied, texts
from tests.unit.enhancements.made import calls, evidence, failing, some


def test_a_sample_speaks_for_all_calls_of_a_day():
    assert evidence(calls(100), total=1000, days=5.0).a_day(2.0) == pytest.approx(4.0)
    assert evidence(calls(100), total=0, days=1.0).a_day(2.0) == 2.0


def test_signed_calls_cannot_be_edited():
    found = evidence(some(calls(10), 4, editable=False, wire="bedrock.converse"))

    assert len(found.editable) == 6
    assert found.wires == {"anthropic.messages"}


def test_failures_are_counted_by_their_signal():
    found = evidence(some(some(calls(10), 4, bad=frozenset({"a"})), 2, judged=False))

    assert found.failing == {"a": 2}


def test_only_what_all_calls_share_is_the_operators():
    system = "You sort mail."

    def of(*systems: str):
        exemplars = tuple(Exemplar(str(n), one) for n, one in enumerate(systems))
        return texts(evidence((), constant=("Sort this: ",), exemplars=exemplars))

    assert of(system, system, system) == ["Sort this: ", system]
    assert of(system, system) == of(system, system, "Other.") == ["Sort this: "]


def test_copies_are_found_in_scripts_without_spaces():
    said = "注文番号は三千二百十一で、住所は東京都千代田区の一番地です。"
    found = evidence((), exemplars=(Exemplar("1", user=f"こんにちは。{said}"),))

    assert copied(f"例、{said}", found) is not None
    assert copied("住所を聞いてから、注文番号を確かめて、丁寧に答えてください。", found) is None


def test_a_few_common_words_are_no_copy():
    assert copied("My order has not come yet: sort it as delivery.", failing()) is None
