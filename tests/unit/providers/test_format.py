"""What all formats share in reading foreign numbers."""

import json
from typing import Any

import pytest

from llmproxy_core.providers.format import MOST_ITEMS, MOST_TOKENS, count, items, total
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.providers.sample import Sample, read

ABSURD = [-1, -0.5, 1e300, 2**63 - 1, 2**63, 10**400, MOST_TOKENS, True, "7", None, [], {}]


@pytest.mark.parametrize("value", [*ABSURD, float("nan"), float("inf")])
def test_what_cannot_be_a_number_of_tokens_is_not_told(value: Any) -> None:
    assert count(value) is None


def test_of_millions_of_items_only_the_first_are_read() -> None:
    assert len(items([{}] * (MOST_ITEMS + 1))) == MOST_ITEMS
    assert items([1, {"a": 1}, None]) == [{"a": 1}]
    assert items({"a": 1}) == []


def test_a_number_of_tokens_is_a_whole_number() -> None:
    assert [count(0), count(7), count(7.9), count(MOST_TOKENS - 1)] == [0, 7, 7, MOST_TOKENS - 1]
    assert [total(1, None, 2), total(None, None)] == [3, None]


@pytest.mark.parametrize("absurd", ABSURD)
@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.wire for sample in SAMPLES])
def test_absurd_numbers_of_tokens_never_leave_a_format(sample: Sample, absurd: Any) -> None:
    body = json.dumps(_numbers(sample.whole, absurd)).encode()

    usage = read(sample.wire, body, path=sample.path).usage

    if usage is not None:
        told = [usage.input_tokens, usage.output_tokens, usage.cached_tokens]
        told += [usage.cache_write_tokens, usage.reasoning_tokens]
        assert all(n is None or (type(n) is int and 0 <= n < 10 * MOST_TOKENS) for n in told)


def _numbers(value: Any, absurd: Any) -> Any:
    """The same with every number replaced."""
    if isinstance(value, dict):
        return {key: _numbers(item, absurd) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item, absurd) for item in value]
    return absurd if isinstance(value, int | float) and not isinstance(value, bool) else value
