import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.experiments.roots import Root, root
from llmproxy_core.namespace.whole import fields_of

CHAT = "openai.chat"
ASK = {"role": "user", "content": "Which river is longest?"}
SAID = {"role": "assistant", "content": "The Nile."}
MORE = {"role": "user", "content": "And in Europe?"}
UNIQUE = "0199a5b2-77aa-7c11-9d3e-1f2a3b4c5d6e"


def of(body, wire=CHAT, headers=(), user="") -> Root:
    data = json.dumps(body).encode()
    return root(wire, list(headers), fields_of(data), data, user)


def test_later_turns_have_the_key_with_which_a_conversation_began():
    first = of({"messages": [ASK]})
    later = of({"messages": [ASK, SAID, MORE]})

    assert first.begins
    assert not later.begins
    assert first.keys[0] in later.keys


def said(role: str, text: str, key: str = "content", inner: str = "") -> dict[str, object]:
    return {"role": role, key: [{inner: text}] if inner else text}


@pytest.mark.parametrize(
    ("wire", "turns", "messages"),
    [
        ("openai.chat", "messages", [said("developer", "x"), ASK, SAID, MORE]),
        ("openai.responses", "input", [ASK, SAID, MORE]),
        ("openai.responses.websocket", "input", [ASK, SAID, MORE]),
        ("anthropic.messages", "messages", [ASK, SAID, MORE]),
        (
            "gemini",
            "contents",
            [
                said("user", "a", "parts", "text"),
                said("model", "b", "parts", "text"),
                said("user", "c", "parts", "text"),
            ],
        ),
        (
            "bedrock.converse",
            "messages",
            [
                said("user", "a", inner="text"),
                said("assistant", "b", inner="text"),
                said("user", "c", inner="text"),
            ],
        ),
        ("cohere.chat", "messages", [ASK, SAID, MORE]),
        ("ollama.chat", "messages", [ASK, SAID, MORE]),
        ("ai21.chat", "messages", [ASK, SAID, MORE]),
    ],
)
def test_conversations_of_every_wire_keep_their_key(wire, turns, messages):
    first, later = of({turns: messages[:-2]}, wire), of({turns: messages}, wire)

    assert (first.begins, later.begins) == (True, False)
    assert first.keys == first.keys[:1] == later.keys[1:]
    assert first.unit == later.unit


def test_a_chain_within_a_session_is_known_by_the_answer_before():
    headers = [("session-id", UNIQUE)]
    body = {"input": [MORE], "previous_response_id": "resp_1"}
    found = of(body, "openai.responses.websocket", headers)

    assert found.elsewhere
    assert found.keys == of(body, "openai.responses.websocket").keys
    assert found.unit == of({"input": "Hi"}, "openai.responses.websocket", headers).unit


def test_the_system_prompt_and_tools_may_change_from_turn_to_turn():
    first = of({"messages": [{"role": "system", "content": "Monday"}, ASK]})
    later = of({"messages": [{"role": "system", "content": "Tuesday"}, ASK, SAID], "tools": []})

    assert first.keys[0] in later.keys


def test_marks_of_prompt_caches_may_move():
    text = {"type": "text", "text": "Hi"}
    marked = text | {"cache_control": {"type": "ephemeral"}}
    first = of({"messages": [{"role": "user", "content": [marked]}]}, "anthropic.messages")
    later = of(
        {"messages": [{"role": "user", "content": [text]}, SAID, MORE]}, "anthropic.messages"
    )

    assert first.keys[0] in later.keys


def test_different_first_words_are_different_conversations():
    assert of({"messages": [ASK]}).keys != of({"messages": [MORE]}).keys


def test_the_same_words_of_two_users_are_two_conversations():
    body = {"messages": [ASK]}

    assert len({of(body, user=user).keys for user in ("", "ann", "bob")}) == 3
    assert len({of(body, user=user).unit for user in ("", "ann", "bob")}) == 3


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (CHAT, {"messages": [ASK], "metadata": {"session_id": "s1"}}),
        ("openai.responses", {"input": "Hi", "prompt_cache_key": UNIQUE}),
        ("openai.responses", {"input": "Hi", "client_metadata": {"session_id": "s"}}),
        (
            "anthropic.messages",
            {"messages": [ASK], "metadata": {"user_id": f"user_a_account__session_{UNIQUE}"}},
        ),
        (
            "anthropic.messages",
            {"messages": [ASK], "metadata": {"user_id": json.dumps({"session_id": UNIQUE})}},
        ),
    ],
)
def test_an_id_in_the_body_is_what_arms_are_drawn_from_whatever_is_said(wire, body):
    said = body | {"messages": [MORE]} if "messages" in body else body | {"input": "More"}

    assert of(body, wire).unit == of(said, wire).unit
    assert of(body, wire).unit != of({"messages": [ASK]}).unit


def test_conversations_within_a_session_are_told_apart():
    headers = [("session-id", UNIQUE)]
    one, other = (of({"messages": [said]}, headers=headers) for said in (ASK, MORE))

    assert one.unit == other.unit
    assert one.keys != other.keys


@pytest.mark.parametrize("id", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_that_the_provider_keeps_is_known_by_its_id(id):
    one, other = (
        of({"input": said, "conversation": id}, "openai.responses") for said in ("Hi", "More")
    )

    assert one.lasting
    assert one == other


def test_an_id_in_a_header_goes_before_one_in_the_body():
    headers = [("X-Claude-Code-Session-Id", UNIQUE)]
    body = {"messages": [ASK], "metadata": {"session_id": "s1"}}

    assert of(body, headers=headers).unit == of({"messages": [MORE]}, headers=headers).unit
    assert of(body, headers=headers).unit != of(body).unit


def test_of_a_named_conversation_the_messages_tell_whether_it_begins():
    headers = [("session-id", UNIQUE)]

    assert of({"messages": [ASK]}, headers=headers).begins
    assert not of({"messages": [ASK, SAID, MORE]}, headers=headers).begins


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [ASK], "user": UNIQUE},
        {"messages": [ASK], "metadata": {"user_id": UNIQUE}},
        {"messages": [ASK], "prompt_cache_key": "v1"},
        {"messages": [ASK], "metadata": {"session_id": "s" * 5000}},
    ],
)
def test_what_names_a_person_or_nothing_unique_names_no_conversation(body):
    assert of(body) == of({"messages": [ASK]})


def test_a_chain_of_answers_is_known_by_the_answer_before():
    found = of({"input": "More", "previous_response_id": "resp_1"}, "openai.responses")

    assert found.elsewhere
    assert not found.begins


def test_what_is_no_conversation_is_known_by_all_of_it():
    one, same, other = (
        of({"prompt": text}, "openai.completions") for text in ("Once", "Once", "Twice")
    )

    assert one.begins
    assert one == same != other


def test_instructions_alone_are_known_by_all_of_them():
    bodies = [{"messages": [{"role": "system", "content": text}]} for text in ("a", "b")]

    assert of(bodies[0]).begins
    assert of(bodies[0]).keys != of(bodies[1]).keys


@given(st.binary(max_size=200), st.sampled_from(["", CHAT, "gemini", "openai.responses"]))
def test_bytes_that_are_nothing_have_a_root_all_the_same(body, wire):
    fields = {}
    try:
        fields = fields_of(body)
    finally:
        found = root(wire, [], fields, body)

    assert found.keys


@given(
    st.dictionaries(
        st.sampled_from(["messages", "input", "metadata", "conversation", "prompt_cache_key"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    )
)
def test_odd_fields_have_a_root_all_the_same(body):
    assert all(of(body, wire).keys for wire in (CHAT, "openai.responses"))
