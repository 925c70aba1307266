import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.simulator.controls import WORDS, ControlError, Controls, controls


def test_the_header_comes_before_the_words_of_the_model():
    wanted = controls("delay=7", "gpt-5-sim-slow-sim-tool", Controls())
    assert (wanted.delay, wanted.first, wanted.tool) == (7.0, 400.0, True)


def test_a_word_alone_means_true():
    assert controls("echo, trailers", "", Controls()) == Controls(echo=True, trailers=True)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_obeyed(word):
    assert controls(None, f"gpt-sim-{word}", Controls()) is not None


@pytest.mark.parametrize(
    "header", ["speed=1", "delay=soon", "encoding=lzma", "chunks=-1", "tool=perhaps"]
)
def test_what_cannot_be_obeyed_is_named(header):
    with pytest.raises(ControlError, match=header.partition("=")[0]):
        controls(header, "", Controls())


@given(st.text(), st.text())
def test_foreign_text_is_refused_or_obeyed_but_never_a_crash(header, model):
    with contextlib.suppress(ControlError):
        controls(header, model, Controls())
