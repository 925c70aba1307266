"""The limits of a JSON Schema for numbers and sizes: what is wrong, or nothing."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

type Check = Callable[[Any, Any], str | None]


def _number(words: str, ok: Callable[[float, float], bool]) -> Check:
    def check(limit: Any, value: Any) -> str | None:
        if isinstance(limit, bool) or not isinstance(limit, int | float) or ok(value, limit):
            return None
        return f"is {words} {limit}"

    return check


def _is_multiple(value: float, unit: float) -> bool:
    """In decimals: 0.3 is three times 0.1."""
    try:
        return unit <= 0 or Decimal(str(value)) % Decimal(str(unit)) == 0
    except InvalidOperation:  # a quotient of more digits than decimals have
        return True


NUMBERS: dict[str, Check] = {
    "minimum": _number("less than", lambda value, limit: value >= limit),
    "maximum": _number("more than", lambda value, limit: value <= limit),
    "exclusiveMinimum": _number("not more than", lambda value, limit: value > limit),
    "exclusiveMaximum": _number("not less than", lambda value, limit: value < limit),
    "multipleOf": _number("no multiple of", _is_multiple),
}
SIZES: dict[str, Check] = {
    "min": lambda limit, size: None if size >= limit else f"has {size} and not {limit} at least",
    "max": lambda limit, size: None if size <= limit else f"has {size} and not {limit} at most",
}
"""Of strings, lists and objects, by the beginning of the word: `minLength`, `maxItems`, …"""
