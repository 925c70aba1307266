"""Answers whose body and content type disagree: no call passes whatever a client makes of them."""

import json
from typing import Any, cast

import httpx
import openai
import pytest

from tests.e2e.canned import Canned
from tests.mitm import Mitmdump
from tests.unit.toolgate.test_spellings import BRACED, STREAM, TORN, WHOLE

CLOSED = """
[[policies]]
name = "no-shell"
when = 'tool == "sh"'
action = "block"
on_fault = "closed"
"""
URL = "https://api.openai.com/v1/chat/completions"
KINDS = ("text/event-stream", "application/json", "application/x-ndjson", "text/plain")
BODIES = {**BRACED, **TORN, "a whole answer": WHOLE, "a stream": STREAM,
          "on several lines": json.dumps(json.loads(WHOLE), indent=1).encode()}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("otherwise")
    with Canned(folder) as canned, Mitmdump(folder, simulator=canned, config=CLOSED) as proxy:
        yield canned, proxy


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_no_call_passes_whatever_an_answer_is_told_to_be(running, kind, counted):
    canned, proxy = running
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        for body in BODIES.values():
            canned.says({"content-type": kind}, body, counted)
            assert b'"sh"' not in http.post(URL, json={"model": "m", "stream": True}).content


@pytest.mark.parametrize("kind", KINDS)
def test_an_sdk_that_reads_a_stream_however_it_is_told_gets_no_call(running, kind):
    canned, proxy = running
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        client = openai.OpenAI(api_key="sk-x", http_client=cast("Any", http), max_retries=0)
        for body in (*BRACED.values(), STREAM):
            canned.says({"content-type": kind}, body, counted=False)
            told = client.chat.completions.create(model="m", messages=[], stream=True)
            deltas = [one.choices[0].delta for one in told if one.choices]
            assert not any(one.tool_calls for one in deltas)


def test_no_call_passes_behind_an_answer_that_is_only_announced(running):
    """mitmproxy takes the announcement for the answer, and the client waits in vain."""
    canned, proxy = running
    canned.says({"content-type": "text/event-stream"}, STREAM, counted=False)
    canned.raw = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + canned.raw
    with (
        httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=2) as http,
        pytest.raises(httpx.HTTPError),
    ):
        http.post(URL, json={"model": "m", "stream": True})
