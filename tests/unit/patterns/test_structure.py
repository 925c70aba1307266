import json
from typing import Any

import pytest

from llmproxy_core.model import Headers, Message, Part, Request
from llmproxy_core.patterns.structure import LONGEST, Facts, facts_of, form_of, said, structure_of
from llmproxy_core.providers.formats import FORMATS, read_request
from tests.unit.providers import corpus


def facts(wire: str, body: dict[str, Any], headers: Headers | None = None) -> Facts:
    data = json.dumps(body).encode()
    return facts_of(wire, headers or [], read_request(wire, "/", [], data)[0], data)


def user(text: str) -> Message:
    return Message("user", [Part("text", text)])


ASKED: dict[str, dict[str, Any]] = {
    "openai.chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
        ]
    },
    "openai.responses": {"instructions": "Be brief.", "input": "Why?"},
    "anthropic.messages": {
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Why?"}],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"parts": [{"text": "Why?"}]}],
    },
    "bedrock.converse": {
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "Why?"}]}],
    },
    "ollama.chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
        ]
    },
    "ollama.generate": {"system": "Be brief.", "prompt": "Why?"},
    "cohere.chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why?"},
        ]
    },
}


@pytest.mark.parametrize("wire", ASKED)
def test_each_wire_tells_its_prompt_and_its_instructions(wire):
    found = facts(wire, ASKED[wire])
    assert (found.user, found.system, found.turn, found.steps) == ("Why?", "Be brief.", 1, 0)
    assert found.asks


def test_the_prompt_is_the_newest_text_of_the_user():
    messages = [user("One?"), Message("assistant", [Part("text", "1")]), user("Two?")]
    found = facts_of("openai.chat", [], Request(messages=messages))
    assert (found.user, found.turn) == ("Two?", 2)
    assert found.roles == {"user": 2, "assistant": 1}


def test_a_later_step_of_an_agent_has_the_same_prompt_and_asks_nothing_new():
    messages = [
        user("Mend it."),
        Message("assistant", [Part("tool_call", "{}", "read", "1")]),
        Message(
            "user",
            [
                Part("tool_result", "text", "read", "1"),
                Part("text", "<system-reminder>x</system-reminder>"),
            ],
        ),
    ]
    found = facts_of("anthropic.messages", [], Request(messages=messages))
    assert (found.user, found.steps, found.tool_results, found.asks) == ("Mend it.", 2, 1, False)


def test_what_clients_put_around_a_prompt_is_left_out():
    told = Message(
        "user",
        [Part("text", "<system-reminder>be good</system-reminder>"), Part("text", "Mend it.")],
    )
    assert said(told) == "Mend it."


def test_long_texts_keep_their_beginning_and_their_end():
    text = facts_of("openai.chat", [], Request(messages=[user("a" + "x" * 10**6 + "z")])).user
    assert len(text) == LONGEST
    assert (text[0], text[-1]) == ("a", "z")


def test_what_asks_no_model_has_no_prompt():
    assert facts("openai.embeddings", {"input": "Why?"}).user == ""
    assert facts("anthropic.count_tokens", ASKED["anthropic.messages"]).user == ""


@pytest.mark.parametrize(
    ("wire", "body", "form"),
    [
        ("openai.chat", {"response_format": {"type": "json_schema", "json_schema": {}}}, "schema"),
        ("openai.chat", {"response_format": {"type": "json_object"}}, "json"),
        ("openai.responses", {"text": {"format": {"type": "json_schema", "schema": {}}}}, "schema"),
        ("gemini", {"generationConfig": {"responseSchema": {"type": "OBJECT"}}}, "schema"),
        ("gemini", {"generationConfig": {"responseMimeType": "application/json"}}, "json"),
        ("gemini", {"request": {"generationConfig": {"responseSchema": {}}}}, "schema"),
        ("ollama.chat", {"format": {"type": "object", "properties": {}}}, "schema"),
        ("ollama.chat", {"format": "json"}, "json"),
        ("openai.chat", {"messages": [{"role": "user", "content": '"json_schema"'}]}, "text"),
    ],
)
def test_the_form_of_an_answer_is_told(wire, body, form):
    assert facts(wire, body).form == form


def test_a_frame_of_a_websocket_tells_its_form():
    data = json.dumps({"type": "response.create", "text": {"format": {"type": "json_schema"}}})
    line = json.dumps({"from": "client", "type": "text", "at": 1, "data": data}).encode()
    assert form_of("openai.responses.websocket", {}, line + b"\n") == "schema"


def test_the_session_is_the_one_that_the_client_names():
    headers = [("User-Agent", "codex/1"), ("Session-Id", "abc")]
    found = facts("openai.chat", ASKED["openai.chat"] | {"user": "me"}, headers)
    assert (found.session, found.user_agent) == ("abc", "codex/1")
    assert facts("openai.chat", {"user": "me"}).session is None
    assert facts("openai.chat", {"prompt_cache_key": "key"}).session == "key"


def test_calls_tell_how_they_are_made():
    step = Facts("openai.chat", "chat", tools=("read",), tool_results=1, form="schema")
    found = structure_of([step, Facts("openai.chat", "chat")])
    assert (found.tools, found.tool_results, found.schema) == (0.5, 0.5, 0.5)
    assert structure_of([]).tools == 0


@pytest.mark.parametrize("wire", FORMATS)
def test_no_wire_is_without_facts(wire):
    for body in (b"", b"{}", b"[1]", b'{"messages": 3, "input": {}, "contents": [[]]}', b"\xff"):
        request, _ = read_request(wire, "/", [], body)
        assert facts_of(wire, [], request, body).wire == wire


@corpus.needs_corpus
def test_nearly_all_recorded_conversations_have_a_prompt():
    silent = ("embed", "rerank", "count_tokens", "audio", "images", "moderations")
    told = [
        facts_of(
            corpus.wire_of(one), corpus.headers(one, "request"), corpus.request_of(one)[0]
        ).user
        for one in corpus.readable()
        if not any(word in corpus.wire_of(one) for word in silent)
    ]
    assert sum(map(bool, told)) / len(told) >= 0.98
