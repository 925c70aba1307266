"""What holds for every detector."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Detector, Text

TEXTS = st.one_of(
    st.text(st.characters(), max_size=200),
    st.text(st.sampled_from('key=:"{}[]\\/@+-. 0123456789abcXYZ\n'), max_size=400),
)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.name)
@settings(deadline=None)  # the first text pays for what is made once
@given(text=TEXTS)
def test_it_raises_nothing_and_what_it_finds_lies_in_the_text(detector: Detector, text: str):
    for one in detector.find(Text(text)):
        assert 0 <= one.start <= one.end <= len(text)
        assert 0 <= one.score <= 1
        assert one.said


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.name)
@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "a" * 100_000, "[" * 10_000])
def test_it_takes_what_nobody_would_write(detector: Detector, text: str):
    detector.find(Text(text))


def test_each_has_a_name_of_its_own():
    names = [detector.name for detector in DETECTORS]
    assert len(names) == len(set(names))
