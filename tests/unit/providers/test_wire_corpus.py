"""The contract of all formats, on 3,186 recorded exchanges: they agree with the truth."""

from collections import Counter

from llmproxy_core.providers.formats import FORMATS
from tests.unit.providers.corpus import (
    answer_of,
    exchanges,
    needs_corpus,
    readable,
    request_of,
    wire_of,
)
from tests.unit.providers.truth import comparisons

pytestmark = needs_corpus

GOOGLE_TOTAL = "Google's endpoint leaves thoughts out of completion_tokens; total_tokens has them"
EMPTY_CALL = "Snowflake fills every field with empty values: an empty function_call is none"
WRITER = 'Writer streams completions as {"value": ...}: that is text all the same'
EXPLAINED: dict[tuple[str, str], str] = {
    ("30f4ec540529f2bf", "text"): WRITER,
    ("30f4ec540529f2bf", "texts"): WRITER,
    ("30f4ec540529f2bf", "n_choices"): WRITER,
    ("131a3a77f09c88bc", "usage"): GOOGLE_TOTAL,
    ("e2bcf542f8015708", "usage"): GOOGLE_TOTAL,
    ("4c81e950d299e959", "tool_calls"): EMPTY_CALL,
    ("02e5755f6197db25", "tool_calls"): EMPTY_CALL,
    ("e7cc9171098e7ad5", "error"): "a 500 without a body is an error all the same",
    ("734c320e8a0d876c", "error"): "a 200 in plain text is no answer of this format",
    ("441f2c292789928a", "error"): "a blocked prompt is shown as an error, by its blockReason",
}
"""(id, field) -> why we read it otherwise."""


UNREAD = {"other", "ollama.", "ollama.show", "ollama.pull", "anthropic.other"}
"""Lists of models, files, pulls: no calls of a model."""


def test_what_is_read_agrees_with_the_truth() -> None:
    fields: Counter[str] = Counter()
    wrong: list[str] = []
    explained: Counter[str] = Counter()
    for exchange in readable():
        request, _ = request_of(exchange)
        response, _ = answer_of(exchange)
        for field, theirs, ours in comparisons(exchange, request, response):
            fields[exchange["wire"]] += 1
            if theirs == ours:
                continue
            if (exchange["id"], field) in EXPLAINED:
                explained[exchange["wire"]] += 1
            else:
                wrong.append(f"{exchange['id']} {exchange['wire']} {field}: {theirs!r} != {ours!r}")
    assert wrong == []
    assert fields.total() > 30_000
    assert explained.total() <= 0.005 * fields.total()
    assert explained.total() == len(EXPLAINED), "explanations that nothing needs any more"


def test_every_call_of_a_model_has_a_format() -> None:
    assert {
        exchange["wire"] for exchange in exchanges() if wire_of(exchange) not in FORMATS
    } <= UNREAD


def test_recorded_streams_hold_no_event_that_is_unknown() -> None:
    unknown: Counter[str] = Counter()
    for exchange in readable():
        unknown.update(answer_of(exchange)[0].unknown_events)
    assert unknown == {"page": 1}, "the one is a list of costs, asked for at a wrong path"
