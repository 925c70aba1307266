"""Evidence made for tests: traffic of a pattern as the store would tell it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from llmproxy_core.enhancements import Evidence, Exemplar, Observed, Suggestion
from llmproxy_core.enhancements.edit import Operation
from llmproxy_core.model import Usage

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PATTERN = "0198c0de-0000-7000-8000-000000000001"
SONNET = "claude-sonnet-4-5"


def figure(operation: Operation, key: str) -> int:
    """A number of an edit."""
    value = operation[key]
    assert isinstance(value, int)
    return value


def call(number: int = 0, seconds: float = 60.0, **fields: Any) -> Observed:
    """Call `number`, `seconds` after the one before."""
    usual: dict[str, Any] = {
        "id": f"call-{number}",
        "at": START + timedelta(seconds=seconds * number),
        "provider": "anthropic",
        "model": SONNET,
        "wire": "anthropic.messages",
        "conversation": f"conversation-{number}",
        "usage": Usage(3000, 200),
        "prefix": "p",
        "prefix_tokens": 2500,
        "has_system": True,
    }
    return Observed(**{**usual, **fields})


def calls(n: int, seconds: float = 60.0, **fields: Any) -> tuple[Observed, ...]:
    return tuple(call(number, seconds, **fields) for number in range(n))


def evidence(observed: tuple[Observed, ...], **fields: Any) -> Evidence:
    return Evidence(**{"pattern_id": PATTERN, "calls": observed, "total": len(observed), **fields})


def some(observed: tuple[Observed, ...], n: int, **fields: Any) -> tuple[Observed, ...]:
    """The first `n` with other fields."""
    return tuple(replace(one, **fields) for one in observed[:n]) + observed[n:]


def suggestion(**fields: Any) -> Suggestion:
    usual: dict[str, Any] = {
        "type": "format",
        "edit": ({"op": "append_system", "text": "Answer with JSON only."},),
        "confidence": 0.9,
        "reasoning": "Answers have text around them.",
        "source_engine": "built-in:test",
    }
    return Suggestion(**{**usual, **fields})


SYSTEM = (
    "You sort the mail of a shop.\n"
    "Answer with one JSON object that has the keys topic and urgency.\n"
    "The shop's pages are at https://shop.example/help and nowhere else."
)


def failing(n: int = 200, bad: int = 80, **fields: Any) -> Evidence:
    """A pattern that fails often, with texts."""
    observed = some(
        calls(n, parameters={"max_tokens": 500, "temperature": 1.0}, usage=Usage(900, 120)),
        bad,
        bad=frozenset({"format"}),
    )
    exemplars = tuple(
        Exemplar(
            f"call-{number}",
            SYSTEM,
            f"Sort this mail:\nMy order {number} from street {number * 7} has not come yet, Ann.",
            f"Sure! The topic is delivery, number {number}." if number < 6 else '{"topic": "x"}',
            {"format": "the answer is not JSON"} if number < 6 else {},
        )
        for number in range(8)
    )
    usual: dict[str, Any] = {
        "name": "sort mail",
        "type": "classification",
        "template": "Sort this mail:\n{slot}",
        "constant": ("Sort this mail:\n",),
        "exemplars": exemplars,
        "days": 7.0,
    }
    return evidence(observed, **{**usual, **fields})
