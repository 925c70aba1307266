"""Recorded calls whose texts are not kept: what is told of them is what is told of the whole."""

import re
from typing import Any

from llmproxy_core.anomaly.texts import answer_texts, request_texts
from llmproxy_core.model import Request
from llmproxy_core.pricing.estimate import estimated
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.withholding.withheld import Withheld
from tests.unit.providers.corpus import (
    Exchange,
    answer_of,
    body,
    exchanges,
    headers,
    needs_corpus,
    path_of,
    readable,
    request_of,
    wire_of,
)
from tests.unit.providers.sessions import frames_of, sessions, split
from tests.unit.providers.sessions import wire_of as wire_of_session
from tests.unit.withholding.test_withheld import facts, read, told

pytestmark = needs_corpus

WORDS = re.compile(r"[^\W\d_]{5,}")
NAMES = re.compile(r"[\w.:/@+=#|,;-]{1,512}", re.ASCII)
SOUND = ("audio/", "image/", "video/")
WARNED = "9f098032c4b0adb8 c9b6d6d2b884b15d 9dda74b9fd75d59d 4d4e4f304f5b29f2 9c24ce421c2548d2"
EXPLAINED = {(id, "usage") for id in WARNED.split()}
"""Beside the counts of Cohere there is a warning in words."""
PROTOCOL = {"event", "message", "false"}
"""Of SSE, eventstreams and JSON."""
FEWER = 32
"""Tokens by which an estimate may differ for each text: blanks come in steps of 32."""


def kept(exchange: Exchange) -> tuple[bytes, bytes]:
    """What is written of request and answer, which come in pieces of 700 bytes."""
    keeper = Withheld(wire_of(exchange))
    asked = keeper.request(headers(exchange, "request"), body(exchange, "request"))
    keeper.answer(exchange["status"], headers(exchange, "response"))
    answered = body(exchange, "response")
    pieces = [keeper.feed(answered[at : at + 700]) for at in range(0, len(answered), 700)]
    return asked, b"".join([*pieces, keeper.finish(complete=True)])


def plain(exchange: Exchange) -> list[tuple[str, str]]:
    return [one for one in headers(exchange, "response") if one[0].lower() != "content-encoding"]


def test_recorded_calls_say_the_same_of_themselves() -> None:
    wrong = []
    for exchange in readable():
        asked, answered = kept(exchange)
        full, less = request_of(exchange)[0], _request(exchange, asked)
        wrong += _unlike(exchange, "request", told(full), told(less))
        if any(value.startswith(SOUND) for _, value in headers(exchange, "response")):
            continue
        status, path = exchange["status"], path_of(exchange)
        whole = answer_of(exchange)[0]
        again = read(wire_of(exchange), answered, plain(exchange), path, status)
        wrong += _unlike(exchange, "answer", facts(whole), facts(again))
        wrong += _unlike(exchange, "estimate", *_estimates(full, whole, less, again))
    assert wrong == [], "\n".join(wrong[:20])


def _request(exchange: Exchange, asked: bytes) -> Request:
    return read_request(wire_of(exchange), path_of(exchange), [], asked)[0]


def _unlike(exchange: Exchange, side: str, full: Any, less: Any) -> list[str]:
    return [
        f"{exchange['id']} {wire_of(exchange)} {side} {key}: {full[key]!r} != {less[key]!r}"
        for key in full
        if full[key] != less[key] and (exchange["id"], key) not in EXPLAINED
    ]


def _estimates(full: Request, whole: Any, less: Request, again: Any) -> tuple[Any, Any]:
    """Of answers without usage: about the same tokens."""
    one, other = estimated(full, whole), estimated(less, again)
    if one is None or other is None:
        return {"estimated": one is None}, {"estimated": other is None}
    texts = 2 + len(full.tools) + sum(len(message.parts) for message in full.messages)
    near = abs((one.input_tokens or 0) - (other.input_tokens or 0)) <= FEWER * texts
    near = near and abs((one.output_tokens or 0) - (other.output_tokens or 0)) <= FEWER * texts
    return {"near": True}, {"near": near}


def test_no_word_of_recorded_calls_is_written() -> None:
    """But words that are names, types and keys in them, too."""
    for exchange in exchanges():
        asked, answered = kept(exchange)
        request, response = request_of(exchange)[0], answer_of(exchange)[0]
        said = {
            word
            for text in (*request_texts(request), *answer_texts(response))
            for word in WORDS.findall(text.text)
        }
        written = set(WORDS.findall((asked + answered).decode("utf-8", "replace")))
        answer, _ = decode_body(headers(exchange, "response"), body(exchange, "response"))
        came = body(exchange, "request") + answer
        leaked = (said & written) - _protocol(came, asked + answered)
        assert leaked == set(), (exchange["id"], wire_of(exchange), leaked)


def _protocol(came: bytes, written: bytes) -> set[str]:
    """Words of strings without blanks that stand in both, and keys."""
    strings = written.replace(b"\\", b"").decode("utf-8", "replace").split('"')
    words = {word for one in strings if NAMES.fullmatch(one) for word in WORDS.findall(one)}
    return {word for word in words if word.encode() in came} | PROTOCOL


def test_recorded_sessions_say_the_same_of_themselves() -> None:
    for session in sessions():
        wire = wire_of_session(session)
        for turn in split(wire, frames_of(session)):
            keeper = Withheld(wire).frames()
            asked, answered = keeper.request([], turn.request), keeper.feed(turn.response)
            full, _ = read_request(wire, "", [], turn.request)
            less, _ = read_request(wire, "", [], asked)
            assert told(less) == told(full), session["id"]
            whole, again = read(wire, turn.response), read(wire, answered)
            assert facts(again) == facts(whole), session["id"]
            said = " ".join(text.text for text in (*request_texts(full), *answer_texts(whole)))
            written = set(WORDS.findall((asked + answered).decode()))
            protocol = _protocol(turn.request + turn.response, asked + answered)
            assert (set(WORDS.findall(said)) & written) - protocol == set(), session["id"]


def test_every_format_is_among_them() -> None:
    assert {wire_of(one) for one in readable()} <= set(FORMATS)
