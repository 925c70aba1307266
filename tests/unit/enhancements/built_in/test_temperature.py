import pytest

from llmproxy_core.enhancements.built_in.temperature import suggest
from tests.unit.enhancements.made import calls, evidence, some

BAD = frozenset({"format"})


def compared(high: int, low: int, n: int = 100, **fields):
    hot = some(calls(n, parameters={"temperature": 1.0}), high, bad=BAD)
    cold = some(calls(n, parameters={"temperature": 0.2}), low, bad=BAD)
    return evidence(hot + cold, **{"type": "extraction", **fields})


def test_what_fails_more_often_when_hot_is_cooled():
    (one,) = suggest(compared(30, 5))

    assert one.edit == ({"op": "clamp", "parameter": "temperature", "max": 0.2},)
    assert "30% of 100 calls" in one.reasoning


@pytest.mark.parametrize(
    "found",
    [
        compared(30, 28),
        compared(5, 30),
        compared(15, 2, n=49),
        compared(30, 5, type="generation"),
        evidence(some(calls(200, parameters={"temperature": 1}), 90, bad=BAD), type="extraction"),
    ],
)
def test_without_a_clear_comparison_nothing_is_said(found):
    assert suggest(found) == []


def test_models_are_not_compared_with_one_another():
    hot = some(calls(100, parameters={"temperature": 1}, model="a"), 60, bad=BAD)
    cold = calls(100, parameters={"temperature": 0}, model="b")

    assert suggest(evidence(hot + cold, type="classification")) == []
