import json
from typing import Any

import pytest

from llmproxy_core.namespace.opening import (
    Opening,
    answer_key,
    has_signatures,
    offers_tools,
    opening,
)
from llmproxy_core.namespace.whole import fields_of
from llmproxy_core.providers.settings import SESSION_HEADERS


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        (b'{"type":"thinking","thinking":"","signature":"abc"}', True),
        (b'{"functionCall":{},"thoughtSignature":"abc"}', True),
        (b'{"thought_signature": "abc"}', True),
        (b'{"type":"reasoning","encrypted_content":"abc"}', True),
        (b'{"include":["reasoning.encrypted_content"],"input":[]}', False),
        (b"{}", False),
    ],
)
def test_what_a_provider_has_signed_is_known_by_its_keys(body, signed):
    """Codex asks for signed thoughts in its first request, which has none."""
    assert has_signatures(body) is signed


USER, ANSWER = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
CHAT, RESPONSES, CLAUDE = "openai.chat", "openai.responses", "anthropic.messages"


def known(wire: str, body: Any, *headers: tuple[str, str]) -> Opening | None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return opening(wire, list(headers), fields_of(text))


def chat(*messages: Any) -> Opening:
    found = known(CHAT, {"messages": messages})
    assert found
    return found


def test_the_first_turn_and_later_ones_have_a_key_in_common():
    first, second = chat(USER), chat(USER, ANSWER, USER)
    third = chat(USER, ANSWER, USER, ANSWER, {"role": "user", "content": "more"})

    assert (first.begins, second.begins) == (True, False)
    assert first.keys == second.keys[1:]
    assert second == third


def test_conversations_that_begin_alike_are_told_apart_by_the_first_answer():
    one = chat(USER, ANSWER, USER)
    two = chat(USER, {"role": "assistant", "content": "another"}, USER)
    assert one.keys[0] != two.keys[0]
    assert one.keys[1] == two.keys[1]


@pytest.mark.parametrize("header", SESSION_HEADERS)
def test_a_session_that_the_client_tells_counts_for_more_than_what_is_said(header):
    told = (header.upper(), "s1")
    one = known(CHAT, {"messages": [USER]}, told)
    assert one
    assert not one.begins
    assert one == known(CLAUDE, {"messages": [ANSWER]}, told)
    assert one != known(CHAT, {"messages": [USER]}, (header, "s2"))
    assert known(CHAT, {"messages": [USER]}, (header, "")) == chat(USER)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_before_a_conversation_are_no_part_of_it(role):
    assert chat({"role": role, "content": "today is Monday"}, USER) == chat(USER)


def test_nor_are_codexs_tools_among_the_input():
    tools = {"type": "additional_tools", "tools": [{"name": "x"}]}
    one = known(RESPONSES, {"input": [tools, USER]})
    assert one == known(RESPONSES, {"input": [tools | {"tools": []}, USER]})
    assert one == known(RESPONSES, {"input": [USER]})


def test_marks_of_the_cache_do_not_matter():
    part = {"type": "text", "text": "hi"}
    marked = part | {"cache_control": {"type": "ephemeral"}}
    one, two = ({"role": "user", "content": [one]} for one in (part, marked))
    assert known(CLAUDE, {"messages": [one]}) == known(CLAUDE, {"messages": [two]})
    later = [one, ANSWER, two]
    assert known(CLAUDE, {"messages": [two, ANSWER]}) == known(CLAUDE, {"messages": later})


def test_the_first_answer_may_be_a_call_without_a_role():
    call = {"type": "function_call", "name": "x", "call_id": "c", "arguments": "{}"}
    found = known(RESPONSES, {"input": [USER, call]})
    assert found
    assert not found.begins
    assert found != known(RESPONSES, {"input": [USER, call | {"call_id": "d"}]})


def test_gemini_has_its_own_words():
    user = {"role": "user", "parts": [{"text": "hi"}]}
    model = {"role": "model", "parts": [{"text": "hello"}]}
    one, two = (known("gemini", {"contents": turns}) for turns in ([user], [user, model]))
    assert one
    assert two
    assert two.keys[1:] == one.keys


def test_an_input_may_be_a_mere_text():
    one = known(RESPONSES, {"input": "hi"})
    assert one
    assert one.begins
    assert one != known(RESPONSES, {"input": "ho"})


def test_one_wire_format_is_not_another():
    assert known(CHAT, {"messages": [USER]}) != known(CLAUDE, {"messages": [USER]})


def test_what_came_before_may_be_at_the_provider():
    found = known(RESPONSES, {"previous_response_id": "resp_1", "input": [USER]})
    assert found == Opening((answer_key("resp_1"),), elsewhere=True)
    first = {"previous_response_id": None, "input": [USER]}
    assert known(RESPONSES, first) == known(RESPONSES, {"input": [USER]})


def test_each_user_has_conversations_of_their_own_but_ids_are_the_providers():
    one = chat(USER)
    assert one.of("anna") == one.of("anna")
    assert len({one.keys, one.of("anna").keys, one.of("ben").keys, one.of("\udce4").keys}) == 4
    elsewhere = Opening((answer_key("resp_1"),), elsewhere=True)
    assert elsewhere.of("anna") == elsewhere


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"{}", b'{"messages": []}',
        b'{"messages": [{"role": "system"}]}',
    ],
)  # fmt: skip
def test_nothing_is_known_of_a_body_in_which_nobody_says_anything(body):
    assert known(CHAT, body) is None


@pytest.mark.parametrize(
    "messages",
    [
        b"null", b"5", b'{"role": "user"}', b"[null]", b"[5, [], {}]", b'[{"role": 5}]',
        b'[{"role": "user", "role": "assistant"}]', b'[{"role": null, "type": {}}]',
        b'[{"role": "\\ud800"}]', b"[" + b"[" * 500 + b"]" * 500 + b"]",
    ],
)  # fmt: skip
def test_odd_messages_raise_nothing(messages):
    body = b'{"messages": %b}' % messages
    assert known(CHAT, body) == known(CHAT, body)
    known(RESPONSES, b'{"input": %b, "previous_response_id": %b}' % (messages, messages))


def test_a_format_that_we_do_not_read_has_sessions_only():
    assert known("nobody.knows", {"messages": [USER]}) is None
    assert known("nobody.knows", {}, (next(iter(SESSION_HEADERS)), "s"))


@pytest.mark.parametrize(
    ("body", "offers"),
    [
        ({"tools": []}, True),
        ({"functions": []}, True),
        ({"toolConfig": {}}, True),
        ({"request": {"tools": []}}, True),
        ({"input": [{"type": "additional_tools"}]}, True),
        ({"input": [{"type": "message", "content": "x" * 2000 + "additional_tools"}]}, False),
        ({"messages": []}, False),
    ],
)
def test_tools_are_offered_under_these_keys(body, offers):
    assert offers_tools(fields_of(json.dumps(body).encode())) is offers
