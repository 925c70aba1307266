"""Answers with a prefix in odd wrappings, byte by byte as they are on the wire of the client."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from llmproxy_core.hashing import content_hash
from tests.e2e.canned import Canned
from tests.e2e.namespaced import CONFIG, PREFIX, TEAM, function, said
from tests.mitm import Mitmdump, wait_for

URL = "https://api.openai.com/v1/chat/completions"
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Canned, Mitmdump]]:
    folder = tmp_path_factory.mktemp("answers")
    with Canned(folder) as canned, Mitmdump(folder, simulator=canned, config=CONFIG) as proxy:
        yield canned, proxy


@pytest.fixture
def canned(running):
    return running[0]


@pytest.fixture
def proxy(running):
    return running[1]


def asked(proxy: Mitmdump, mark: str, times: int = 1) -> httpx.Response:
    """The last answer to a program that keeps its connection."""
    body = {"model": "gpt-5", "messages": said("use a tool"), "tools": [function("find")]}
    with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
        for _ in range(times):
            answer = http.post(URL, json=body, headers={**TEAM, "x-mark": mark})
    return answer


def closed(proxy: Mitmdump, mark: str) -> Any:
    def found() -> Any:
        calls = [call for call in proxy.calls() if ("x-mark", mark) in call.opened.headers]
        return next((call for call in calls if call.closed), None)

    return wait_for(found)


def answer_of(name: str, text: str = "") -> bytes:
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
    message = {"role": "assistant", "content": text, "tool_calls": [call]}
    return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


SENT, OURS = answer_of(f"{PREFIX}find"), answer_of("find")
LARGE, OURS_LARGE = (answer_of(name, "x" * 300_000) for name in (f"{PREFIX}find", "find"))
STREAM, OURS_STREAM = (
    b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"%b"}}]}}]}\n\n' % name
    for name in (b"pay__find", b"find")
)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (JSON, SENT, OURS),
        (JSON, LARGE, OURS_LARGE),
        ({}, SENT, OURS),
        (EVENTS, STREAM * 50, OURS_STREAM * 50),
        ({}, STREAM, OURS_STREAM),
        (JSON, b"\xef\xbb\xbf" + SENT, b"\xef\xbb\xbf" + OURS),
        (EVENTS, b"\xef\xbb\xbf" + STREAM, b"\xef\xbb\xbf" + OURS_STREAM),
        (JSON, SENT[:-20], OURS[:-20]),
        (JSON, b'{"choices": []}', b'{"choices": []}'),
        (JSON, b"", b""),
        (JSON, b"pay__ is no JSON", b"pay__ is no JSON"),
    ],
    ids=["json", "large", "untold", "events", "untold-events", "bom", "bom-events", "cut",
         "nothing", "empty", "junk"],
)  # fmt: skip
def test_what_comes_is_what_was_said_without_prefixes(
    canned, proxy, request, headers, body, expected, counted
):
    mark = request.node.name
    canned.says(headers, body, counted)
    answer = asked(proxy, mark, times=2 if counted else 1)

    assert answer.content == expected
    if "content-length" in answer.headers:
        assert int(answer.headers["content-length"]) == len(expected)
    call = closed(proxy, mark)
    assert call.closed.ending == "complete"
    assert call.closed.body_bytes == len(body)
    assert call.closed.hash_in == content_hash(body)
    assert call.closed.hash_out == content_hash(expected)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("told", ["gzip", "GZIP", ""])
def test_a_coded_answer_comes_in_its_coding(canned, proxy, request, told, counted):
    canned.says({**JSON, "content-encoding": told} if told else JSON, gzip.compress(SENT), counted)
    answer = asked(proxy, request.node.name)

    assert (answer.content if told else gzip.decompress(answer.content)) == OURS


@pytest.mark.parametrize("counted", [True, False])
def test_an_answer_in_an_unknown_coding_passes(canned, proxy, request, counted):
    canned.says({**JSON, "content-encoding": "lzma"}, SENT, counted)

    assert asked(proxy, request.node.name).content == SENT


@pytest.mark.parametrize("counted", [True, False])
def test_a_damaged_coding_is_damaged_for_the_client_too(canned, proxy, request, counted):
    coded = gzip.compress(SENT + b" " * 1000)
    canned.says({**JSON, "content-encoding": "gzip"}, coded[:60] + b"\xff" * 40, counted)

    with pytest.raises(httpx.DecodingError):
        asked(proxy, request.node.name)


def test_an_answer_that_nobody_prefixed_is_passed_byte_for_byte(canned, proxy, request):
    coded = gzip.compress(answer_of("find", "x" * 5000), mtime=1)
    canned.says({**JSON, "content-encoding": "gzip"}, coded)
    asked(proxy, request.node.name)

    call = closed(proxy, request.node.name)
    assert call.closed.hash_in == call.closed.hash_out == content_hash(coded)


def test_nothing_of_all_this_was_a_fault_of_ours(running):
    """The last test of this module."""
    assert not [event for event in running[1].events() if event.kind == "fault"]
