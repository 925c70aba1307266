"""System prompts, in every format that has one."""

import json

import pytest

from llmproxy_core.providers.formats import read_request
from tests.unit.transformations.done import applied, done, left

USER = {"role": "user", "content": "hi"}
BODIES = {
    "openai.chat": {"messages": [{"role": "system", "content": "Old."}, USER]},
    "openai.responses": {"instructions": "Old.", "input": "hi"},
    "openai.responses.websocket": {"type": "response.create", "instructions": "Old.", "input": []},
    "openai.realtime": {"type": "session.update", "session": {"instructions": "Old."}},
    "anthropic.messages": {"system": "Old.", "messages": [USER]},
    "anthropic.count_tokens": {"system": "Old.", "messages": [USER]},
    "gemini": {"systemInstruction": {"parts": [{"text": "Old."}]}, "contents": []},
    "gemini.live": {"setup": {"systemInstruction": {"parts": [{"text": "Old."}]}}},
    "bedrock.converse": {"system": [{"text": "Old."}], "messages": []},
    "bedrock.invoke": {"anthropic_version": "x", "system": "Old.", "messages": [USER]},
    "ollama.chat": {"messages": [{"role": "system", "content": "Old."}, USER]},
    "ollama.generate": {"system": "Old.", "prompt": "hi"},
    "cohere.chat": {"messages": [{"role": "system", "content": "Old."}, USER]},
}
FRAMES = frozenset({"openai.responses.websocket", "openai.realtime", "gemini.live"})


def system_of(wire: str, body: bytes) -> str:
    text = json.dumps({"from": "client", "data": json.loads(body)}).encode()
    request, _ = read_request(wire, "/v1/x", [], text if wire in FRAMES else body)
    said = [part.text for part in request.system]
    said += [p.text for m in request.messages if m.role == "system" for p in m.parts]
    return "|".join(said)


def told(wire: str, op: str) -> str:
    made = applied(wire, BODIES[wire], {"op": op, "text": "New."})
    assert not made.left
    again = applied(wire, made.body, {"op": op, "text": "New."})
    assert not again.edits, "a second time changes nothing"
    return json.dumps(json.loads(made.body))


@pytest.mark.parametrize("wire", BODIES)
def test_text_is_added_before_and_after_and_put_in_its_place(wire):
    assert told(wire, "append_system").index("Old.") < told(wire, "append_system").index("New.")
    assert told(wire, "prepend_system").index("New.") < told(wire, "prepend_system").index("Old.")
    assert "Old." not in told(wire, "replace_system")


@pytest.mark.parametrize("wire", [wire for wire in BODIES if wire not in FRAMES])
def test_our_own_reader_finds_it(wire):
    made = applied(wire, BODIES[wire], {"op": "append_system", "text": "New."})
    assert system_of(wire, made.body) in ("Old.\n\nNew.", "Old.|New.")


@pytest.mark.parametrize(
    ("wire", "body", "after"),
    [
        (
            "openai.chat",
            {"messages": [USER]},
            {"messages": [{"role": "system", "content": "New."}, USER]},
        ),
        ("openai.responses", {"input": "hi"}, {"input": "hi", "instructions": "New."}),
        ("anthropic.messages", {"system": None}, {"system": "New."}),
        (
            "gemini",
            {"contents": []},
            {"contents": [], "systemInstruction": {"parts": [{"text": "New."}]}},
        ),
        ("bedrock.converse", {"messages": []}, {"messages": [], "system": [{"text": "New."}]}),
        ("ollama.generate", {"prompt": "hi"}, {"prompt": "hi", "system": "New."}),
        ("cohere.chat", {"message": "hi"}, {"message": "hi", "preamble": "New."}),
    ],
)
def test_where_there_is_none_one_is_made(wire, body, after):
    assert done(wire, body, {"op": "append_system", "text": "New."}) == after


def test_a_request_of_developer_messages_gets_no_system_message():
    body = {"messages": [{"role": "developer", "content": "Old."}, USER]}
    after = done("openai.chat", body, {"op": "append_system", "text": "New."})

    assert [one["role"] for one in after["messages"]] == ["developer", "user"]
    assert after["messages"][0]["content"] == "Old.\n\nNew."


def test_blocks_are_added_to_blocks_behind_what_is_cached():
    old = {"type": "text", "text": "Old.", "cache_control": {"type": "ephemeral"}}
    after = done("anthropic.messages", {"system": [old]}, {"op": "append_system", "text": "New."})

    assert after["system"] == [old, {"type": "text", "text": "New."}]


def test_replacing_blocks_keeps_a_cache_breakpoint():
    mark = {"cache_control": {"type": "ephemeral"}}
    blocks = [{"type": "text", "text": "A", **mark}, {"type": "text", "text": "B"}]
    after = done("anthropic.messages", {"system": blocks}, {"op": "replace_system", "text": "N"})

    assert after["system"] == [{"type": "text", "text": "N", **mark}]


def test_replacing_takes_all_messages_of_the_system_before_the_conversation():
    system = [{"role": "system", "content": word} for word in "ab"]
    later = {"role": "system", "content": "later"}
    after = done(
        "openai.chat",
        {"messages": [*system, USER, later]},
        {"op": "replace_system", "text": "N"},
    )

    assert after["messages"] == [{"role": "system", "content": "N"}, USER, later]


def test_tools_of_codex_before_the_system_message_stay_in_front():
    offers = {"type": "additional_tools", "tools": []}
    said = {
        "type": "message",
        "role": "developer",
        "content": [{"type": "input_text", "text": "O"}],
    }
    after = done(
        "openai.responses", {"input": [offers, said, USER]}, {"op": "append_system", "text": "N"}
    )

    assert after["input"][0] == offers
    assert after["input"][1]["content"][1] == {"type": "input_text", "text": "N"}


def test_only_the_bytes_of_a_string_are_edited():
    body = b'{ "system" : "a \\u00e9" , "x":1.0 }'
    made = applied("anthropic.messages", body, {"op": "append_system", "text": 'say "é"\n'})

    assert made.edits == [(22, 22, '\\n\\nsay \\"é\\"\\n'.encode())]


@pytest.mark.parametrize("wire", ["openai.completions", "openai.embeddings", "unknown"])
def test_formats_without_a_system_prompt_are_left_alone(wire):
    assert left(wire, {"prompt": "x"}, {"op": "append_system", "text": "N"}) == "elsewhere"


def test_a_frame_that_does_not_tell_instructions_stays_as_it_is():
    append = {"op": "append_system", "text": "N"}
    for wire, frame in (
        ("openai.realtime", {"type": "session.update", "session": {"voice": "x"}}),
        ("openai.realtime", {"type": "input_audio_buffer.append", "audio": "x"}),
        ("openai.responses.websocket", {"type": "response.cancel"}),
        ("gemini.live", {"clientContent": {"turns": []}}),
    ):
        assert left(wire, frame, append) == ""


def test_a_prompt_in_a_cache_at_googles_is_told_not_made():
    body = {"contents": [], "cachedContent": "cachedContents/x"}
    assert left("gemini", body, {"op": "append_system", "text": "N"}) == "elsewhere"


def test_all_requests_of_a_batch_are_changed_or_none():
    batch = {"requests": [{"custom_id": "a", "params": {"system": "x"}}, {"params": {}}]}
    after = done("anthropic.batches", batch, {"op": "append_system", "text": "N"})

    assert [one["params"]["system"] for one in after["requests"]] == ["x\n\nN", "N"]
