"""Hostile programs, providers and settings: nothing secret is kept, nothing private is opened."""

import base64
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmproxy_core.simulator import Simulator
from tests.mitm import BIN, Mitmdump, wait_for

pytestmark = pytest.mark.system

URL = "https://api.openai.com/v1/chat/completions"
HEAD = b"POST http://api.openai.com/v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n"
CLOSE = b"Connection: close\r\n"
ESCAPES = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202e"

SPY = """
import json
from mitmproxy import ctx, http

class Spy:
    def requestheaders(self, flow):
        self.act(flow, "requestheaders")

    def request(self, flow):
        if flow.request.path == "/under-way":
            count = len(ctx.master.__dict__["llmproxy"].exchanges)
            flow.response = http.Response.make(200, str(count))
        self.act(flow, "request")

    def responseheaders(self, flow):
        if flow.request.headers.get("x-spy") == "rewrite":
            flow.response.stream = lambda chunk: [chunk.upper()]
        self.act(flow, "responseheaders")

    def response(self, flow):
        self.act(flow, "response")

    def act(self, flow, hook):
        if flow.request.headers.get("x-spy") == "kill " + hook:
            flow.kill()
        if flow.request.headers.get("x-spy") == "answer " + hook:
            flow.response = http.Response.make(418, b"teapot")

addons = [Spy()]
"""


def exchange(port: int, sent: bytes, *, wait: bool = True) -> bytes:
    """Send bytes as they are; what comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(60)
        connection.sendall(sent)
        received = b""
        while wait and (part := connection.recv(65536)):
            received += part
        return received


class RawProvider:
    """A model server on this machine that answers every request with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "RawProvider":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                received = b""
                while not received.endswith(b"{}"):
                    received += connection.recv(65536)
                connection.sendall(self._answer)

    def ask(self, proxy: Mitmdump, headers: bytes = b"") -> bytes:
        target = b"127.0.0.1:%d" % self.port
        line = b"POST http://%b/v1/chat/completions HTTP/1.1\r\nHost: %b\r\n" % (target, target)
        return exchange(proxy.port, line + headers + CLOSE + b"Content-Length: 2\r\n\r\n{}")


class Secrets:
    """Makes words to be hidden, and finds them again."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, shape: str = "{}") -> str:
        self.made.append(f"Hidden{len(self.made):03}ZqWvalue")
        return shape.format(self.made[-1])

    def found_in(self, data: bytes) -> list[str]:
        return [secret for secret in self.made if secret.encode() in data]


def odd_headers(secret: Secrets) -> list[tuple[str, str]]:
    return [
        ("X_API_KEY", secret()),
        ("Authorization", secret("NTLM {}")),
        ("authorization", secret("Bearer\t{}")),
        ("x-master-key", secret()),
        ("private-token", secret()),
        ("Cookie", secret("a={}")),
        ("cookie", secret("b={}")),
        ("x-passphrase", secret()),
        ("Referer", secret("https://example.com/?api_key={}")),
        ("Forwarded", secret("for=192.0.2.1;token={}")),
        ("X-Original-URL", secret("/v1?key={}")),
        ("x-back", secret("https://me:p@{}@example.com/")),
        ("x-debug", secret("sk-proj-{}0123456789")),
        ("x-signed", secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{}")),
        ("Sec-WebSocket-Protocol", secret("realtime, openai-insecure-api-key.{}")),
    ]


ODD_URLS = (
    URL + "?%6bey={}",
    URL + "?a=1;key={}",
    URL + "?x[key]={}",
    URL + "?k%65y=a%27{}",
    URL + "?X-Goog-Signature={}",
    "https://gateway.ai.cloudflare.com/v1/sk-proj-{}0123456789/openai/chat/completions",
)


@pytest.fixture(scope="class")
def attacked(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator
) -> Iterator[tuple[Mitmdump, Secrets]]:
    """A whole suite that says all it can, after programs and providers have sent odd things."""
    secret = Secrets()
    password = secret()
    login = base64.b64encode(f"me:{password}".encode())
    secret.made.append(login.decode())
    talkative = ("-v", "--set", "flow_detail=4", "--set", "termlog_verbosity=debug")
    config = f'[proxy]\nauth = "me:{password}"\n'
    proxy = Mitmdump(
        tmp_path_factory.mktemp("attacked"),
        *talkative,
        simulator=simulator,
        worker=True,
        config=config,
    )
    authorized = b"Proxy-Authorization: Basic %b\r\n" % login
    answer = (
        "HTTP/1.1 200 OK {reason}\r\nSet-Cookie: a={}; HttpOnly\r\nX-Secret: {}\r\n"
        "Location: https://example.com/?token={}\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\n{{}}\r\n0\r\nx-api-key: {}\r\n\r\n"
    ).format(secret(), secret(), secret(), secret(), reason=secret("sk-proj-{}0123456789"))
    with proxy:
        url = proxy.url.replace("//", f"//me:{password}@")
        with httpx.Client(proxy=url, verify=proxy.trust(), timeout=60) as http:
            body = {"model": ESCAPES, "messages": [{"role": ESCAPES, "content": ESCAPES}]}
            assert http.post(URL, json=body, headers=odd_headers(secret)).status_code == 200
            for odd in ODD_URLS:
                http.post(secret(odd), json={"model": "gpt-5", "messages": []})
        lines = (
            secret("x-api-key {}"),
            secret("x-api-key : {}"),
            secret("X-A: a\r\n x-api-key: {}"),
            secret("Host: me:{}@x.openai.azure.com"),
        )
        for line in lines:
            length = b"Content-Length: 2\r\n\r\n{}"
            exchange(proxy.port, HEAD + authorized + line.encode() + b"\r\n" + CLOSE + length)
        for text in (answer, secret("HTTP/1.1 200 OK\r\nx-api-key {}\r\n\r\n")):
            with RawProvider(text.encode()) as provider:
                provider.ask(proxy, authorized)
        wait_for(lambda: _stored(proxy) >= len(ODD_URLS) + 3)
        yield proxy, secret


def llmproxy(proxy: Mitmdump, *arguments: str) -> bytes:
    command = [str(BIN / "llmproxy"), *arguments]
    done = subprocess.run(
        command, env=proxy.environment, capture_output=True, check=True, timeout=120
    )
    return done.stdout


def _stored(proxy: Mitmdump) -> int:
    lines = llmproxy(proxy, "flows", "--json", "--filter", "-state:open").splitlines()
    return len(lines)


class TestAttacked:
    def test_foreign_text_cannot_command_the_terminal(self, attacked):
        proxy, _ = attacked
        flow = json.loads(llmproxy(proxy, "flows", "--json", "-n", "1000").splitlines()[0])

        said = llmproxy(proxy, "flows") + llmproxy(proxy, "show", flow["id"])

        letters = set(said.decode()) - {"\n"}
        assert flow["request_model"] == ESCAPES
        assert all(letter.isprintable() for letter in letters), letters

    def test_no_credential_is_in_any_file_or_output(self, attacked):
        proxy, secret = attacked
        shown = llmproxy(proxy, "flows", "--json") + llmproxy(proxy, "flows")
        proxy.stop()
        wait_for(lambda: not (proxy.home.postgres / "postmaster.pid").exists())

        assert not secret.found_in(shown)
        files = [path for path in proxy.home.path.rglob("*") if path.is_file()]
        assert len(files) > 100  # the database is one of them
        for path in [*files, proxy.log]:
            assert not secret.found_in(path.read_bytes()), path
        assert "has crashed" not in proxy.output


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Mitmdump]:
    """A proxy that has another addon beside ours."""
    folder: Path = tmp_path_factory.mktemp("spied")
    (folder / "spy.py").write_text(SPY)
    proxy = Mitmdump(folder, "--set", "stream_large_bodies=1", simulator=simulator)
    proxy.command[1:1] = ["-s", str(folder / "spy.py")]
    with proxy:
        yield proxy


def under_way(proxy: Mitmdump) -> int:
    get = b"GET http://spy.example/under-way HTTP/1.1\r\nHost: spy.example\r\n"
    return int(exchange(proxy.port, get + CLOSE + b"\r\n").rpartition(b"\r\n\r\n")[2])


HOOKS = ("requestheaders", "request", "responseheaders", "response")


@pytest.mark.parametrize("spy", [f"{verb} {hook}" for hook in HOOKS for verb in ("kill", "answer")])
def test_a_call_that_another_addon_ends_is_not_held(spied, spy):
    with httpx.Client(proxy=spied.url, verify=spied.trust(), timeout=60) as http:
        try:
            http.post(URL, json={"model": "gpt-5", "messages": []}, headers={"x-spy": spy})
        except httpx.TransportError:
            assert "kill" in spy

    wait_for(lambda: under_way(spied) == 0)


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Content-Length: 99999999\r\n\r\n{" + b"x" * 200_000,
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nab\r\n0\r\n\r\n",
        b"x-simulate: delay=60\r\nContent-Length: 30\r\n\r\n" + b'{"model":"gpt-5","stream":true}',
    ],
    ids=["cut", "cut chunk", "cut upload", "both", "two lengths", "coding", "no chunk", "hangs up"],
)
def test_a_call_that_breaks_off_is_not_held(spied, sent):
    exchange(spied.port, HEAD + sent, wait=False)

    wait_for(lambda: under_way(spied) == 0)


def test_the_stream_of_another_addon_keeps_working_and_what_passed_is_kept(spied):
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "shout"}]}
    before = len(spied.calls())
    with httpx.Client(proxy=spied.url, verify=spied.trust(), timeout=60) as http:
        answer = http.post(URL, json=body, headers={"x-spy": "rewrite"})

    call = spied.closed(before + 1)[-1]
    assert answer.content.startswith(b"DATA: ")
    assert call.response == answer.content
    assert b"shout" in call.request  # although bodies over one byte were to be streamed


def test_answers_that_an_addon_after_ours_takes_away_are_not_claimed_to_be_empty(
    tmp_path, simulator
):
    (tmp_path / "spy.py").write_text(SPY)
    scripts = (str(tmp_path / "spy.py"),)
    with Mitmdump(tmp_path, simulator=simulator, scripts=scripts) as proxy:
        with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
            answer = http.post(URL, json={"model": "gpt-5"}, headers={"x-spy": "rewrite"})
        call = proxy.closed(1)[0]
        fault = next(event for event in proxy.events() if event.kind == "fault")

    assert answer.content.isupper()
    assert call.closed.body_kept == "head"
    assert "load it before addons/" in str(fault.data["error"])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
        b'HTTP/1.0 200 OK\r\n\r\n{"a":1}',
        b"HTTP/1.1 200 \xe9\xff\r\nX: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["204", "304", "1.0", "not UTF-8"],
)
def test_odd_answers_pass_byte_for_byte(spied, answer):
    before = len(spied.calls())
    with RawProvider(answer) as provider:
        received = provider.ask(spied)

    call = spied.closed(before + 1)[-1]
    assert received == answer
    assert call.closed.ending == "complete"
    assert call.response == answer.partition(b"\r\n\r\n")[2]


def test_a_host_header_of_any_bytes_is_not_taken_for_a_host(spied):
    line = b"POST http://x.openai.azure.com/v1/chat/completions HTTP/1.1\r\n"
    before = len(spied.calls())
    host = b"Host: \xff\x1b[2J@y.openai.azure.com\r\n"
    exchange(spied.port, line + host + CLOSE + b"Content-Length: 2\r\n\r\n{}")

    assert spied.closed(before + 1)[-1].opened.host == "x.openai.azure.com"


def issuer(proxy: Mitmdump, target: str, sni: str | None) -> str:
    """Whose certificate a client gets: "ours" or "theirs"."""
    with socket.create_connection(("127.0.0.1", proxy.port)) as raw:
        raw.settimeout(60)
        raw.sendall(f"CONNECT {target}:443 HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert b" 200" in raw.recv(4096)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(raw, server_hostname=sni) as tls:
            certificate = tls.getpeercert(binary_form=True) or b""
            tls.sendall(HEAD + CLOSE + b"Content-Length: 2\r\n\r\n{}")
            tls.recv(1)
    return "ours" if b"mitmproxy" in certificate else "theirs"


@pytest.mark.parametrize(
    ("target", "sni", "whose"),
    [
        ("API.OPENAI.COM", "API.OpenAI.com", "ours"),
        ("api.openai.com.", None, "ours"),
        ("192.0.2.1", "api.openai.com", "ours"),
        ("192.0.2.1", None, "theirs"),
        ("[2001:db8::1]", None, "theirs"),
        ("api.openai.com", "bank.example", "theirs"),
        ("api.openai.com.evil.example", None, "theirs"),
        ("evilapi.openai.com", None, "theirs"),
        ("bank.example", "api.openai.com.evil.example", "theirs"),
        ("xn--pi-wia.openai.com", None, "theirs"),
    ],
)
def test_only_names_of_llm_hosts_are_opened_and_only_what_is_opened_is_recorded(
    spied, target, sni, whose
):
    before = len(spied.calls())

    assert issuer(spied, target, sni) == whose

    if whose == "ours":
        assert len(spied.closed(before + 1)) == before + 1
    else:
        time.sleep(0.1)
        assert len(spied.calls()) == before


def test_who_does_not_know_the_proxys_password_gets_407_and_leaves_no_record(tmp_path, simulator):
    config = '[proxy]\nauth = "me:open sesame"\n'
    other = HEAD.replace(b"api.openai.com", b"example.com")
    with Mitmdump(tmp_path, simulator=simulator, config=config) as proxy:
        for head in (HEAD, other):
            for login in (b"", b"Proxy-Authorization: Basic bWU6d3Jvbmc=\r\n"):
                sent = head + login + CLOSE + b"Content-Length: 5\r\n\r\nhello"
                assert exchange(proxy.port, sent).startswith(b"HTTP/1.1 407 ")
        proxy.stop()
        assert not proxy.calls()
        assert "has crashed" not in proxy.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listen-host", "0.0.0.0", "--proxyauth", "any"),
        ("--mode", "regular@0.0.0.0:0"),
        ("--set", "listen_host=::"),
    ],
)
def test_it_does_not_listen_to_strangers(tmp_path, arguments):
    proxy = Mitmdump(tmp_path, *arguments)

    with pytest.raises(AssertionError, match="refusing to listen"):
        proxy.start()

    shutil.rmtree(tmp_path)
