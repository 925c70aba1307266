"""Policies on calls that arrive in unusual ways: HTTP/2, pipelined, told beforehand, in fragments."""

import json
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.scripted import REALTIME, Script
from tests.e2e.test_policies_sockets import KEY, POLICIES, item, talk
from tests.e2e.test_protocols import URL, Http2Only
from tests.mitm import Mitmdump

GOOD, BAD = (
    json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": text}]}).encode()
    for text in ("hello", f"my key is {KEY}")
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, simulator):
    lazy = ["--set", "connection_strategy=lazy"]
    folder = tmp_path_factory.mktemp("protocols")
    with Mitmdump(folder, *lazy, simulator=simulator, config=POLICIES) as proxy:
        yield proxy


def hidden(proxy: Mitmdump) -> bool:
    files = [one for one in proxy.home.path.rglob("*") if one.is_file()]
    return not [one for one in files if KEY.encode() in one.read_bytes()]


def sent(body: bytes, *more: bytes) -> bytes:
    head = [b"POST /v1/chat/completions HTTP/1.1", b"Host: api.openai.com", *more]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])


def statuses(proxy: Mitmdump, data: bytes, count: int) -> list[bytes]:
    with socket.create_connection(("127.0.0.1", proxy.port)) as plain:
        plain.settimeout(60)
        plain.sendall(b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n")
        assert b"200" in plain.recv(4096)
        trust = ssl.create_default_context(cafile=proxy.ca)
        with trust.wrap_socket(plain, server_hostname="api.openai.com") as tls:
            tls.sendall(data)
            received = b""
            while received.count(b"HTTP/1.1 ") < count and (part := tls.recv(65536)):
                received += part
    return re.findall(rb"HTTP/1.1 (\d+)", received)


def test_streams_of_http2_are_judged_one_by_one(guarded, simulator):
    trust = Http2Only(ssl.PROTOCOL_TLS_CLIENT)
    trust.load_verify_locations(guarded.ca)
    bodies = [GOOD, BAD] * 4
    with (
        httpx.Client(proxy=guarded.url, verify=trust, http2=True, timeout=60) as http,
        ThreadPoolExecutor(4) as threads,
    ):
        answers = [*threads.map(lambda one: http.post(URL, content=one), bodies)]
    assert {one.http_version for one in answers} == {"HTTP/2"}
    assert [one.status_code for one in answers] == [200, 403] * 4
    assert not [one for one in simulator.seen if KEY.encode() in one.body]
    assert hidden(guarded)


def test_pipelined_requests_are_judged_one_by_one(guarded, simulator):
    told = statuses(guarded, sent(GOOD) + sent(BAD) + sent(GOOD), 3)
    assert told == [b"200", b"403", b"200"]
    assert not [one for one in simulator.seen if KEY.encode() in one.body]


@pytest.mark.parametrize(("body", "status"), [(GOOD, b"200"), (BAD, b"403")])
def test_who_asks_before_it_sends_is_judged_by_what_it_sends(guarded, simulator, body, status):
    told = statuses(guarded, sent(body, b"Expect: 100-continue"), 2)
    assert told == [b"100", status]
    assert not [one for one in simulator.seen if KEY.encode() in one.body]


def test_a_body_in_chunks_of_a_byte_is_judged_whole(guarded):
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % one for one in BAD) + b"0\r\n\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n"
    told = statuses(guarded, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, 1)
    assert told == [b"403"]


def test_messages_in_fragments_are_judged_and_masked_whole(tmp_path, request):
    said = json.dumps({"type": "response.output_text.delta", "delta": f"it is {KEY} now"})
    with (
        Script(tmp_path) as script,
        Mitmdump(tmp_path / "proxy", simulator=script, config=POLICIES) as proxy,
        talk((script, proxy), REALTIME, request.node.name) as web,
    ):
        bad, good = item(f"my key is {KEY}"), item("hello")
        web.send([bad[at : at + 3] for at in range(0, len(bad), 3)])
        assert "policy keys" in str(web.recv(60))
        script.answers = [[[said[at : at + 5] for at in range(0, len(said), 5)]]]
        web.send([good[at : at + 3] for at in range(0, len(good), 3)])
        assert web.recv(60) == said
        assert script.got == [good]
        web.close()
        assert hidden(proxy)
