import json

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.model import Message, Part, Request, Response, ToolCall, Usage
from llmproxy_core.pricing.estimate import estimated, tokens
from tests.unit.providers.corpus import answer_of, needs_corpus, readable, request_of

QUESTION = Request(messages=[Message("user", [Part("text", "x" * 830)])])
CUT = Response(texts=["y" * 415], incomplete=True)


def test_a_cut_stream_without_usage_is_estimated_from_its_text() -> None:
    usage = estimated(QUESTION, CUT)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (204, 100)


def test_what_was_told_before_the_cut_is_kept() -> None:
    CUT_LATE = Response(
        texts=["y" * 415],
        incomplete=True,
        usage=Usage(5000, 1, cached_tokens=4000, raw={"input_tokens": 1000}),
    )
    usage = estimated(QUESTION, CUT_LATE)
    assert usage == Usage(5000, 100, 4000, None, None, {"input_tokens": 1000})


def test_a_whole_answer_that_tells_its_usage_is_not_estimated() -> None:
    assert estimated(QUESTION, Response(texts=["y"], usage=Usage(1, 1))) is None


def test_what_has_no_output_needs_none_told() -> None:
    embeddings = Response(usage=Usage(12, raw={"prompt_tokens": 12}))
    assert estimated(QUESTION, embeddings) is None


def test_a_whole_answer_without_usage_is_estimated() -> None:
    assert estimated(QUESTION, Response(texts=["y" * 415])) == Usage(204, 100)


def test_an_answer_without_text_and_usage_has_no_tokens() -> None:
    assert estimated(Request(), Response()) is None


def test_the_question_is_paid_for_when_the_client_hangs_up_before_the_first_word() -> None:
    assert estimated(QUESTION, Response(incomplete=True)) == Usage(204, 0)


def test_arguments_of_calls_count_as_output() -> None:
    call = ToolCall("1", "search", json.dumps({"q": "z" * 400}))
    usage = estimated(QUESTION, Response(tool_calls=[call], incomplete=True))
    assert usage is not None
    assert usage.output_tokens == 100


@given(st.text())
def test_any_text_has_a_number_of_tokens_no_greater_than_its_characters(text: str) -> None:
    assert 0 <= tokens(text) <= len(text)


@needs_corpus
def test_estimates_of_recorded_answers_are_right_on_the_whole() -> None:
    ours = theirs = 0
    for exchange in readable():
        response, _ = answer_of(exchange)
        usage = response.usage
        if usage is None or not usage.output_tokens or usage.reasoning_tokens:
            continue
        if len(response.texts) != 1 or response.tool_calls or response.reasoning:
            continue
        response.usage, response.incomplete = None, True
        guess = estimated(request_of(exchange)[0], response)
        assert guess is not None
        ours += guess.output_tokens or 0
        theirs += usage.output_tokens
    assert theirs > 50_000
    assert abs(ours - theirs) < 0.15 * theirs
