"""Examples stand after the system prompt and before the conversation, once."""

import pytest

from tests.unit.transformations.done import FEW_SHOT, applied, done, left

ONE, TWO = {"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}
SYSTEM, USER = {"role": "system", "content": "S"}, {"role": "user", "content": "hi"}


@pytest.mark.parametrize("wire", ["openai.chat", "ollama.chat", "cohere.chat"])
def test_in_a_list_of_messages(wire):
    after = done(wire, {"messages": [SYSTEM, USER]}, FEW_SHOT)
    assert after["messages"] == [SYSTEM, ONE, TWO, USER]


@pytest.mark.parametrize(
    ("wire", "body", "after"),
    [
        ("anthropic.messages", {"messages": [USER]}, {"messages": [ONE, TWO, USER]}),
        ("openai.responses", {"input": "hi"}, {"input": [ONE, TWO, USER]}),
        ("openai.responses", {"input": [SYSTEM, USER]}, {"input": [SYSTEM, ONE, TWO, USER]}),
        (
            "bedrock.converse",
            {"messages": []},
            {
                "messages": [
                    {"role": "user", "content": [{"text": "1+1"}]},
                    {"role": "assistant", "content": [{"text": "2"}]},
                ]
            },
        ),
        (
            "gemini",
            {"contents": {"parts": [{"text": "hi"}]}},
            {
                "contents": [
                    {"role": "user", "parts": [{"text": "1+1"}]},
                    {"role": "model", "parts": [{"text": "2"}]},
                    {"parts": [{"text": "hi"}]},
                ]
            },
        ),
        (
            "cohere.chat",
            {"message": "hi"},
            {
                "message": "hi",
                "chat_history": [
                    {"role": "USER", "message": "1+1"},
                    {"role": "CHATBOT", "message": "2"},
                ],
            },
        ),
    ],
)
def test_in_the_words_of_each_format(wire, body, after):
    made = applied(wire, body, FEW_SHOT)

    assert done(wire, body, FEW_SHOT) == after
    assert not applied(wire, made.body, FEW_SHOT).edits


def test_a_bare_input_keeps_its_bytes():
    made = applied("openai.responses", b'{"input": "h\\u00e9"}', FEW_SHOT)

    assert [(start, end) for start, end, _ in made.edits] == [(10, 10), (19, 19)]


@pytest.mark.parametrize("key", ["previous_response_id", "conversation"])
def test_a_conversation_whose_beginning_is_at_the_providers_is_left_alone(key):
    assert left("openai.responses", {"input": "hi", key: "x"}, FEW_SHOT) == "elsewhere"


@pytest.mark.parametrize("wire", ["ollama.generate", "openai.completions", "openai.realtime"])
def test_formats_without_messages_are_left_alone(wire):
    assert left(wire, {"prompt": "x"}, FEW_SHOT) in ("elsewhere", "")


def test_every_turn_of_a_conversation_gets_the_same_bytes():
    turns, before = [SYSTEM, USER], b""
    for number in range(5):
        made = applied("openai.chat", {"messages": turns}, FEW_SHOT).body
        assert made.startswith(before)
        before = made[:-2]
        turns += [{"role": "assistant", "content": str(number)}, USER]
