import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.injection.measures import caught, threshold


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=500))
def test_no_more_than_one_in_a_hundred_lies_above_the_threshold(logits: list[float]) -> None:
    harmless = np.array(logits)
    assert (harmless > threshold(harmless)).mean() <= 0.01


def test_what_is_caught_lies_above_all_but_one_in_a_hundred() -> None:
    harmless = np.arange(1000.0)
    found = caught("some", np.array([0.0, 985.0, 995.0, 2000.0]), harmless)
    assert found.caught == 0.5
    assert found.area == pytest.approx((0 + 0.985 + 0.995 + 1) / 4, abs=0.001)
