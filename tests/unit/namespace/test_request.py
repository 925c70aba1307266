"""What becomes of requests of a namespace, and of what is fetched of their answers."""

import gzip
import json
import tracemalloc
from pathlib import Path
from time import process_time
from typing import Any

import brotli
import pytest
import zstandard

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.request import Call, Prefixer, Sent
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.providers.answer_id import fetched

MB = 2**20
PAY, PLAIN = Namespace("payments", "pay__"), Namespace("default")
LONG = "look_up_" + "a_very_long_name_" * 4
USER, ANSWER = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
BODY = b'{ "tools":[{"type":"function","function":{"name":"find"}}] ,"messages":[]}'
SENT = BODY.replace(b'"find"', b'"pay__find"')
CODINGS = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "br": brotli.compress,
}


def call(body: bytes = BODY, **more: Any) -> Call:
    told = {"provider": "openai", "wire": "openai.chat", "path": "/v1/chat/completions"}
    return Call(**{**told, "headers": [], "body": body, **more})


def sent(request: Call, namespace: Namespace = PAY, max_body: int = MB) -> Sent:
    return Prefixer(None, max_body).sent(request, namespace)


def chat(*messages: Any, tools: tuple[str, ...] = ("find",), **more: Any) -> bytes:
    offered = [{"type": "function", "function": {"name": name}} for name in tools]
    return json.dumps({"tools": offered, "messages": messages, **more}).encode()


def test_the_body_is_sent_with_the_prefix_and_nothing_else_is_changed() -> None:
    found = sent(call())
    assert (found.body, found.prefix, found.left_alone) == (SENT, "pay__", "")
    assert found.naming
    assert found.naming.restore(b"pay__find") == b"find"


@pytest.mark.parametrize("coding", CODINGS)
def test_a_coded_body_is_sent_in_its_coding(coding: str) -> None:
    came = CODINGS[coding](BODY)
    found = sent(call(came, headers=[("Content-Encoding", coding)]))
    decode = {
        "gzip": gzip.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
        "br": brotli.decompress,
    }
    assert decode[coding](found.body) == SENT


@pytest.mark.parametrize("told", ["identity", "Identity", "gzip"])
def test_a_plain_body_stays_plain_whatever_is_announced(told: str) -> None:
    assert sent(call(headers=[("content-encoding", told)])).body == SENT


GZIP = [("content-encoding", "gzip")]
ALONE: dict[str, list[Call]] = {
    "signed": [
        call(headers=[("Authorization", "AWS4-HMAC-SHA256 Credential=x")]),
        call(headers=[("content-md5", "x")]),
        call(path="/v1?X-Amz-Signature=abc"),
    ],
    "too_large": [call(b" " * (MB + 1) + BODY)],
    "coding": [
        call(headers=[("content-encoding", "lzma")]),
        call(gzip.compress(BODY)[:-9], headers=GZIP),
        call(gzip.compress(BODY + b" " * MB), headers=GZIP),
    ],
    "forbidden_prefix": [call(wire="cohere.chat", provider="cohere")],
    "elsewhere": [
        call(b'{"cachedContent":"c","contents":[]}', wire="gemini"),
        call(b'{"prompt":{"id":"p"},"input":[]}', wire="openai.responses"),
    ],
    "unreadable": [
        call(BODY[:-1]),
        call(b"hello"),
        call(BODY.decode().encode("utf-16")),
        call(wire="openai.assistants"),
    ],
    "strange_name": [call(chat(tools=("caf\u00e9",))), call(chat(tools=("find", "a b")))],
}


@pytest.mark.parametrize(
    ("reason", "request_"), [(reason, one) for reason, calls in ALONE.items() for one in calls]
)
def test_what_cannot_be_changed_is_sent_as_it_came_and_says_why(
    reason: str, request_: Call
) -> None:
    namespace = Namespace("p", "pay-") if reason == "forbidden_prefix" else PAY
    found = sent(request_, namespace)
    assert found == Sent(request_.body, left_alone=reason)
    assert found.body is request_.body


def test_names_that_would_be_one_leave_a_request_alone() -> None:
    skips = Namespace("p", "pay__", "skip")
    request = call(chat(tools=("pay__" + "n" * 57, "n" * 57)))
    assert sent(request, skips) == Sent(request.body, left_alone="collision")


def test_a_name_too_long_may_be_refused_with_what_to_do_about_it() -> None:
    request = call(chat(tools=(LONG,)))
    found = sent(request, Namespace("p", "pay__", "refuse"))
    assert found.left_alone == "too_long"
    assert LONG in found.refused
    assert "64 characters" in found.refused


@pytest.mark.parametrize(
    "request_",
    [
        call(b""),
        call(b'{"messages":[]}'),
        call(b'{"input":"x"}', wire="openai.embeddings"),
        call(gzip.compress(b'{"messages":[]}'), headers=GZIP),
    ],
)
def test_a_request_without_tools_is_the_same_object(request_: Call) -> None:
    found = sent(request_)
    assert found.body is request_.body
    assert (found.naming, found.left_alone) == (None, "")


def test_a_namespace_without_a_prefix_changes_nothing() -> None:
    for body in (BODY, b"hello", b"", gzip.compress(BODY)):
        request = call(body)
        assert sent(request, PLAIN) == Sent(request.body)


def turns(prefixer: Prefixer, topic: str, *namespaces: Namespace) -> list[tuple[str, str]]:
    """A conversation of as many turns; the prefix of each, and why it had none."""
    told: list[tuple[str, str]] = []
    messages: list[Any] = []
    for turn, namespace in enumerate(namespaces):
        messages.append({"role": "user", "content": f"{topic} {turn}"})
        found = prefixer.sent(call(chat(*messages)), namespace)
        assert (f'"{found.prefix}find"'.encode() in found.body) or not found.prefix
        told.append((found.prefix, found.left_alone))
        messages.append(ANSWER)
    return told


@pytest.mark.parametrize("restarted", [False, True])
def test_a_conversation_goes_on_as_it_began_whatever_is_in_force(
    tmp_path: Path, restarted: bool
) -> None:
    def prefixer() -> Prefixer:
        return Prefixer(tmp_path / "prefixes", MB) if restarted or not made else made[0]

    made: list[Prefixer] = []
    made.append(prefixer())
    other = Namespace("payments", "new__")
    assert turns(prefixer(), "one", PAY, PLAIN, other, PAY) == [("pay__", "")] * 4
    without = turns(prefixer(), "two", PLAIN, PAY, PLAIN)
    assert without == [("", ""), ("", "began_without"), ("", "")]


def test_one_that_began_elsewhere_with_signatures_goes_on_without() -> None:
    signed = {"role": "assistant", "content": [{"type": "thinking", "signature": "abc"}]}
    request = call(chat(USER, signed, USER))
    assert sent(request).left_alone == "began_without"
    assert sent(call(chat(USER, ANSWER, USER))).prefix == "pay__"


def test_a_conversation_without_tools_is_not_remembered(tmp_path: Path) -> None:
    prefixer = Prefixer(tmp_path / "prefixes", MB)
    body = json.dumps({"messages": [USER, ANSWER, USER]}).encode()
    assert prefixer.sent(call(body), PAY).prefix == "pay__"
    assert not (tmp_path / "prefixes").exists()


def test_the_history_is_named_as_the_tools_are() -> None:
    made = {"type": "function", "function": {"name": "find", "arguments": '{"name": "find"}'}}
    request = call(chat(USER, {"role": "assistant", "tool_calls": [made]}, tools=("find", LONG)))
    found = sent(request)
    assert found.naming
    assert found.body.count(b'"pay__find"') == 2
    assert found.body.count(b'\\"find\\"') == 1
    ((short, name),) = found.naming.shortened.items()
    assert name == LONG
    assert f'"{short}"'.encode() in found.body


def test_names_are_the_same_whether_a_message_was_seen_before_or_not() -> None:
    prefixer = Prefixer(None, MB)
    made = {"type": "function", "function": {"name": "find", "arguments": "{}" + " " * 100}}
    body = chat(USER, {"role": "assistant", "tool_calls": [made] * 20})
    first, again = (prefixer.sent(call(body), PAY).body for _ in range(2))
    assert first == again
    moved = body.replace(b'"messages": [', b'"messages":   [')
    assert prefixer.sent(call(moved), PAY).body == sent(call(moved)).body


def test_frames_of_a_session_are_changed_and_what_is_too_large_passes() -> None:
    prefixer = Prefixer(None, 1000)
    naming = prefixer.session(call(b"", wire="openai.realtime"), PAY)
    assert naming
    update = {
        "type": "session.update",
        "session": {"tools": [{"type": "function", "name": "find"}]},
    }
    frame = json.dumps(update).encode()
    ours = prefixer.frame("openai.realtime", frame, naming)
    assert (ours.body, ours.reason) == (frame.replace(b"find", b"pay__find"), "")
    strange = frame.replace(b"find", b"a b")
    large = frame + b" " * 1000
    others = {large: "too_large", strange: "strange_name", b"\x00\xff": "", b"": "", b"hello": ""}
    for other, reason in others.items():
        sent = prefixer.frame("openai.realtime", other, naming)
        assert sent.body is other
        assert sent.reason == reason


def test_a_session_without_a_prefix_and_a_signed_one_have_no_names() -> None:
    prefixer = Prefixer(None, MB)
    request = call(b"", wire="openai.realtime")
    assert prefixer.session(request, PLAIN) is None
    signed = call(b"", wire="openai.realtime", headers=[("Authorization", "AWS4-HMAC-SHA256 x")])
    assert prefixer.session(signed, PAY) is None


@pytest.mark.parametrize("restarted", [False, True])
def test_what_is_fetched_later_has_the_names_of_the_call(tmp_path: Path, restarted: bool) -> None:
    prefixer = Prefixer(tmp_path / "prefixes", MB)
    naming = prefixer.sent(call(chat(tools=("find", LONG))), PAY).naming
    assert naming
    answer = restoring("openai.responses", naming, [])
    answer.feed(b'{"id": "resp_abc1", "output": []}')
    prefixer.remember(answer.id, naming)

    found = fetched(f"/v1/responses/{answer.id}?stream=true")
    assert found == ("resp_abc1", "openai.responses")
    prefixer = Prefixer(tmp_path / "prefixes", MB) if restarted else prefixer
    later = prefixer.answered(found[0])
    assert later
    item = '{"output":[{"type":"function_call","name":"%s"}]}'.replace("%s", "{}")
    for name in ("find", LONG):
        came = naming.send(name.encode())
        assert came
        text = item.replace("{}", came.decode()).encode()
        assert (
            restoring("openai.responses", later, []).whole(text)
            == item.replace("{}", name).encode()
        )
    assert prefixer.answered("resp_other") is None


def test_an_answer_that_is_named_goes_on_with_its_prefix() -> None:
    prefixer, body = Prefixer(None, MB), {"tools": [{"type": "function", "name": "find"}]}
    prefixer.remember("resp_1", Naming("pay__"))
    follows = json.dumps({**body, "previous_response_id": "resp_1"}).encode()
    assert prefixer.sent(call(follows, wire="openai.responses"), PLAIN).prefix == "pay__"
    other = json.dumps({**body, "previous_response_id": "resp_2"}).encode()
    found = prefixer.sent(call(other, wire="openai.responses"), PAY)
    assert found.left_alone == "began_without"


def nested(levels: int) -> bytes:
    inner = b'[{"type":"tool_result","content":' * levels + b'"x"' + b"}]" * levels
    return b'{"tools":[{"name":"find"}],"messages":[{"role":"user","content":%b}]}' % inner


FIND = chat()[:-3]
HURTING = {
    "brackets": (b'{"x":' + b"[" * MB, "openai.chat"),
    "closed": (FIND + b'[],"x":' + b"[" * (MB // 2) + b"]" * (MB // 2) + b"}", "openai.chat"),
    "tools": (chat(tools=tuple(f"f{number}" for number in range(10_000))), "openai.chat"),
    "long": (chat(tools=tuple(f"{LONG}{number}" for number in range(5_000))), "openai.chat"),
    "name": (chat(tools=("n" * MB,)), "openai.chat"),
    "keys": (chat(*({"k" * MB + str(n): 1} for n in range(3))), "openai.chat"),
    "messages": (chat(*[USER] * 30_000), "openai.chat"),
    "calls": (
        chat({"role": "assistant", "tool_calls": [{"function": {"name": "find"}}] * 7_000}),
        "openai.chat",
    ),
    "twice": (FIND + b",".join([b'{"role":"user","role":"user"}'] * 10_000) + b"]}", "openai.chat"),
    "nan": (FIND + b",".join([b'{"role":NaN}'] * 15_000) + b"]}", "openai.chat"),
    "nested": (nested(10_000), "anthropic.messages"),
    "bomb": (gzip.compress(b'{"x":"' + b"a" * 300 * MB), "openai.chat"),
    "escapes": (FIND + b'{"content":"' + b"\\u0000" * 200_000 + b'"}]}', "openai.chat"),
}


@pytest.mark.parametrize("kind", HURTING)
def test_requests_made_to_hurt_take_time_and_room_in_proportion_to_their_size(kind: str) -> None:
    body, wire = HURTING[kind]
    headers = GZIP if kind == "bomb" else []
    request, prefixer = call(body, wire=wire, headers=headers), Prefixer(None, 16 * MB)
    began = process_time()
    found = prefixer.sent(request, PAY)
    assert process_time() - began < 3e-6 * len(body) + 1
    assert found.prefix or found.body is body
    tracemalloc.start()
    prefixer.sent(request, PAY)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * len(body) + 40 * MB
    assert kept < 2 * len(body) + 4 * MB
