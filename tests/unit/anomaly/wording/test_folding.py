import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.wording.folding import folded, make_table

TABLE = make_table()


def meant(text: str) -> str:
    return "".join(map(chr, folded(text, TABLE)[0]))


@pytest.mark.parametrize(
    "disguised",
    [
        "IGNORE",
        "Ｉｇｎｏｒｅ",
        "ig\u200bno\u00adre",
        "ıgnоrе",
        "𝐢𝐠𝐧𝐨𝐫𝐞",
        "ígñörè",
        "".join(chr(0xE0000 + ord(char)) for char in "ignore"),
    ],
)
def test_letters_are_read_as_they_are_meant(disguised: str) -> None:
    assert meant(disguised) == "ignore"


def test_korean_syllables_stay_whole() -> None:
    assert meant("지시를 무시") == "지시를 무시"


@given(st.text())
def test_places_lead_back_to_the_text(text: str) -> None:
    codes, places = folded(text, TABLE)
    assert codes.size == places.size
    assert (np.diff(places) > 0).all()
    assert not places.size or places[-1] < len(text)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = meant(text)
    assert meant(once) == once
