"""Names of tools within texts of requests, for namespaces that ask for it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.mentions import speaking
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.request import Call, Prefixer
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.spans.recent import Recent
from tests.unit.namespace.plain_texts import (
    CHAT,
    EVENTS,
    LONG,
    NAMES,
    PARTS,
    PREFIX,
    asked,
    chat,
    of_request,
    sent_text,
    spoken,
    sse,
    tools,
)
from tests.unit.namespace.samples_texts import REQUESTS, told


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("use get_weather.", "use pay__get_weather."),
        ('get_weather\n"refund2"\t', 'pay__get_weather\n"pay__refund2"\t'),
        ("forget_weather get_weather2 get_weather-x", "forget_weather get_weather2 get_weather-x"),
        ("read the book", "read the book"),
        ("é" + "get_weather" + "日", "épay__get_weather日"),
        ("\\get_weather\\\\", "\\pay__get_weather\\\\"),
        ("", ""),
    ],
)
def test_a_name_is_changed_where_it_is_a_whole_word(text, sent):
    assert sent_text(text) == sent


def test_a_name_that_is_too_long_is_told_as_it_is_sent():
    (sent,) = of_request().shortened
    assert sent_text(f"use {LONG}!") == f"use {sent}!"
    assert sent_text("use " + LONG + "x") == "use " + LONG + "x"


@pytest.mark.parametrize(
    "escaped", ["\\u0067et_weather", "x\\u005fget_weather", "get_weather\\u0031"]
)
def test_a_word_with_escaped_letters_is_no_name(escaped):
    body = json.dumps(chat("@")).replace("@", escaped).encode()
    assert escaped.encode() in prefix_request(CHAT, body, asked()).body


@pytest.mark.parametrize(
    "name", ["get_weather", "web-search", "sha1", "getWeather", "READ", "a_bc"]
)
def test_a_name_speaks_that_is_no_word(name):
    assert speaking(name.encode())


@pytest.mark.parametrize("name", ["read", "Search", "a_b", "get.weather", "a/b_c", "émilie_"])
def test_a_name_that_may_be_a_word_does_not(name):
    assert not speaking(name.encode())


def test_names_stay_where_nobody_asks():
    body = json.dumps(chat("use get_weather")).encode()
    out = json.loads(prefix_request(CHAT, body, Naming(PREFIX)).body)
    assert out["messages"][0]["content"] == "use get_weather"


def test_only_tools_that_the_request_offers_are_changed():
    call = {"id": "get_weather", "function": {"name": "gone_away", "arguments": '"get_weather"'}}
    body = chat("get_weather, gone_away, unheard_of")
    body["messages"].append({"role": "assistant", "content": None, "tool_calls": [call]})
    out = json.loads(prefix_request(CHAT, json.dumps(body).encode(), asked()).body)
    assert out["messages"][0]["content"] == "pay__get_weather, gone_away, unheard_of"
    assert out["messages"][1]["tool_calls"] == [
        {"id": "get_weather", "function": {"name": "pay__gone_away", "arguments": '"get_weather"'}}
    ]


@pytest.mark.parametrize("taken", ["pay__get_weather", "pay__read"])
def test_a_name_that_a_text_has_as_it_is_sent_stays_in_all_texts(taken):
    """It could not be told from ours on its way back."""
    text = f"{taken}, get_weather and refund2"
    naming = asked()
    body = json.dumps(chat(text)).encode()
    out = prefix_request(CHAT, body, naming).body
    other = "get_weather" if taken.endswith("weather") else "pay__get_weather"
    assert json.loads(out)["messages"][0]["content"] == f"{taken}, {other} and pay__refund2"
    assert strip_request(CHAT, out, naming) == body
    answer = restoring(CHAT, naming, EVENTS)
    stream = sse(*spoken(f"{taken} and pay__refund2."))
    assert answer.feed(stream) == sse(*spoken(f"{taken} and refund2."))


def test_a_clients_own_name_with_the_prefix_is_told_from_ours():
    assert sent_text("refund2 and x", "refund2", "pay__refund2") == "pay__refund2 and x"
    both = "refund2 and pay__refund2"
    assert sent_text(both, "refund2", "pay__refund2") == both


def test_what_was_said_before_is_remembered_by_its_names():
    memory: Any = Recent(99)
    text = "use get_weather or refund2 " + "x" * 99
    for names in [("get_weather",), ("refund2",), ("get_weather", "refund2"), ("refund2",)]:
        body = json.dumps(chat(text, *names)).encode()
        for _ in range(2):
            out = prefix_request(CHAT, body, asked(), told=memory).body
            assert out == prefix_request(CHAT, body, asked()).body
            assert out.count(b"pay__") == 2 * len(names)


@given(st.lists(PARTS, max_size=9), st.booleans())
def test_what_was_sent_is_the_request_again(said, ascii_only):
    text = "".join(said)
    body = json.dumps(chat(text), ensure_ascii=ascii_only).encode()
    naming = asked()
    out = prefix_request(CHAT, body, naming)
    assert out.reason == ""
    assert strip_request(CHAT, out.body, naming) == body
    if not naming.left_in_texts:
        later = Naming(PREFIX, shortened=naming.shortened, plain_text=True)
        assert strip_request(CHAT, out.body, later) == body


@pytest.mark.parametrize(("wire", "body"), REQUESTS)
def test_in_requests_names_are_changed_in_texts_alone(wire, body):
    came = json.dumps(told(body, ""), indent=1).encode()
    naming = asked()
    out = prefix_request(wire, came, naming).body
    assert out.decode() == json.dumps(told(body, PREFIX), indent=1)
    assert strip_request(wire, out, naming) == came


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2,', b'{"\\u0061": 1,'])
def test_texts_of_a_request_that_is_written_strangely_stay(body):
    rest = json.dumps(chat("get_weather")).encode()[1:]
    out = prefix_request(CHAT, body + rest, asked()).body
    assert out.count(b"pay__") == len(NAMES)


TALKS = Namespace("talks", PREFIX, plain_text=True)
SILENT = Namespace("talks", PREFIX)


def call(*said: dict[str, Any], path: str = "/v1/chat/completions") -> Call:
    body = {"tools": tools("get_weather"), "messages": [{"role": "user", "content": "get_weather"}]}
    body["messages"] += said
    return Call("openai", CHAT, path, [], json.dumps(body).encode())


SAID_BEFORE = {"role": "assistant", "content": "18"}, {"role": "user", "content": "Thanks."}


@pytest.mark.parametrize(("began", "goes_on"), [(TALKS, SILENT), (SILENT, TALKS)])
def test_a_conversation_keeps_its_texts_as_they_began(began, goes_on, tmp_path):
    first = Prefixer(tmp_path / "prefixes", 2**20).sent(call(), began)
    for prefixer in (Prefixer(tmp_path / "prefixes", 2**20),) * 2:
        later = prefixer.sent(call(*SAID_BEFORE), goes_on)
        assert (later.prefix, later.left_alone) == (PREFIX, "")
        assert later.body.count(b"pay__") == first.body.count(b"pay__")
    assert first.body.count(b"pay__") == 1 + began.plain_text


def test_a_namespace_without_its_prefix_goes_on_with_a_conversation_as_it_was():
    prefixer = Prefixer(None, 2**20)
    prefixer.sent(call(), TALKS)
    assert prefixer.sent(call(*SAID_BEFORE), Namespace("talks")).body.count(b"pay__") == 2


def test_what_goes_on_from_an_answer_goes_on_as_it_was():
    prefixer = Prefixer(None, 2**20)
    sent = prefixer.sent(call(), TALKS)
    assert sent.naming
    prefixer.remember("resp_1", sent.naming)
    body: dict[str, Any] = {"previous_response_id": "resp_1", "input": "get_weather"}
    body |= {"tools": [{"type": "function", "name": "get_weather"}]}
    asked = Call("openai", "openai.responses", "/v1/responses", [], json.dumps(body).encode())
    assert prefixer.sent(asked, SILENT).body.count(b"pay__") == 2
    answered = prefixer.answered("resp_1")
    assert answered
    assert answered.prefix == PREFIX.encode()
