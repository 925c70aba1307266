from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.enhancements.built_in.weights import AT_LEAST, SUREST, grown, never, usd
from llmproxy_core.enhancements.choice import ABOVE
from llmproxy_core.model import Usage
from tests.unit.enhancements.made import call, evidence


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_confidence_grows_with_traffic_from_just_enough(n, least):
    assert ABOVE < AT_LEAST <= grown(n, least) <= SUREST
    assert grown(n, least) <= grown(n + 1, least)


def test_what_never_happened_may_still_happen():
    # exactly, 95 % of the time: 1 - 0.05 ** (1 / n)
    assert never(100) == pytest.approx(1 - 0.05 ** (1 / 100), rel=0.02)
    assert never(1000) == pytest.approx(1 - 0.05 ** (1 / 1000), rel=0.02)
    assert never(0) == 1.0


def test_a_call_costs_what_the_list_says():
    found = evidence(())

    assert usd(found, call(), Usage(1000, 0)) == Decimal("0.003")
    assert usd(found, call(), Usage(1000, 0, cached_tokens=1000)) == Decimal("0.0003")
    assert usd(found, call(model="nobody-knows"), Usage(1, 1)) is None


def test_what_the_provider_told_of_the_real_call_is_not_asked():
    told = Usage(1000, 0, raw={"cost": 0.01})

    assert usd(evidence(()), call(), told) == Decimal("0.003")


def test_a_clock_that_goes_ahead_does_no_harm():
    late = replace(call(), at=call().at + timedelta(days=36_500))

    assert usd(evidence(()), late, Usage(10**6, 0)) is not None
