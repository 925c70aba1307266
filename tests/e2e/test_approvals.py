"""Calls that wait for a person, as programs and providers see them."""

import contextlib
import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import anthropic
import httpx
import openai
import pytest
from h2 import connection as h2_connection

from llmproxy_core.home import write_private
from llmproxy_core.records import Decision
from llmproxy_core.simulator import Simulator
from tests.e2e.limited import CHAT, client, sent
from tests.e2e.namespaced import Machine, said
from tests.e2e.tool_programs import PROGRAMS
from tests.h2_provider import H2Provider
from tests.mitm import Call, Mitmdump, wait_for

CONFIG = """
[[policies]]
name = "mail"
when = 'finding.family == "pii" and client.name == "patient"'
action = "hold"
message = "Ask the security team."
timeout_seconds = 600

[[policies]]
name = "hasty"
when = 'client.name == "hasty"'
action = "hold"
timeout_seconds = 0.5

[[policies]]
name = "lenient"
when = 'client.name == "lenient"'
action = "hold"
timeout_seconds = 0.5
on_timeout = "allow"

[[policies]]
name = "refunds"
when = 'tool == "refund"'
action = "hold"
timeout_seconds = 600

[[namespaces]]
name = "alone"
match = { model = "gpt-5-alone" }

[[limits]]
name = "one"
match = { namespace = "alone" }
concurrent = 1
"""
MAIL = "write to jane.roe@example.com"


@pytest.fixture(scope="module")
def provider() -> Iterator[Simulator]:
    with Simulator(keep_bodies=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("approvals")
    with Mitmdump(folder, simulator=provider, config=CONFIG) as running:
        yield running


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """A text by which the calls of a test are known."""
    return f"{request.node.name}: {MAIL}"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def post(proxy: Mitmdump, agent: str, text: str, model: str = "gpt-5") -> httpx.Response:
    body = {"model": model, "messages": said(text)}
    with client(proxy) as http:
        return http.post(CHAT, json=body, headers={"user-agent": f"{agent}/1.0"})


def call_of(proxy: Mitmdump, mark: str) -> Call | None:
    found = [call for call in proxy.calls() if json.dumps(mark).encode() in call.request]
    return found[0] if found else None


def held(proxy: Mitmdump, mark: str) -> Call:
    """A call that is written, and waits."""
    return wait_for(lambda: call_of(proxy, mark))


def ended(proxy: Mitmdump, mark: str) -> Call:
    def over() -> Call | None:
        call = call_of(proxy, mark)
        return call if call and call.closed else None

    return wait_for(over)


def reached(provider: Simulator, mark: str) -> bool:
    return any(json.dumps(mark).encode() in seen.body for seen in provider.seen)


def decide(proxy: Mitmdump, call: Call, decision: str, **more: str) -> None:
    entry = {"decision": decision, "by": "anna", **more}
    write_private(proxy.home.approvals, json.dumps({call.opened.id.hex(): entry}).encode())


def decisions(call: Call) -> list[Decision]:
    """First as it was written when the call began to wait, then as it ended."""
    told = [call.opened.judged, call.closed.judged]
    return [one for judged in told if judged for one in judged.decisions]


def outcomes(call: Call) -> list[str]:
    return [one.outcome for one in decisions(call)]


def test_a_call_waits_until_it_is_approved(proxy, provider, pool, mark):
    answer: Future[httpx.Response] = pool.submit(post, proxy, "patient", mark)
    call = held(proxy, mark)
    time.sleep(0.3)
    assert not answer.done()
    assert not reached(provider, mark)
    decide(proxy, call, "approved", why="a test address")
    assert answer.result().status_code == 200
    assert reached(provider, mark)
    told = decisions(ended(proxy, mark))
    assert [(one.action, one.outcome) for one in told] == [
        ("hold", "waiting"),
        ("hold", "approved"),
    ]
    assert told[1].why == "approved by anna: a test address"


def test_the_sdk_of_openai_raises_its_own_exception_when_it_is_denied(proxy, provider, pool, mark):
    machine = Machine(provider, proxy)

    def call() -> None:
        with machine.sdk("openai", **{"user-agent": "patient/1.0"}) as sdk:
            sdk.chat.completions.create(model="gpt-5", messages=said(mark), stream=True)

    raised = pool.submit(call)
    decide(proxy, held(proxy, mark), "denied")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        raised.result()
    assert "the policy mail held this call, and it was denied by anna" in str(caught.value)
    assert "Ask the security team." in str(caught.value)
    assert not reached(provider, mark)
    assert outcomes(ended(proxy, mark)) == ["waiting", "denied"]


def test_the_sdk_of_anthropic_raises_its_own_exception_when_it_is_denied(
    proxy, provider, pool, mark
):
    machine = Machine(provider, proxy)

    def call() -> None:
        with machine.sdk("anthropic", **{"user-agent": "patient/1.0"}) as sdk:
            sdk.messages.create(model="claude-opus-4-8", max_tokens=9, messages=said(mark))

    raised = pool.submit(call)
    decide(proxy, held(proxy, mark), "denied")
    with pytest.raises(anthropic.PermissionDeniedError):
        raised.result()


@pytest.mark.parametrize(("agent", "status"), [("hasty", 403), ("lenient", 200)])
def test_the_time_out_decides_as_configured(proxy, provider, agent, status, mark):
    assert post(proxy, agent, mark).status_code == status
    assert reached(provider, mark) == (status == 200)
    assert outcomes(ended(proxy, mark)) == ["waiting", "expired"]


def test_a_program_that_hangs_up_ends_the_wait(proxy, provider, mark):
    body = {"model": "gpt-5-alone", "messages": said(mark)}
    program = sent(proxy, body, **{"user-agent": "patient/1.0"})
    held(proxy, mark)
    program.close()
    call = ended(proxy, mark)
    assert call.closed.ending == "client_closed"
    assert outcomes(call) == ["waiting", "gone"]
    assert not reached(provider, mark)
    other = post(proxy, "other", "hi", "gpt-5-alone")
    assert other.status_code == 200, "its place among the calls under way is free"


def test_a_request_of_http2_that_is_given_up_ends_the_wait(tmp_path, mark):
    """The connection stays: it may have other requests."""
    body = json.dumps({"model": "gpt-5", "messages": said(mark)}).encode()
    fields = [
        *((":method", "POST"), (":scheme", "https"), (":authority", "api.openai.com")),
        *((":path", "/v1/chat/completions"), ("user-agent", "patient/1.0")),
    ]
    with H2Provider() as h2, Mitmdump(tmp_path, simulator=h2, config=CONFIG) as proxy:
        with tunnel(proxy) as tls:
            connection = h2_connection.H2Connection()
            connection.initiate_connection()
            connection.send_headers(1, fields)
            connection.send_data(1, body, end_stream=True)
            tls.sendall(connection.data_to_send())
            held(proxy, mark)
            connection.reset_stream(1)
            tls.sendall(connection.data_to_send())
            call = ended(proxy, mark)
        assert call.opened.http_version == "HTTP/2.0"
        assert outcomes(call) == ["waiting", "gone"]
        assert call.closed.answer is None


@contextlib.contextmanager
def tunnel(proxy: Mitmdump) -> Iterator[ssl.SSLSocket]:
    """To OpenAI, in HTTP/2."""
    trust = proxy.trust()
    trust.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", proxy.port)) as plain:
        plain.sendall(b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n")
        assert b" 200 " in plain.recv(4096)
        with trust.wrap_socket(plain, server_hostname="api.openai.com") as tls:
            assert tls.selected_alpn_protocol() == "h2"
            yield tls


def test_other_calls_pass_while_one_waits(proxy, pool, mark):
    answer = pool.submit(post, proxy, "patient", mark)
    call = held(proxy, mark)
    assert [post(proxy, "other", mark).status_code for _ in range(3)] == [200] * 3
    assert not answer.done()
    decide(proxy, call, "approved")
    assert answer.result().status_code == 200


def test_each_of_many_that_wait_has_its_own_decision(proxy, mark):
    marks = [f"{number}: {mark}" for number in range(20)]
    with ThreadPoolExecutor(20) as threads:
        answers = [threads.submit(post, proxy, "patient", one) for one in marks]
        ids = [held(proxy, one).opened.id.hex() for one in marks]
        words = [{"decision": ("approved", "denied")[n % 2]} for n in range(20)]
        told = json.dumps(dict(zip(ids, words, strict=True))).encode()
        write_private(proxy.home.approvals, told)
        statuses = [answer.result().status_code for answer in answers]
    assert statuses == [200, 403] * 10


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_a_tool_is_replaced_until_it_is_approved(proxy, provider, mark, stream):
    machine = Machine(provider, proxy)
    order = f'{{"order": "{"streamed" if stream else "whole"}"}}'

    def refund(text: str = order) -> Any:
        with machine.sdk("openai") as sdk:
            return PROGRAMS["openai_chat"](sdk, stream, (f"call refund with {text}",)).turns[0]

    held = refund()
    assert not held.calls
    (id,) = re.findall(r"llmproxy approvals approve ([0-9a-f-]{36})", held.text)
    waiting = refund()
    assert id in waiting.text, "it is not asked about anew"
    entry = {f"{uuid.UUID(id).hex}:tool": {"decision": "approved", "by": "anna"}}
    write_private(proxy.home.approvals, json.dumps(entry).encode())
    passed = wait_for(lambda: not refund('{"order": "other"}').calls and refund().calls)
    assert [(name, given) for name, given, _ in passed] == [("refund", json.loads(order))]
    assert not refund().calls, "what is approved passes once"


def test_a_proxy_that_is_stopped_sends_nothing_that_waits(tmp_path, provider, mark):
    with Mitmdump(tmp_path, simulator=provider, config=CONFIG) as proxy:
        thread = threading.Thread(target=_ignoring, args=(proxy, mark))
        thread.start()
        held(proxy, mark)
    thread.join()
    assert not reached(provider, mark)


def _ignoring(proxy: Mitmdump, mark: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        post(proxy, "patient", mark)
