"""Texts of one role are replaced, not those of others, and none that a provider has signed."""

import time

import pytest

from tests.unit.transformations.done import applied, done, left

ROLES = ("system", "user", "assistant", "tool")
CHAT = [
    {"role": "system", "content": "word"},
    {"role": "user", "content": [{"type": "text", "text": "word"}, {"type": "image_url"}]},
    {"role": "assistant", "content": "word", "tool_calls": []},
    {"role": "tool", "content": "word"},
]
ANTHROPIC = {
    "system": [{"type": "text", "text": "word"}],
    "messages": [
        {"role": "user", "content": "word"},
        {"role": "assistant", "content": [{"type": "text", "text": "word"}]},
        {"role": "user", "content": [{"type": "tool_result", "content": "word"}]},
    ],
}
CONVERSE = {
    "system": [{"text": "word"}],
    "messages": [
        {"role": "user", "content": [{"text": "word"}]},
        {"role": "assistant", "content": [{"text": "word"}]},
        {"role": "user", "content": [{"toolResult": {"content": [{"text": "word"}]}}]},
    ],
}
GEMINI = {
    "system_instruction": {"parts": {"text": "word"}},
    "contents": [
        {"role": "user", "parts": [{"text": "word"}]},
        {"role": "model", "parts": [{"text": "word"}]},
        {"role": "user", "parts": [{"functionResponse": {"response": {"result": "word"}}}]},
    ],
}
RESPONSES = {
    "instructions": "word",
    "input": [
        {"role": "user", "content": "word"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "word"}],
        },
        {"type": "function_call_output", "output": "word"},
    ],
}
BODIES = {
    "openai.chat": {"messages": CHAT},
    "ollama.chat": {"messages": CHAT},
    "cohere.chat": {"messages": CHAT},
    "openai.responses": RESPONSES,
    "openai.responses.websocket": {"type": "response.create", **RESPONSES},
    "anthropic.messages": ANTHROPIC,
    "anthropic.batches": {"requests": [{"params": ANTHROPIC}]},
    "bedrock.converse": CONVERSE,
    "gemini": GEMINI,
}


def replacing(role: str, **more: str) -> dict[str, str]:
    return {"op": "replace_text", "role": role, "find": "word", "replacement": "W", **more}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("wire", BODIES)
def test_one_role_alone_is_changed(wire, role):
    made = applied(wire, BODIES[wire], replacing(role))

    assert len(made.edits) == 1
    assert made.body.count(b'"W"') == 1
    others = [one for one in ROLES if one != role]
    rest = applied(wire, made.body, *(replacing(one) for one in others))
    assert rest.body.count(b'"W"') == 4
    assert b"word" not in rest.body


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("openai.completions", {"prompt": ["word", "word"]}),
        ("openai.embeddings", {"input": "word"}),
        ("ollama.generate", {"prompt": "word"}),
        ("cohere.chat", {"message": "word", "chat_history": [{"role": "User", "message": "word"}]}),
        ("gemini.live", {"clientContent": {"turns": [{"parts": [{"text": "word"}]}]}}),
        (
            "openai.realtime",
            {"item": {"role": "user", "content": [{"type": "input_text", "text": "word"}]}},
        ),
    ],
)
def test_prompts_without_a_list_of_messages_are_the_users(wire, body):
    assert b"word" not in applied(wire, body, replacing("user")).body


SIGNED = [
    (
        "anthropic.messages",
        {"type": "thinking", "thinking": "word", "signature": "c2ln"},
        {"type": "text", "text": "word"},
    ),
    (
        "anthropic.messages",
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "word"},
    ),
    (
        "bedrock.converse",
        {"reasoningContent": {"reasoningText": {"text": "word", "signature": "c2ln"}}},
        {"text": "word"},
    ),
]


@pytest.mark.parametrize(("wire", "thought", "said"), SIGNED)
def test_a_turn_with_signed_thoughts_stays(wire, thought, said):
    body = {"messages": [{"role": "assistant", "content": [thought, said]}]}
    assert left(wire, body, replacing("assistant")) == ""


def test_a_turn_of_gemini_with_a_signature_stays():
    parts = [{"text": "word"}, {"functionCall": {}, "thoughtSignature": "x"}]
    body = {"contents": [{"role": "model", "parts": parts}]}
    assert left("gemini", body, replacing("assistant")) == ""


def test_all_that_a_model_said_around_sealed_reasoning_stays():
    said = {"type": "message", "role": "assistant", "content": "word"}
    sealed = {"type": "reasoning", "encrypted_content": "x"}
    user = {"role": "user", "content": "word"}
    body = {"input": [said, user, said, sealed, said]}

    after = done("openai.responses", body, replacing("assistant"))

    assert [one.get("content") for one in after["input"]] == ["W", "word", "word", None, "word"]


def test_groups_are_put_in():
    pattern = {
        "op": "replace_text",
        "role": "user",
        "pattern": r"(?i)order (?P<id>\d+)(, please)?",
        "replacement": r"[\g<id>|\2|\0|\\]",
    }
    body = {"prompt": 'An ORDER 12 and "order 7, please" \u00e9'}

    after = done("openai.completions", body, pattern)

    assert after["prompt"] == 'An [12||ORDER 12|\\] and "[7|, please|order 7, please|\\]" \u00e9'


def test_escapes_around_a_match_stay_as_they_are_spelled():
    body = b'{"prompt":"\\u0041 word\\u000a\\/ \\ud83d\\ude00word"}'
    made = applied("openai.completions", body, replacing("user", replacement='"'))

    assert made.body == b'{"prompt":"\\u0041 \\"\\u000a\\/ \\ud83d\\ude00\\""}'


def test_a_match_that_becomes_itself_is_no_edit():
    assert left("openai.chat", {"messages": CHAT}, replacing("user", replacement="word")) == ""


def test_a_hostile_pattern_takes_linear_time_and_very_many_places_none():
    pattern = {"op": "replace_text", "role": "user", "pattern": "(a*)*b", "replacement": "x"}
    body = {"prompt": "a" * 1_000_000}
    begin = time.process_time()
    assert left("openai.completions", body, pattern) == ""
    many = {**replacing("user"), "find": "a"}
    assert left("openai.completions", body, many) == "refused"
    assert time.process_time() - begin < 2
