"""Numbers and times in a few characters."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.tui import figures

AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


@given(st.integers(0, 999_000_000))
def test_tokens_take_five_characters(value: int) -> None:
    assert len(figures.tokens(value)) <= 5


@given(st.floats(0, 3_600_000 * 99))
def test_durations_take_six_characters(value: float) -> None:
    assert len(figures.ms(value)) <= 6


@given(st.decimals(0, 999_999, places=8))
def test_costs_take_eight_characters(value: Decimal) -> None:
    assert len(figures.usd(value)) <= 8


@given(st.integers(0, 10**12))
def test_sizes_take_seven_characters(value: int) -> None:
    assert len(figures.size(value)) <= 7


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (figures.tokens(950), "950"),
        (figures.tokens(12_340), "12.3k"),
        (figures.tokens(1_200_000), "1.20M"),
        (figures.usd(Decimal("0.00012")), "$0.00012"),
        (figures.usd(Decimal("0.0123")), "$0.0123"),
        (figures.usd(Decimal("12.344")), "$12.34"),
        (figures.usd(Decimal(1234)), "$1,234"),
        (figures.usd(Decimal(0)), "$0"),
        (figures.usd(Decimal("0.0000034")), "<$.00001"),
        (figures.ms(85.2), "85ms"),
        (figures.ms(999.7), "1.00s"),
        (figures.ms(59_990), "1m00s"),
        (figures.ms(125_000), "2m05s"),
        (figures.ms(3_725_000), "1h02m"),
        (figures.size(812), "812 B"),
        (figures.size(1400), "1.4 kB"),
        (figures.size(12_000_000), "12 MB"),
        (figures.rate(0.4), "0.4"),
        (figures.moment(AT, AT, UTC), "15:09:26"),
        (figures.moment(AT - timedelta(days=1), AT, UTC), "Mar 13 15:09"),
        (figures.ago(AT - timedelta(seconds=200), AT), "3m"),
    ],
)
def test_figures_read_as_they_should(made: str, text: str) -> None:
    assert made == text


@pytest.mark.parametrize("tell", [figures.tokens, figures.usd, figures.ms, figures.size])
def test_what_is_not_known_is_a_dash(tell: object) -> None:
    assert callable(tell)
    assert tell(None) == figures.NONE
