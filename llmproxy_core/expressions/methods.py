"""What can be asked of a text in an expression: `model.startsWith("gpt-")`."""

import operator
from collections.abc import Callable
from typing import Any

from llmproxy_core.errors import ExpressionError
from llmproxy_core.expressions.values import Answer, Facts

LARGEST = 1 << 20
"""Bytes that a compiled pattern may take."""

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "contains": operator.contains,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}
"""By CEL's names."""
NAMES = (*TESTS, "matches", "lowerAscii", "size")


def lowered(part: Answer) -> Answer:
    """CEL's `lowerAscii`: A to Z alone."""

    def answer(facts: Facts) -> str | None:
        value = part(facts)
        if value is None:
            return None
        return value.lower() if value.isascii() else _ascii_lowered(value)

    return answer


def sized(part: Answer) -> Answer:
    def answer(facts: Facts) -> int | None:
        value = part(facts)
        return None if value is None else len(value)

    return answer


def pattern(text: str) -> Callable[[str], bool]:
    """Does a text hold what the pattern says? RE2, as CEL has it: linear time, no back references.

    Raises ExpressionError with RE2's own words.
    """
    import re2  # only where a pattern is used

    options = re2.Options()
    options.max_mem = LARGEST
    options.log_errors = False
    try:
        compiled = re2.compile(text, options=options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ExpressionError(f"not a pattern: {words}") from None
    return lambda value: compiled.search(_clean(value)) is not None


def _clean(text: str) -> str:
    """Lone surrogates have no bytes for RE2 to look at."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _ascii_lowered(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)
