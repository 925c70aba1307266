"""Names of tools within texts, out and back, for namespaces that ask for it."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.answer import Answer
from llmproxy_core.namespace.incoming import changed_frame
from llmproxy_core.namespace.mentions import speaking
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.providers.eventstream import MessageReader, encode_message
from llmproxy_core.spans.recent import Recent

PREFIX = "pay__"
LONG = "look_up_" + "a_very_long_name_" * 4
NAMES = ("get_weather", "refund2", "read", LONG)
CHAT = "openai.chat"
EVENTS = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]


class M(str):
    """A text in which each `@name` stands for a name that is to be prefixed."""


def told(value: Any, before: str) -> Any:
    """A body with its names in texts as they are on one side."""
    if isinstance(value, M):
        return M(value.replace("@", before))
    if isinstance(value, dict):
        return {key: told(inner, before) for key, inner in value.items()}
    return [told(inner, before) for inner in value] if isinstance(value, list) else value


def tools(*names: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name}} for name in names or NAMES]


def chat(text: str, *names: str) -> dict[str, Any]:
    return {"tools": tools(*names), "messages": [{"role": "user", "content": text}]}


def asked() -> Naming:
    return Naming(PREFIX, plain_text=True)


def sent_text(text: str, *names: str) -> str:
    """What the provider reads of a prompt."""
    body = json.dumps(chat(text, *names)).encode()
    naming = asked()
    out = prefix_request(CHAT, body, naming).body
    assert strip_request(CHAT, out, naming) == body
    return str(json.loads(out)["messages"][0]["content"])


def of_request() -> Naming:
    naming = asked()
    prefix_request(CHAT, json.dumps(chat("Hi")).encode(), naming)
    return naming


def back(wire: str, stream: bytes, size: int = 0, headers: Any = EVENTS) -> bytes:
    answer = Answer(wire, of_request(), headers)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    out = b"".join(map(answer.feed, pieces)) + answer.finish()
    assert answer.fault is None
    return out


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def spoken(*texts: str | None, choice: int = 0) -> list[dict[str, Any]]:
    """Events of a chat; None: one without a text."""
    deltas: list[dict[str, Any]] = [{} if text is None else {"content": text} for text in texts]
    return [{"choices": [{"index": choice, "delta": delta}]} for delta in deltas]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("use get_weather.", "use pay__get_weather."),
        ('get_weather\nand "refund2"\t`get_weather`', None),
        ("forget_weather get_weather2 get_weather-x xget_weather", None),
        ("read the book", "read the book"),
        ("é" + "get_weather" + "日", "épay__get_weather日"),
        ("\\get_weather\\\\", "\\pay__get_weather\\\\"),
        ("", ""),
    ],
)
def test_a_name_is_changed_where_it_is_a_whole_word(text, sent):
    if sent is None:
        sent = text.replace("\nand", "\nand").replace('"refund2"', '"pay__refund2"')
        sent = sent.replace("`get", "`pay__get")
        sent = "pay__" + sent if text.startswith("get") else text
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
    answer = Answer(CHAT, naming, EVENTS)
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
