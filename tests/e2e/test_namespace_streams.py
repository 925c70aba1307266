"""What comes back of answers of every kind, sound or not: the provider's bytes without prefixes."""

import json
import ssl
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from tests.e2e.namespaced import CONFIG, PREFIX, TEAM, Machine, function, said
from tests.e2e.test_protocols import Http2Only
from tests.e2e.tool_programs import PROGRAMS, QUESTIONS
from tests.mitm import Call, Mitmdump, wait_for

pytestmark = pytest.mark.system

LONG = "look_up_" + "a_very_long_name_" * 8
NAMES = ["find", LONG]
TWO = "call #1 with {} and call #2 with {}"
SCHEMA = {"type": "object"}
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
WIRES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (
        "https://api.openai.com/v1/chat/completions",
        {"model": "gpt-5", "messages": said(TWO), "tools": [function(name) for name in NAMES]},
    ),
    "responses": (
        "https://api.openai.com/v1/responses",
        {
            "model": "gpt-5",
            "input": TWO,
            "tools": [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES],
        },
    ),
    "anthropic": (
        "https://api.anthropic.com/v1/messages",
        {
            "model": "claude-opus-5-5",
            "max_tokens": 99,
            "messages": said(TWO),
            "tools": [{"name": name, "input_schema": SCHEMA} for name in NAMES],
        },
    ),
    "gemini": (
        GEMINI,
        {
            "contents": [{"role": "user", "parts": [{"text": TWO}]}],
            "tools": [{"functionDeclarations": [{"name": name} for name in NAMES]}],
        },
    ),
}
DECODERS = {
    "gzip": lambda: zlib.decompressobj(31).decompress,
    "deflate": lambda: zlib.decompressobj().decompress,
    "br": lambda: brotli.Decompressor().process,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}
HOWS = [
    "",
    "malformed=json",
    "malformed=utf8",
    "malformed=html",
    "malformed=empty",
    "error_after=2",
    "error_after=4",
    "cut_after=4",
    "reset_after=5",
    "trailers=true",
    "grain=7",
    "grain=1,malformed=utf8",
    "status=429",
    "status=500",
    "reasoning=true",
    f"cut_inside={PREFIX}find",
    f"end_inside={PREFIX}find",
    f"end_inside={PREFIX}look_up_a_very",
    "encoding=gzip",
    "encoding=zstd,grain=3",
    "encoding=br,cut_after=4",
    "encoding=gzip,malformed=utf8",
    "encoding=deflate,error_after=3",
    f"encoding=br,end_inside={PREFIX}find",
]


def asked(wire: str, stream: bool) -> tuple[str, dict[str, Any]]:
    url, body = WIRES[wire]
    if wire == "gemini":
        return f"{url}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}", body
    return url, body | ({"stream": True} if stream else {})


def last_call(machine: Machine) -> Call:
    """The one whose request the provider saw last."""
    (seen,) = machine.received

    def find() -> Call | None:
        assert machine.proxy
        calls = (call for call in machine.proxy.calls() if call.request == seen.body)
        return next((call for call in reversed(list(calls)) if call.closed), None)

    return wait_for(find)


def decoded(body: bytes, how: str) -> bytes:
    encoding = how.removeprefix("encoding=").split(",")[0]
    return bytes(DECODERS[encoding]()(body)) if encoding in DECODERS else body


def stripped(body: bytes, call: Call) -> bytes:
    for sent, name in call.opened.shortened.items():
        body = body.replace(f'"{sent}"'.encode(), f'"{name}"'.encode())
    return body.replace(b'"pay__', b'"')


def assert_restored(got: bytes, came: bytes, call: Call, how: str) -> None:
    """Events that are no JSON may pass as they are; of a name that never ended a part is enough."""
    expected = stripped(came, call)
    if "inside" in how:
        before = expected.rpartition(b'"name":')[0]
        assert got.startswith(before)
        assert expected.startswith(got)
    else:
        assert (stripped(got, call) if "malformed" in how else got) == expected


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("wire", WIRES)
def test_the_client_gets_the_providers_bytes_without_prefixes(machine, wire, stream, how):
    url, body = asked(wire, stream)
    content = json.dumps(body | {"metadata": f"{wire} {stream} {how}"}).encode()
    headers = {"x-simulate": how, **TEAM}
    broken = False
    with machine.http() as http:
        try:
            with http.stream("POST", url, content=content, headers=headers) as answer:
                answer.read()
        except httpx.RemoteProtocolError:
            broken = True

    cut = "cut" in how or "reset" in how
    assert cut or not broken
    call = last_call(machine)
    if cut and answer.status_code != 200:
        # what has a length is waited for, and a reset may overtake what was said before it
        assert answer.status_code == 502
        assert not stream or "reset" in how
    else:
        got = decoded(bytes(machine.tape[0].response), how)
        assert_restored(got, decoded(call.response, how), call, how)


@pytest.mark.parametrize("encoding", ["identity", *DECODERS])
def test_no_event_waits_for_the_next(machine, encoding):
    """Each comes alone, as soon as the provider has said it, in a coding, too."""
    url, body = asked("anthropic", True)
    body = body | {"messages": said("Why?")}
    headers = {"x-simulate": f"encoding={encoding},delay=30,chunks=5", **TEAM}
    decode = DECODERS.get(encoding, lambda: bytes)()
    with machine.http() as http, http.stream("POST", url, json=body, headers=headers) as answer:
        pieces = [decode(piece) for piece in answer.iter_raw()]

    events = [piece.count(b"event: ") for piece in pieces if piece]
    assert events == [1] * len(events)
    assert len(events) == 11


def test_many_programs_of_many_namespaces_at_once_are_told_apart(machine):
    """Two of each SDK in each of two namespaces, and in none, which begin with the same words."""
    teams = {"pay__": TEAM, "skp__": {"x-team": "skips"}, "": {}}
    done: dict[tuple[str, str, int], Any] = {}

    def run(prefix: str, name: str, number: int) -> None:
        own = Machine(machine.provider, machine.proxy)
        with own.sdk(name, f"required_prefix={prefix}", **teams[prefix]) as client:
            done[prefix, name, number] = PROGRAMS[name](client, number == 0, QUESTIONS[2:6]).turns
        if prefix:
            own.assert_no_prefix_came_back(prefix)

    for name in PROGRAMS:  # SDKs build their classes when they are first used, not in threads
        run("", name, 0)
    threads = [
        threading.Thread(target=run, args=(prefix, name, number))
        for prefix in teams
        for name in PROGRAMS
        for number in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(done) == len(threads)
    for (_, name, _), turns in done.items():
        assert turns == done["", name, 0]


def test_a_client_of_http2_is_served_like_any_other(tmp_path, strict_provider):
    lazy = ["--set", "connection_strategy=lazy"]
    with Mitmdump(tmp_path, *lazy, simulator=strict_provider, config=CONFIG) as proxy:
        own = Machine(strict_provider, proxy)
        trust = Http2Only(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(proxy.ca)
        with httpx.Client(proxy=proxy.url, verify=trust, http2=True, timeout=60) as http:
            for stream, simulate in ((False, ""), (True, ""), (True, "trailers=true")):
                url, body = asked("chat", stream)
                answer = http.post(url, json=body, headers={"x-simulate": simulate, **TEAM})
                assert answer.http_version == "HTTP/2"
                assert answer.status_code == 200, answer.text
                assert PREFIX not in answer.text
                assert '"name":' in answer.text.replace('": "', '":"')
        assert all(f'"{PREFIX}find"'.encode() in seen.body for seen in own.received)


def test_a_program_that_hangs_up_leaves_its_partial_answer_with_the_prefix(machine):
    url, body = asked("chat", True)
    with (
        machine.http() as http,
        http.stream("POST", url, json=body, headers={"x-simulate": "delay=40", **TEAM}) as answer,
    ):
        got = b""
        for piece in answer.iter_raw():
            got += piece
            if b'"find"' in got:
                break

    call = last_call(machine)
    assert call.closed.ending == "client_closed"
    assert b'"pay__find"' in call.response


@pytest.mark.parametrize("wire", WIRES)
def test_a_request_that_comes_in_chunks_is_prefixed_whole(machine, wire):
    url, body = asked(wire, False)
    content = json.dumps(body).encode()

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(content), 50):
            yield content[at : at + 50]

    with machine.http() as http:
        answer = http.post(url, content=chunks(), headers=TEAM)

    assert answer.status_code == 200, answer.text
    assert PREFIX not in answer.text
    assert f'"{PREFIX}find"'.encode() in machine.received[0].body


@pytest.mark.parametrize("simulate", ["size=3000000", "size=3000000,encoding=br"])
def test_a_long_answer_passes_whole(machine, simulate):
    url, body = asked("chat", True)
    body = body | {"messages": said("Why?")}
    with machine.http() as http:
        answer = http.post(url, json=body, headers={"x-simulate": f"tool=false,{simulate}", **TEAM})

    lines = (line[6:] for line in answer.text.splitlines() if line.startswith("data: {"))
    deltas = (choice["delta"] for line in lines for choice in json.loads(line)["choices"])
    assert len("".join(delta.get("content") or "" for delta in deltas)) == 3_000_000
