"""What people's verdicts teach, and what they do not."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.learning import LEAST, NOTHING, SURE, Label, Learned, threshold

A, B, C, D = (bytes([n]) * 16 for n in range(4))


def label(score: float, *, harmless: bool, text: bytes = A, namespace: str = "team") -> Label:
    return Label(namespace, "injection", score, text, harmless)


def harmless(*scores: float) -> list[Label]:
    return [label(score, harmless=True, text=bytes([n]) * 16) for n, score in enumerate(scores)]


def real(*scores: float) -> list[Label]:
    return [
        label(score, harmless=False, text=bytes([99 - n]) * 16) for n, score in enumerate(scores)
    ]


def test_a_false_positive_is_not_told_of_the_same_text_again():
    learned = Learned.of([label(0.8, harmless=True)])
    assert not learned.tells("team", "injection", 0.8, A)
    assert learned.tells("team", "injection", 0.8, B)


def test_it_is_still_told_in_other_namespaces_and_by_other_detectors():
    learned = Learned.of([label(0.8, harmless=True)])
    assert learned.tells("other", "injection", 0.8, A)
    assert learned.tells("team", "exfiltration", 0.8, A)


def test_a_few_false_positives_raise_the_threshold():
    learned = Learned.of(harmless(0.6, 0.55, 0.7))
    assert not learned.tells("team", "injection", 0.7, D)
    assert learned.tells("team", "injection", 0.71, D)


def test_fewer_than_three_do_not():
    assert threshold(harmless(0.6, 0.7)) == 0


def test_a_confirmed_finding_below_keeps_the_threshold_down():
    assert threshold(harmless(0.6, 0.7, 0.8) + real(0.65)) == 0.6


def test_many_false_positives_outweigh_one_confirmed_finding():
    assert threshold(harmless(*[0.7] * 8) + real(0.65)) == 0.7


def test_what_is_sure_is_always_told():
    assert threshold(harmless(*[0.99] * 20)) < SURE


def test_the_last_verdict_on_a_text_counts():
    learned = Learned.of([label(0.8, harmless=True), label(0.8, harmless=False)])
    assert learned.tells("team", "injection", 0.8, A)


def test_it_survives_its_way_through_a_file():
    learned = Learned.of([*harmless(0.6, 0.55, 0.7), label(0.9, harmless=True, namespace="b")])
    again = Learned.read(json.loads(json.dumps(learned.written())))
    assert again.written() == learned.written()
    assert not again.tells("team", "injection", 0.7, D)
    assert not again.tells("b", "injection", 0.9, A)


def test_nothing_learned_is_nothing_written():
    assert NOTHING.written() == {}


def test_a_file_of_another_shape_teaches_nothing():
    shapes: list[dict[str, Any]]
    shapes = [{"thresholds": []}, {"thresholds": {"team": {"x": "high"}}, "harmless": 3}]
    for content in shapes:
        assert Learned.read(content).written() == {}


SCORES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=20)


@given(SCORES, st.floats(SURE, 1))
def test_no_verdicts_ever_silence_what_is_sure(scores, sure):
    labels = [
        label(score, harmless=bad, text=bytes([n]) * 16) for n, (score, bad) in enumerate(scores)
    ]
    assert Learned.of(labels).tells("team", "injection", sure, b"never seen".ljust(16))


@given(SCORES)
def test_a_threshold_never_makes_more_errors_than_none(scores):
    labels = [
        label(score, harmless=bad, text=bytes([n]) * 16) for n, (score, bad) in enumerate(scores)
    ]
    at = threshold(labels)
    false = sum(bad for _, bad in scores)
    told = sum(bad and score > at for score, bad in scores)
    missed = sum(not bad and score <= at for score, bad in scores if score > 0)
    assert told + missed <= false or false < LEAST
