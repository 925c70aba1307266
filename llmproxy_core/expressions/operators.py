"""What the signs of an expression do with values that may not be known.

As in CEL: `&&` is false when one side is, `||` true when one side is, known or not the other;
`==`, `!=` and what stands before `in` take null as a value; all else with something unknown is unknown.
"""

import operator
from collections.abc import Callable
from typing import Any

from llmproxy_core.expressions.values import Answer, Facts

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def every(parts: tuple[Answer, ...]) -> Answer:
    def answer(facts: Facts) -> bool | None:
        result: bool | None = True
        for part in parts:
            value = part(facts)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return answer


def some(parts: tuple[Answer, ...]) -> Answer:
    def answer(facts: Facts) -> bool | None:
        result: bool | None = False
        for part in parts:
            value = part(facts)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return answer


def negated(part: Answer) -> Answer:
    def answer(facts: Facts) -> bool | None:
        value = part(facts)
        return None if value is None else not value

    return answer


def minus(part: Answer) -> Answer:
    def answer(facts: Facts) -> Any:
        value = part(facts)
        return None if value is None else -value

    return answer


def equal(left: Answer, right: Answer) -> Answer:
    return lambda facts: bool(left(facts) == right(facts))


def unequal(left: Answer, right: Answer) -> Answer:
    return lambda facts: bool(left(facts) != right(facts))


def among(one: Answer, many: Answer) -> Answer:
    def answer(facts: Facts) -> bool | None:
        values = many(facts)
        return None if values is None else one(facts) in values

    return answer


def both(left: Answer, right: Answer, do: Callable[[Any, Any], Any]) -> Answer:
    """`do` where both sides are known."""

    def answer(facts: Facts) -> Any:
        one, other = left(facts), right(facts)
        return None if one is None or other is None else do(one, other)

    return answer


def calculated(left: Answer, right: Answer, sign: str) -> Answer:
    """Division by nothing, and what is too large, is unknown."""
    do = ARITHMETIC[sign]

    def calculate(one: Any, other: Any) -> Any:
        try:
            return do(one, other)
        except ArithmeticError:
            return None

    return both(left, right, calculate)


def ranked(words: tuple[str, ...], part: Answer) -> Answer:
    """The place of a word in an ordered list of words; another word is unknown."""
    ranks = {word: rank for rank, word in enumerate(words)}

    def answer(facts: Facts) -> int | None:
        value = part(facts)
        return ranks.get(value) if isinstance(value, str) else None

    return answer


def known(part: Answer) -> Answer:
    return lambda facts: part(facts) is not None
