import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.store import sketch

durations = st.lists(st.floats(min_value=0.02, max_value=9e7), min_size=1, max_size=300)


@given(durations, st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_right_to_the_promised_accuracy(values: list[float], q: float) -> None:
    counts = [(sketch.bucket(value), 1) for value in values]

    exact = sorted(values)[int(q * (len(values) - 1))]
    found = sketch.quantile(counts, q)
    assert found == pytest.approx(exact, rel=sketch.ACCURACY * 1.001)


@given(st.floats(allow_nan=True))
def test_every_number_has_a_bucket(value: float) -> None:
    assert -115 <= sketch.bucket(value) <= 461


def test_nothing_has_no_quantile() -> None:
    assert sketch.quantile([], 0.5) is None
