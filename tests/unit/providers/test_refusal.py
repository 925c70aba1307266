"""Refusals of ours, as the real SDKs and our own readers take them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.model import header, mapping
from llmproxy_core.providers.formats import FORMATS
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.providers.refusal import (
    STATUSES,
    Kind,
    Refusal,
    error_body,
    refusal,
    refusal_frame,
)

MESSAGE = 'llmproxy: the tool "pay__größer" is too long'
MESSAGES: Any = [{"role": "user", "content": "Hi"}]
each = pytest.mark.parametrize("kind", sorted(STATUSES))
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@contextmanager
def provider(answer: Refusal) -> Iterator[str]:
    """A server on loopback that refuses every call so."""

    class Refuse(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


OPENAI_ERRORS: dict[Kind, type[openai.APIStatusError]] = {
    "bad_request": openai.BadRequestError,
    "unauthorized": openai.AuthenticationError,
    "forbidden": openai.PermissionDeniedError,
    "too_large": openai.APIStatusError,
    "rate_limited": openai.RateLimitError,
    "unavailable": openai.InternalServerError,
}
ANTHROPIC_ERRORS: dict[Kind, type[anthropic.APIStatusError]] = {
    "bad_request": anthropic.BadRequestError,
    "unauthorized": anthropic.AuthenticationError,
    "forbidden": anthropic.PermissionDeniedError,
    "too_large": anthropic.APIStatusError,
    "rate_limited": anthropic.RateLimitError,
    "unavailable": anthropic.InternalServerError,
}


@each
@pytest.mark.parametrize("stream", [False, True])
def test_openai_raises_its_usual_exception(kind: Kind, stream: bool) -> None:
    with (
        provider(refusal("openai.chat", kind, MESSAGE, 7, id="req_1")) as url,
        openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client,
        pytest.raises(OPENAI_ERRORS[kind]) as caught,
    ):
        client.chat.completions.create(model="m", messages=MESSAGES, stream=stream)
    assert MESSAGE in caught.value.message
    assert (caught.value.status_code, caught.value.request_id) == (STATUSES[kind], "req_1")
    assert caught.value.type
    with (
        provider(refusal("openai.responses", kind, MESSAGE)) as url,
        openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client,
        pytest.raises(OPENAI_ERRORS[kind], match="is too long"),
    ):
        client.responses.create(model="m", input="Hi", stream=stream)


@each
@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_raises_its_usual_exception(kind: Kind, stream: bool) -> None:
    with (
        provider(refusal("anthropic.messages", kind, MESSAGE, 7, id="req_1")) as url,
        anthropic.Anthropic(base_url=url, api_key="sk-ant", max_retries=0) as client,
        pytest.raises(ANTHROPIC_ERRORS[kind]) as caught,
    ):
        client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=stream)
    assert (caught.value.api_message, caught.value.request_id) == (MESSAGE, "req_1")
    assert caught.value.status_code == STATUSES[kind]
    assert caught.value.type


@each
@pytest.mark.parametrize("stream", [False, True])
def test_google_raises_its_usual_exception(kind: Kind, stream: bool) -> None:
    usual = genai.errors.ServerError if STATUSES[kind] >= 500 else genai.errors.ClientError
    with provider(refusal("gemini", kind, MESSAGE, 7)) as url:
        options = genai.types.HttpOptions(base_url=url)
        with (
            genai.Client(api_key="AIza", http_options=options) as client,
            pytest.raises(usual) as caught,
        ):
            list(_asked(client, stream))
    assert (caught.value.code, caught.value.message) == (STATUSES[kind], MESSAGE)
    assert caught.value.status not in (None, "Bad Request")


def _asked(client: genai.Client, stream: bool) -> Iterator[object]:
    if stream:
        yield from client.models.generate_content_stream(model="m", contents="Hi")
    else:
        yield client.models.generate_content(model="m", contents="Hi")


def test_the_sdks_do_not_try_again_what_they_would_wait_too_long_for() -> None:
    patient = refusal("openai.chat", "rate_limited", MESSAGE, 30.2)
    assert header(patient.headers, "retry-after") == "31"
    assert header(patient.headers, "x-should-retry") is None
    with (
        provider(refusal("openai.chat", "rate_limited", MESSAGE, 3600)) as url,
        openai.OpenAI(base_url=url, api_key="sk-test", max_retries=2) as client,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        client.chat.completions.create(model="m", messages=MESSAGES)
    asked = caught.value.response.request.headers
    assert asked["x-stainless-retry-count"] == "0"


@settings(deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.sampled_from(sorted(STATUSES)), texts)
def test_our_own_readers_read_every_refusal(wire: str, kind: Kind, message: str) -> None:
    told = refusal(wire, kind, message, 5, id="req_1")
    reader = AnswerReader(wire, told.status, told.headers)
    reader.feed(told.body)
    error = reader.finish().error
    assert error is not None
    assert error.message == message


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("openai.chat", {"type": "requests", "code": "rate_limit_exceeded"}),
        ("mistral.conversations", {"type": "requests", "code": "rate_limit_exceeded"}),
        ("", {"type": "requests", "code": "rate_limit_exceeded"}),
        ("anthropic.messages", {"type": "rate_limit_error"}),
        ("gemini", {"status": "RESOURCE_EXHAUSTED", "code": 429}),
        ("vertex.predict", {"status": "RESOURCE_EXHAUSTED", "code": 429}),
    ],
)
def test_each_provider_has_its_own_words(wire: str, body: dict[str, object]) -> None:
    told = json.loads(refusal(wire, "rate_limited", "m", 9).body)["error"]
    assert body.items() <= told.items()
    assert told["message"] == "m"


def test_google_tells_the_time_to_wait_in_the_body() -> None:
    told = json.loads(refusal("gemini", "rate_limited", "m", 9).body)["error"]
    assert told["details"][0]["retryDelay"] == "9s"
    assert "details" not in json.loads(refusal("gemini", "forbidden", "m").body)["error"]


@each
def test_bedrock_tells_the_kind_in_a_header(kind: Kind) -> None:
    told = refusal("bedrock.converse-stream", kind, "m", id="1-2")
    assert json.loads(told.body) == {"message": "m"}
    assert str(header(told.headers, "x-amzn-errortype")).endswith("Exception")
    assert header(told.headers, "x-amzn-requestid") == "1-2"


def test_cohere_and_ollama_tell_the_message_alone() -> None:
    assert refusal("cohere.chat", "forbidden", "m").body == b'{"message":"m"}'
    assert refusal("ollama.chat", "forbidden", "m").body == b'{"error":"m"}'


@each
def test_a_turn_of_a_websocket_is_refused_by_a_frame(kind: Kind) -> None:
    for wire in ("openai.responses.websocket", "openai.realtime"):
        frame = json.loads(str(refusal_frame(wire, kind, "m", id="event_1")))
        assert frame["type"] == "error"
        assert mapping(frame["error"])["message"] == "m"
        assert (frame.get("status") or STATUSES[kind]) == STATUSES[kind]
    assert refusal_frame("gemini.live", kind, "m") is None


@settings(deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.integers(400, 599), st.text(max_size=40))
def test_every_status_has_a_body(wire: str, status: int, message: str) -> None:
    body = error_body(wire, status, message)
    told = mapping(body.get("error")) or body
    assert message in (told.get("message"), told.get("error"))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_message_raises(message: str) -> None:
    for wire in ("openai.chat", "ollama.chat", "bedrock.converse"):
        json.loads(refusal(wire, "forbidden", message).body)
