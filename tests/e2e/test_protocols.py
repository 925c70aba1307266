"""HTTP/1.1 and HTTP/2 on either side, and mitmproxy's modes: the same calls give the same rows."""

import ssl
import subprocess
import uuid

import httpx
import pytest

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import header
from tests.h2_provider import ANSWER, H2Provider
from tests.mitm import BIN, REDIRECT, Call, Mitmdump, free_port, listens, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture(scope="module")
def h2_provider():
    with H2Provider() as running:
        yield running


def body(mark: str) -> dict[str, object]:
    return {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": mark}]}


def row(call: Call) -> dict[str, object]:
    """What must be the same however the call travelled."""
    opened, closed = call.opened, call.closed
    return {
        "provider": opened.provider,
        "wire": opened.wire,
        "host": opened.host,
        "port": opened.port,
        "scheme": opened.scheme,
        "method": opened.method,
        "path": opened.path,
        "status": call.status,
        "ending": closed.ending,
        "credential": bool(opened.credential),
        "content-type": header(opened.headers, "content-type"),
        "whole": opened.hash_in == opened.hash_out and closed.hash_in == closed.hash_out,
    }


ROW = {
    "provider": "openai",
    "wire": "openai.chat",
    "host": "api.openai.com",
    "port": 443,
    "scheme": "https",
    "method": "POST",
    "path": "/v1/chat/completions",
    "status": 200,
    "ending": "complete",
    "credential": True,
    "content-type": "application/json",
    "whole": True,
}
AUTHORIZATION = {"authorization": "Bearer sk-test"}


class Http2Only(ssl.SSLContext):
    def set_alpn_protocols(self, _protocols):
        super().set_alpn_protocols(["h2"])


@pytest.mark.parametrize("upstream_http2", [False, True])
def test_a_client_of_http2(tmp_path, simulator, h2_provider, upstream_http2):
    """`lazy`: the client's choice is made before the provider is known."""
    provider = h2_provider if upstream_http2 else simulator
    lazy = ["--set", "connection_strategy=lazy"]
    with Mitmdump(tmp_path, *lazy, simulator=provider) as proxy:
        trust = Http2Only(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(proxy.ca)
        with httpx.Client(proxy=proxy.url, verify=trust, http2=True, timeout=60) as http:
            answer = http.post(URL, json=body("x"), headers=AUTHORIZATION)
        call = proxy.closed(1)[0]

    assert answer.http_version == "HTTP/2"
    assert answer.content == call.response
    assert call.opened.http_version == "HTTP/2.0"
    assert spoken(call) == ("HTTP/2.0" if upstream_http2 else "HTTP/1.1")
    assert row(call) == ROW


def test_a_client_of_http1_and_a_provider_of_http2(tmp_path, h2_provider):
    """mitmproxy keeps both sides on one version unless a script says otherwise."""
    script = tmp_path / "http2_upstream.py"
    script.write_text("def tls_start_server(data): data.conn.alpn_offers = [b'h2']")
    with Mitmdump(tmp_path, "-s", str(script), simulator=h2_provider) as proxy:
        with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
            answer = http.post(URL, json=body("x"), headers=AUTHORIZATION)
        call = proxy.closed(1)[0]

    assert answer.http_version == "HTTP/1.1"
    assert answer.content == call.response == ANSWER
    assert answer.headers["x-request-hash"] == content_hash(call.request).hex()
    assert spoken(call) == "HTTP/2.0"
    assert row(call) == ROW


def spoken(call: Call) -> str:
    """The HTTP version that the provider answered in."""
    told = call.answered or call.closed
    version: str = told.answer.http_version
    return version


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_reverse_mode(tmp_path, simulator, scheme):
    mode = ["--mode", "reverse:https://api.openai.com"]
    with Mitmdump(tmp_path, *mode, simulator=simulator) as proxy:
        with httpx.Client(verify=proxy.trust(), timeout=60) as http:
            url = f"{scheme}://localhost:{proxy.port}/v1/chat/completions"
            answer = http.post(url, json=body("x"), headers=AUTHORIZATION)
        call = proxy.closed(1)[0]

    assert answer.status_code == 200
    assert call.response == answer.content
    assert row(call) == ROW


def test_upstream_mode(tmp_path, simulator):
    """Behind another proxy, which here is a mitmdump without our addons."""
    mark, port = uuid.uuid4().hex, free_port()
    confdir = tmp_path / "other"
    other = subprocess.Popen(
        [
            *(str(BIN / "mitmdump"), "-q", "-p", str(port), "--listen-host", "127.0.0.1"),
            *("-s", str(REDIRECT), "--set", f"confdir={confdir}"),
            *("--set", f"ssl_verify_upstream_trusted_ca={simulator.ca_file}"),
        ],
        env={"LLMPROXY_SIMULATOR_PORT": str(simulator.https_port), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port))
        trust = f"ssl_verify_upstream_trusted_ca={confdir / 'mitmproxy-ca-cert.pem'}"
        mode = ["--mode", f"upstream:http://127.0.0.1:{port}", "--set", trust]
        with Mitmdump(tmp_path, *mode) as proxy:
            with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
                answer = http.post(URL, json=body(mark), headers=AUTHORIZATION)
            call = proxy.closed(1)[0]
    finally:
        other.terminate()
        other.wait()

    assert answer.status_code == 200
    assert call.response == answer.content
    assert row(call) == ROW
    assert mark.encode() in simulator.seen[-1].body
