from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.reading.scanning import MOST, Pattern

LETTERS = Pattern("b+")


@given(st.text("ab\u0431\u20ac\U0001f600\ud800", max_size=60))
def test_places_are_those_of_the_characters(text):
    places = LETTERS.places(text)
    assert [text[start:end] for start, end in places] == [run for run in _runs(text) if run]
    assert LETTERS.within(text) == ("b" in text)


def test_there_are_never_too_many():
    assert len(Pattern("b").places("b" * 10_000)) == MOST


def _runs(text: str) -> list[str]:
    return "".join(sign if sign == "b" else " " for sign in text).split(" ")
