"""Requests without values that a provider must not get."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.masking.masker import Secret
from llmproxy_core.namespace.request import Call
from llmproxy_core.redaction.restoring import RestoredValues
from llmproxy_core.redaction.wire import Redactor, Session
from tests.unit.redaction.values import (
    EMAIL,
    HEADERS,
    KEY,
    PLACEHOLDERS,
    SECRETS,
    redacted,
    restored,
    whole,
)

PIECES = st.sampled_from(
    [secret.value for secret in SECRETS]
    + [PLACEHOLDERS.of(secret) for secret in SECRETS]
    + ["\\", '"', '{"', "é", "😀", "\ud83d", "\n", "9", "SECRET_", "user-", "@redacted.invalid", " ", "u00"]
)  # fmt: skip
NUMBER = SECRETS[3]
"""Left alone within a longer number."""
TEXTS = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.recursive(
    TEXTS | st.integers(0, 10**20) | st.just(4929827344180019) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def call(body: Any, headers: list[tuple[str, str]] = HEADERS, **more: Any) -> Call:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call("openai", "openai.chat", "/v1/chat/completions", headers, raw, **more)


def chat(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    said = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return {"model": "m", "messages": said}


@settings(max_examples=400, deadline=None)
@given(VALUES, st.booleans(), st.sets(st.sampled_from(SECRETS), min_size=1))
def test_what_is_sent_becomes_what_was_said(value: Any, plain: bool, secrets: set[Secret]):
    body = {"messages": value}
    raw = json.dumps(body, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    made = redacted(raw, *sorted(secrets))
    sent = json.loads(made.body)
    assert whole(made) == body
    written = [text for text in _strings(sent) if isinstance(text, str)]
    assert not [one for one in secrets for text in written if one.value in text and one != NUMBER]
    if not made.count:
        assert made.body == raw


def _strings(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *(one for inner in value.values() for one in _strings(inner))]
    if isinstance(value, list):
        return [one for inner in value for one in _strings(inner)]
    return [value]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "spelled",
    [
        json.dumps,
        lambda value: json.dumps(json.dumps({"a": value})),
        lambda value: json.dumps(json.dumps(json.dumps({"a": value}), ensure_ascii=False)),
        lambda value: json.dumps("https://x/?q=" + quote(value, safe="")),
        lambda value: json.dumps(base64.b64encode(value.encode()).decode()),
        lambda value: json.dumps(base64.urlsafe_b64encode(b"ab" + value.encode()).decode()),
        lambda value: json.dumps(value.encode().hex()),
        lambda value: (
            '"' + "".join(f"\\u{ord(char):04x}" for char in value[:-1]) + value[-1:] + '"'
            if '"' not in value and value.isascii()
            else json.dumps(value)
        ),
    ],
)
def test_a_value_is_found_however_it_is_spelled(secret: Secret, spelled: Any):
    raw = b'{"messages": [{"content": %s}]}' % spelled(secret.value).encode()
    made = redacted(raw, secret)
    assert made.count
    assert whole(made) == json.loads(raw)
    sent = made.body
    for core in (secret.value.encode(), base64.b64encode(secret.value.encode())[:-4]):
        assert core not in sent
        assert core not in json.dumps(json.loads(sent)).encode()
    assert secret.value.encode().hex().encode() not in sent


def test_nothing_else_is_touched():
    raw = b'{ "b" : "\\u0061nd",\n\t"a":"to anna.schmidt@example.org!" ,"c": 1.50}'
    email = PLACEHOLDERS.of(SECRETS[0]).encode()
    assert redacted(raw, SECRETS[0]).body == raw.replace(b"anna.schmidt@example.org", email)


def test_a_text_that_is_there_already_is_no_placeholder():
    theirs = PLACEHOLDERS.of(SECRETS[0])
    made = redacted(chat(f"{EMAIL} is not {theirs}"), SECRETS[0])
    assert theirs not in made.back
    assert restored(json.loads(made.body), made.back) == chat(f"{EMAIL} is not {theirs}")


def test_words_of_the_protocol_stay():
    body = chat("The password is assistant", "I see") | {"tool_choice": "auto", "assistant": 1}
    made = redacted(body, Secret("secret:password", "assistant"))
    sent = json.loads(made.body)
    assert [one["role"] for one in sent["messages"]] == ["user", "assistant"]
    assert "assistant" in sent
    assert "assistant" not in sent["messages"][0]["content"]


def test_a_short_number_is_no_value():
    body = chat("PIN 1234") | {"max_tokens": 1234}
    made = redacted(body, Secret("secret:pin", "1234"))
    assert json.loads(made.body)["max_tokens"] == 1234
    assert "1234" not in json.loads(made.body)["messages"][0]["content"]


def test_a_longer_number_is_another_number():
    body = chat("id 94929827344180019 of 49298273441800190")
    assert redacted(body, SECRETS[3]).count == 0


def test_values_that_overlap_leave_nothing_of_either():
    made = redacted(chat("x abc def ghi y"), Secret("a:b", "abc def"), Secret("a:b", "def ghi"))
    text = json.loads(made.body)["messages"][0]["content"]
    assert not any(word in text for word in ("abc", "def", "ghi"))
    assert restored(text, made.back) == "x abc def ghi y"


SERVICE = json.dumps({"key_id": "1", "private_key": SECRETS[11].value}, indent=1)


@pytest.mark.parametrize("text", [SERVICE, f"Use this:\n{SERVICE}", json.dumps({"file": SERVICE})])
def test_a_key_in_json_is_the_same_key_in_json_that_a_model_writes(text: str):
    seen = [Secret("secret:private-key", value) for value in (json.dumps(SECRETS[11].value)[1:-1],)]
    made = redacted(chat(text), *seen)
    assert whole(made) == chat(text)
    [sent] = [one for one in made.back if one.startswith("SECRET_")]
    written = json.dumps({"private_key": sent})
    answer = RestoredValues("openai.chat", made.back, HEADERS)
    arguments = json.dumps({"content": written, "raw": sent})
    out = answer.feed(json.dumps({"arguments": arguments, "text": sent}).encode())
    given = json.loads(json.loads(out + answer.finish())["arguments"])
    assert json.loads(given["content"])["private_key"] == SECRETS[11].value
    assert given["raw"] == SECRETS[11].value


def test_a_value_that_was_found_in_json_is_one_without_its_escapes():
    key = SECRETS[11].value
    block = {"type": "tool_use", "input": {"key": key, "é": "x"}}
    body = {"messages": [{"content": [block]}]}
    seen = Secret("secret:private-key", json.dumps(key)[1:-1])
    made = redacted(body, seen, wire="anthropic.messages")
    assert b"MIIEvQ" not in made.body
    assert restored(json.loads(made.body), made.back) == body


def test_what_was_found_but_does_not_stand_there_is_told():
    redactor = Redactor(KEY, 10**6)
    known = [SECRETS[0], Secret("pii:email", "schmidt@example.org")]
    assert redactor.request(call(chat(EMAIL)), "default", known).left == ""
    sent = redactor.request(
        call(chat(f"{EMAIL} anna at home")), "x", [*known, Secret("a:b", "ann4")]
    )
    assert (sent.count, sent.left) == (1, "missing")


def test_forms_and_files_are_texts():
    for raw in (
        b"q=anna.schmidt%40example.org&x=1",
        b"--b\r\n\r\nanna.schmidt@example.org\r\n--b--",
    ):
        made = redacted(raw, SECRETS[0])
        assert made.count == 1
        assert b"schmidt" not in made.body
        assert restored(made.body.decode(), made.back) == raw.decode()


def test_the_next_turn_begins_with_the_same_bytes():
    redactor = Redactor(KEY, 10**6)
    first = chat(f"I am {EMAIL}, key {SECRETS[8].value}")
    later = chat(f"I am {EMAIL}, key {SECRETS[8].value}", "Hello", "Bye +1 (415) 555-0123")
    one = redactor.request(call(first), "default", [SECRETS[0], SECRETS[8]])
    two = redactor.request(call(later), "default", [SECRETS[1], SECRETS[8], SECRETS[0]])
    assert two.body.startswith(one.body[:-2])
    assert (
        Redactor(KEY, 10**6)
        .request(call(later), "default", [SECRETS[8], SECRETS[1], SECRETS[0]])
        .body
        == two.body
    )


def test_what_was_found_in_an_earlier_turn_is_not_sent_in_a_later_one():
    redactor = Redactor(KEY, 10**6)
    password = Secret("secret:password", "Sesam-9-open")
    redactor.request(call(chat("password: Sesam-9-open")), "default", [password])
    later = chat("password: Sesam-9-open", "So you said Sesam-9-open.", "Yes")
    sent = redactor.request(call(later), "default", [])
    assert sent.count == 2
    assert b"Sesam" not in sent.body
    for other in (call(later, user="bob"), call(chat("Is it Sesam-9-open?"))):
        assert redactor.request(other, "default", []).count == 0
    assert redactor.request(call(later), "elsewhere", []).count == 0


def test_an_answer_that_is_named_by_its_id_knows_the_values_of_its_request():
    redactor = Redactor(KEY, 10**6)
    first = redactor.request(call({"input": f"I am {EMAIL}"}), "default", [SECRETS[0]])
    redactor.answered("resp_1", "default", first)
    later = {"previous_response_id": "resp_1", "input": "Who am I?"}
    sent = redactor.request(call(later), "default", [])
    assert sent.count == 0
    assert sent.back == first.back
    assert redactor.fetched("resp_1") == first.back
    assert redactor.fetched("resp_2") == {}


def test_a_value_of_another_conversation_does_not_come_back():
    redactor = Redactor(KEY, 10**6)
    redactor.request(call(chat("Hi", "Hello", f"I am {EMAIL}")), "default", [SECRETS[0]])
    sent = redactor.request(call(chat("Hi", "Hello", PLACEHOLDERS.of(SECRETS[0]))), "default", [])
    assert sent.back == {}


def test_content_codings_stay():
    raw = gzip.compress(json.dumps(chat(EMAIL)).encode())
    coded = call(raw, [*HEADERS, ("content-encoding", "gzip")])
    sent = Redactor(KEY, 10**6).request(coded, "default", [SECRETS[0]])
    assert sent.count == 1
    assert EMAIL.encode() not in gzip.decompress(sent.body)


@pytest.mark.parametrize(
    ("headers", "raw", "why"),
    [
        ([("authorization", "AWS4-HMAC-SHA256 Credential=x")], None, "signed"),
        ([("content-encoding", "gzip")], gzip.compress(b"x" * 99)[:-9], "coding"),
        ([], b" " * 10**6 + EMAIL.encode(), "too_large"),
    ],
    ids=["signed", "coding", "too_large"],
)
def test_what_cannot_be_changed_says_why(headers: Any, raw: bytes | None, why: str):
    asked = call(raw or chat(EMAIL), headers)
    sent = Redactor(KEY, 10**6).request(asked, "default", [SECRETS[0]])
    assert (sent.body, sent.left) == (asked.body, why)


def test_thoughts_that_are_signed_stay():
    thought = {"type": "thinking", "thinking": f"It is {EMAIL}", "signature": "c2ln"}
    loose = {"type": "thinking", "thinking": f"It is {EMAIL}", "signature": ""}
    text = {"type": "text", "text": EMAIL}
    body = {"messages": [{"role": "assistant", "content": [thought, loose, text]}]}
    made = redacted(body, SECRETS[0], wire="anthropic.messages")
    sent = json.loads(made.body)["messages"][0]["content"]
    assert sent[0] == thought
    assert EMAIL not in json.dumps(sent[1:])
    assert made.left == "thoughts"
    assert made.count == 2


def test_a_placeholder_in_signed_thoughts_is_no_reason_for_another_one():
    ours = PLACEHOLDERS.of(SECRETS[0])
    thought = {"type": "thinking", "thinking": f"It is {ours}", "signature": "c2ln"}
    body = {"messages": [{"content": EMAIL}, {"content": [thought]}]}
    made = redacted(body, SECRETS[0], wire="anthropic.messages")
    assert made.left == ""
    assert made.body.count(ours.encode()) == 2


def test_frames_of_a_session_remember_each_other():
    session = Session(Redactor(KEY, 10**6), "openai.realtime", "default")
    session.frame(json.dumps({"item": EMAIL}).encode(), [SECRETS[0]])
    later = session.frame(json.dumps({"item": f"again {EMAIL}"}).encode(), [])
    assert later.count == 1
    assert session.back[PLACEHOLDERS.of(SECRETS[0])] == EMAIL
