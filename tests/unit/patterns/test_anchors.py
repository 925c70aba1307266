import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.patterns.index import Index
from llmproxy_core.patterns.shape import BEGIN, END, codes, shape
from llmproxy_core.patterns.templates import Runs, fits

WORDS = st.lists(st.sampled_from(list("abcdefgh")), min_size=1, max_size=8).map(" ".join)
MADE = st.lists(WORDS, min_size=1, max_size=3)


def template(pieces: list[str], begins: bool, closes: bool) -> Runs:
    runs = [codes(piece) for piece in pieces]
    runs[0] = (BEGIN if begins else "") + runs[0]
    runs[-1] += END if closes else ""
    return tuple(runs)


ANCHORED = st.builds(template, MADE, begins=st.booleans(), closes=st.just(True)) | st.builds(
    template, MADE, begins=st.just(True), closes=st.booleans()
)


@given(st.lists(ANCHORED, min_size=1, max_size=60), st.lists(WORDS, max_size=12))
def test_what_an_index_finds_is_what_trying_each_finds(templates, texts):
    index = Index(templates)
    for text in texts:
        shaped = shape(text)
        fitting = {number for number, runs in enumerate(templates) if fits(runs, shaped)}
        assert set(index.all(shaped)) == fitting


@pytest.mark.parametrize("at_end", [False, True])
def test_a_thousand_templates_that_begin_or_end_alike_are_told_apart_at_once(at_end):
    same = "you are the one who helps the team that works on"
    names = [
        f"{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}{'x' * (n // 676)}ly" for n in range(1_000)
    ]
    if at_end:
        templates = [(codes(f"{name} things"), codes(f"\n{same}") + END) for name in names]
        texts = [f"see {name} things of all kinds\n{same}" for name in names]
    else:
        templates = [(BEGIN + codes(same), codes(f"{name} things")) for name in names]
        texts = [f"{same} all the {name} things" for name in names]
    index = Index(templates)
    shapes = [shape(text) for text in texts]
    begun = time.process_time()
    assert [index.best(one) for one in shapes] == list(range(1_000))
    assert time.process_time() - begun < 1
