import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.patterns.shingles import (
    MOST,
    PLACES,
    bands,
    containment,
    runs,
    signature,
    similarity,
)


def numbers(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**63, count, dtype=np.uint64)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_estimate_is_near_the_jaccard_similarity(share):
    off = []
    for seed in range(30):
        common, one, other = numbers(seed, 400), numbers(seed + 100, 400), numbers(seed + 200, 400)
        n = int(400 * share)
        own = int((n / share - n) / 2)
        first = signature(np.concatenate([common[:n], one[:own]]))
        second = signature(np.concatenate([common[:n], other[:own]]))
        off.append(similarity(first, second) - n / (n + 2 * own))
    assert abs(np.mean(off)) < 0.03
    assert max(map(abs, off)) < 0.25


def test_texts_with_much_in_common_share_a_band():
    dice = random.Random(3)
    words = [f"w{n}" for n in range(2_000)]
    met = 0
    for _ in range(40):
        lines = [" ".join(dice.choices(words, k=10)) for _ in range(40)]
        changed = lines[:34] + [" ".join(dice.choices(words, k=10)) for _ in range(6)]
        met += bool({*bands(signature(runs(lines)))} & {*bands(signature(runs(changed)))})
    assert met >= 38


@given(st.lists(st.text(max_size=30), max_size=20))
def test_a_text_is_like_itself_in_any_order_of_lines(lines):
    one, other = signature(runs(lines)), signature(runs(lines[::-1]))
    assert similarity(one, other) == 1
    assert one.size == PLACES
    assert len(set(bands(one))) == len(bands(one))


def test_what_only_grew_contains_what_it_was():
    assert containment(0.25, 100, 400) == 1
    assert containment(0, 100, 100) == 0
    assert containment(1, 0, 0) == 0


def test_of_a_long_text_the_beginning_is_read():
    assert runs([str(n) for n in range(MOST + 500)]).size == MOST
