"""Answers that end at their limit of tokens, in the words of each provider."""

import pytest

from llmproxy_core.success.truncation import truncated
from tests.unit.success.exchanges import call, completion

USER = {"role": "user", "content": "Tell me."}
CHAT = {"model": "m", "messages": [USER]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Tell me."}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "Tell me."}]}]}


def gemini(reason):
    said = {"content": {"parts": [{"text": "Onc"}]}, "finishReason": reason}
    return {"candidates": [said]}


def converse(reason):
    said = {"message": {"role": "assistant", "content": [{"text": "Onc"}]}}
    return {"output": said, "stopReason": reason}


def anthropic(reason):
    return {
        "type": "message",
        "content": [{"type": "text", "text": "Onc"}],
        "stop_reason": reason,
    }


def responses(reason):
    content = [{"type": "output_text", "text": "Onc"}]
    return {
        "status": "incomplete",
        "incomplete_details": {"reason": reason},
        "output": [{"type": "message", "content": content}],
    }


CUT = [
    ("openai.chat", CHAT, completion("Onc", "length")),
    ("anthropic.messages", CHAT, anthropic("max_tokens")),
    ("anthropic.messages", CHAT, anthropic("model_context_window_exceeded")),
    ("gemini", GEMINI, gemini("MAX_TOKENS")),
    ("gemini", GEMINI, gemini("2")),
    ("bedrock.converse", CONVERSE, converse("max_tokens")),
    ("openai.responses", {"input": "Tell me."}, responses("max_output_tokens")),
    ("ollama.chat", CHAT, {"message": {"content": "Onc"}, "done": True, "done_reason": "length"}),
]


@pytest.mark.parametrize(("wire", "request_body", "answer"), CUT)
def test_an_answer_at_its_limit_is_bad(wire, request_body, answer):
    signal = truncated(call(wire, request_body, answer))
    assert signal is not None
    assert signal.verdict == "bad"


def test_an_answer_that_is_done_says_nothing():
    assert truncated(call("openai.chat", CHAT, completion("Once."))) is None


def test_a_probe_beside_the_conversation_is_not_judged():
    assert truncated(call("openai.chat", CHAT, completion("O", "length"), aside=True)) is None


def test_one_cut_choice_of_several_is_enough():
    answer = completion("Once.")
    answer["choices"].append({**completion("On", "length")["choices"][0], "index": 1})
    assert truncated(call("openai.chat", CHAT, answer)) is not None
