import pytest

from llmproxy_core.policies.bound import upper_bound


@pytest.mark.parametrize(
    ("false", "judged", "bound"),
    [
        (0, 1, 0.95),
        (0, 10, 0.2589),  # 1 - 0.05 ** (1 / 10)
        (0, 59, 0.0495),
        (1, 10, 0.3942),  # from the beta distribution: qbeta(0.95, 2, 9)
        (5, 100, 0.1023),
        (9, 10, 0.9949),
    ],
)
def test_the_bound_is_clopper_and_pearsons(false: int, judged: int, bound: float) -> None:
    assert upper_bound(false, judged) == pytest.approx(bound, abs=5e-5)


@pytest.mark.parametrize("judged", [0, 1, 50])
def test_where_all_or_nothing_is_known_any_rate_is_possible(judged: int) -> None:
    assert upper_bound(judged, judged) == 1.0


def test_more_that_were_right_make_it_smaller() -> None:
    bounds = [upper_bound(2, judged) for judged in (10, 100, 1000, 20_000)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 0.001


def test_many_labels_are_no_trouble() -> None:
    assert upper_bound(9_000, 20_000) == pytest.approx(0.4558, abs=1e-3)


def test_more_false_ones_than_were_judged_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        upper_bound(3, 2)
