"""Refusals: by filters, by marks of the model, and by words in fifteen languages."""

import json
from pathlib import Path

import pytest

from llmproxy_core.success.phrases import read_patterns
from llmproxy_core.success.refusals import LONG, refusal_in, refused
from tests.unit.providers import corpus
from tests.unit.success.exchanges import asked_for, call, chat, completion

TEXTS = json.loads((Path(__file__).parent / "refusal_texts.json").read_text("utf-8"))
REFUSED = [(lang, text) for lang, texts in TEXTS["refused"].items() for text in texts]
ANSWERED = [(lang, text) for lang, texts in TEXTS["answered"].items() for text in texts]
USER = {"messages": [{"role": "user", "content": "Do it."}]}
SURE = 0.5

RECORDED = {
    "06be8b5f8008724b 4d7258107f2e65c6 877441b93d4267f6 ced0aff27975e497 4ed01fdb6d2ee446",
    "27857a0816e119c3 aaed6c8f9bc4a3e5 296f2a304c2f216f e14ddd46637bb2c7 2b2fd28f0c0275d4",
    "d22ebd213995aab3 df7612429ab947c1 93318d2d905889d6 f34efcd9214774ea 93f01703e6f6f8f8",
    "fb9ce122fc0cd2d0 cd3e9e01a8f2da55 922012a71bb5de34 cff49c170e1972b4 1f0acbeebd12560c",
}
"""Recorded answers that refuse in words, read by a person among the 81 that have any such word."""


@pytest.mark.parametrize(("lang", "text"), REFUSED)
def test_a_refusal_is_known_by_its_words(lang, text):
    found = refusal_in(text)
    assert found is not None
    assert found[0] >= SURE


@pytest.mark.parametrize(("lang", "text"), ANSWERED)
def test_an_answer_is_no_refusal(lang, text):
    found = refusal_in(text)
    assert found is None or found[0] < SURE


def test_every_language_has_texts():
    languages = {lang for lang, _ in read_patterns("refusals.txt", "refusing")}
    assert languages == set(TEXTS["refused"]) == set(TEXTS["answered"])


def test_thoughts_before_an_answer_are_no_part_of_it():
    assert refusal_in("<think>I can't help with that? I can.</think>Here you are.") is None
    assert refusal_in("<think>Hm.</think>I can't help with that.") is not None


def test_a_long_answer_is_hardly_a_refusal():
    found = refusal_in("I can't provide all of it. " + "But here is most of it. " * LONG)
    assert found is not None
    assert found[0] < SURE


@pytest.mark.parametrize("text", ["", " ", "\ud800", "I can't " * 100_000, "\u0130" * 500])
def test_no_text_makes_it_raise(text):
    refusal_in(text)


@pytest.mark.parametrize(
    ("wire", "request_body", "answer", "status"),
    [
        ("openai.chat", USER, completion(None, refusal="I'm sorry, I can't."), 200),
        ("openai.chat", USER, completion("", "content_filter"), 200),
        ("openai.chat", USER, {"error": {"code": "content_filter", "message": "no"}}, 400),
        (
            "anthropic.messages",
            USER,
            {"type": "message", "content": [], "stop_reason": "refusal"},
            200,
        ),
        ("gemini", {}, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, 200),
        ("gemini", {}, {"candidates": [{"finishReason": "SAFETY"}]}, 200),
        ("bedrock.converse", USER, {"output": {}, "stopReason": "guardrail_intervened"}, 200),
    ],
)
def test_filters_and_marks_of_providers_are_sure(wire, request_body, answer, status):
    signal = refused(call(wire, request_body, answer, status=status))
    assert signal is not None
    assert (signal.verdict, signal.source, signal.weight) == ("bad", "wire", 1.0)


def test_words_say_who_said_so():
    signal = refused(chat("Do it.", answer="I'm sorry, but I can't assist with that."))
    assert signal is not None
    assert signal.source == "answer"
    assert signal.why == "i can't assist with that."


def test_whoever_calls_a_tool_does_not_refuse():
    answer = asked_for("search", "{}")
    answer["choices"][0]["message"]["content"] = "I don't have access to that. Let me search."
    assert refused(call("openai.chat", USER, answer)) is None


def test_of_several_answers_all_must_refuse():
    answer = completion("I can't help with that.")
    answer["choices"].append({**completion("Here.")["choices"][0], "index": 1})
    assert refused(call("openai.chat", USER, answer)) is None


@corpus.needs_corpus
def test_recorded_refusals_are_found_and_recorded_answers_are_not():
    """Precision and recall over all recorded answers, each text once."""
    truth = {one for line in RECORDED for one in line.split()}
    texts: dict[str, str] = {}
    for exchange in corpus.readable():
        response, _ = corpus.answer_of(exchange)
        if response.error is None and not response.tool_calls:
            texts.setdefault(response.text, exchange["id"])
    found = {id for text, id in texts.items() if (told := refusal_in(text)) and told[0] >= SURE}
    assert len(texts) > 1000
    assert len(found & truth) / len(found) >= 0.9
    assert len(found & truth) / len(truth & set(texts.values())) >= 0.9
