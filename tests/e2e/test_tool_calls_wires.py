"""The gate on each wire format, in each content coding, counted and not, as it is on the wire."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import brotli
import httpx
import pytest

from llmproxy_core.hashing import content_hash
from tests.e2e.canned import Canned
from tests.mitm import Call, Mitmdump, wait_for
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.providers.sample import Sample
from tests.unit.toolgate.gated import EVENTS, read, sse

POLICIES = """
[capture]
max_body = "256KiB"

[[policies]]
name = "no-weather"
when = 'tool == "weather" and client.name == "guarded"'
action = "block"
on_fault = "closed"

[[policies]]
name = "no-shells"
when = 'finding.family == "dangerous_tool" and client.name == "guarded"'
action = "block"
on_fault = "closed"

[[policies]]
name = "watched"
when = 'tool == "nothing"'
action = "block"
"""
AWS = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-x"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-x"
URLS = {
    "openai.chat": "https://api.openai.com/v1/chat/completions",
    "openai.responses": "https://api.openai.com/v1/responses",
    "anthropic.messages": "https://api.anthropic.com/v1/messages",
    "gemini": f"{GOOGLE}:streamGenerateContent",
    "bedrock.converse": f"{AWS}/converse",
    "bedrock.converse-stream": f"{AWS}/converse-stream",
    "bedrock.invoke": f"{AWS}/invoke",
    "bedrock.invoke-with-response-stream": f"{AWS}/invoke-with-response-stream",
    "cohere.chat": "https://api.cohere.com/v2/chat",
    "ollama.chat": "https://ollama.com/api/chat",
}
CODERS: dict[str, Any] = {"": bytes, "gzip": gzip.compress, "br": brotli.compress}
WHOLE = {"bedrock.converse", "bedrock.invoke"}
ANSWERS: list[tuple[str, str, Sample, bytes]] = [
    (wire, kind, sample, body)
    for wire in URLS
    for sample in SAMPLES
    if sample.wire == wire and sample.speaks
    for kind, body in ((sample.kind, sample.stream), ("application/json", sample.json))
    if (kind == "application/json") == (wire in WHOLE) or not wire.startswith("bedrock.")
]
each = pytest.mark.parametrize(
    ("wire", "kind", "sample", "body"), ANSWERS, ids=[f"{one[0]} {one[1]}" for one in ANSWERS]
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Canned, Mitmdump]]:
    folder = tmp_path_factory.mktemp("gated")
    provider = Canned(folder, "ollama.com")
    with provider as canned, Mitmdump(folder, simulator=canned, config=POLICIES) as proxy:
        yield canned, proxy


def asked(proxy: Mitmdump, wire: str, agent: str) -> httpx.Response:
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        return http.post(URLS[wire], json={"model": "m"}, headers={"user-agent": agent})


def last(proxy: Mitmdump, count: int) -> Call:
    """The call after so many."""

    def ended() -> Call | None:
        calls = proxy.calls()[count:]
        return calls[0] if calls and calls[0].closed else None

    return wait_for(ended)


def test_each_format_has_an_answer() -> None:
    assert {one[0] for one in ANSWERS} == set(URLS)


@each
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("coding", sorted(CODERS))
def test_a_denied_call_is_gone_on_every_wire(running, wire, kind, sample, body, coding, counted):
    canned, proxy = running
    headers = {"content-type": kind} | ({"content-encoding": coding} if coding else {})
    coded = CODERS[coding](body)
    canned.says(headers, coded, counted)
    before = len(proxy.calls())

    assert asked(proxy, wire, "watched").content == body
    call = last(proxy, before)
    assert call.closed
    waited = counted and kind == "application/json"
    if waited or not coding:  # what comes in pieces is coded anew
        assert call.closed.hash_in == call.closed.hash_out

    answer = asked(proxy, wire, "guarded")
    told = [("Content-Type", kind)]
    was, now = (read(wire, told, one, sample.path) for one in (body, answer.content))
    assert [one.name for one in was.tool_calls if one.name != "weather"] == [
        one.name for one in now.tool_calls
    ]
    assert "policy no-weather" in now.text
    assert (now.usage, now.incomplete) == (was.usage, False)
    call = last(proxy, before + 1)
    assert call.response == coded
    assert call.closed
    assert call.closed.hash_out != call.closed.hash_in == content_hash(coded)


def test_a_call_too_large_to_be_held_does_not_pass_a_policy_that_fails_closed(running):
    canned, proxy = running
    name = {"index": 0, "id": "c", "function": {"name": "write", "arguments": ""}}
    piece = {"index": 0, "function": {"arguments": "x" * 9000}}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    told = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [one]}}]} for one in [name, *[piece] * 40]
    ]
    body = sse(*told, end, "[DONE]")
    canned.says({"content-type": "text/event-stream"}, body, counted=False)
    now = read("openai.chat", EVENTS, asked(proxy, "openai.chat", "guarded").content)
    assert "policy no-shells" in now.text
    assert (now.tool_calls, now.finish_reasons) == ([], ["stop"])


@pytest.mark.parametrize("counted", [True, False])
def test_an_answer_made_in_the_background_is_asked_about_when_it_is_fetched(running, counted):
    canned, proxy = running
    url = URLS["openai.responses"]
    call = {"type": "function_call", "id": "fc_1", "call_id": "c_1", "name": "weather"}
    queued = {"id": f"resp_{counted}", "status": "queued", "output": []}
    done = json.dumps({**queued, "status": "completed", "output": [call]}).encode()
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        for agent, denied in (("watched", False), ("guarded", True)):
            canned.says({"content-type": "application/json"}, json.dumps(queued).encode(), counted)
            headers = {"user-agent": agent}
            http.post(url, json={"background": True}, headers=headers)
            canned.says({"content-type": "application/json"}, done, counted)
            got = http.get(f"{url}/{queued['id']}", headers=headers)
            assert (b"policy no-weather" in got.content) == denied
            assert (got.content == done) != denied
    told = [one.data for one in proxy.events() if one.kind == "decision"]
    assert (told[-1]["policy"], told[-1]["outcome"]) == ("no-weather", "blocked")


@pytest.mark.parametrize("counted", [True, False])
def test_an_answer_that_cannot_be_read_is_refused_where_a_policy_fails_closed(running, counted):
    canned, proxy = running
    canned.says({"content-encoding": "lzma", "content-type": "text/event-stream"}, b"abc", counted)
    answer = asked(proxy, "anthropic.messages", "guarded")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["type"] == "api_error"
    assert "cannot be read" in answer.json()["error"]["message"]


def test_nothing_of_all_this_was_a_fault_of_ours(running):
    """The last test of this module."""
    assert not [event for event in running[1].events() if event.kind == "fault"]
