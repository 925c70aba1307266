"""What the proxy forwards and what it writes, with real TLS on both sides."""

import gzip
import json
import socket
import ssl
import threading
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor

import brotli
import httpx
import pytest
import zstandard

from llmproxy_core.hashing import content_hash
from tests.mitm import Call, wait_for

OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
KEY = "sk-test-0123456789abcdefghijklmnop"


def client(proxy, **options) -> httpx.Client:
    return httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60, **options)


def chat(text: str = "Hello", **more) -> dict[str, object]:
    return {"model": "gpt-5", "messages": [{"role": "user", "content": text}], **more}


def call_with(proxy, mark: str, *, ended: bool = True) -> Call:
    """Wait for the call whose request has `mark` in it."""

    def find() -> Call | None:
        for call in proxy.calls():
            if mark.encode() in call.request + call.opened.path.encode():
                return call if call.closed or not ended else None
        return None

    return wait_for(find)


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


def test_a_call_is_forwarded_and_stored_byte_for_byte(proxy, simulator, mark):
    sent = b'{ "model":"gpt-5",\n "messages" : [{"role":"user","content":"%s \\u0000 \\ud800"}],"x":1.0}'
    sent %= mark.encode()
    with client(proxy) as http:
        answer = http.post(OPENAI, content=sent, headers={"authorization": f"Bearer {KEY}"})

    call = call_with(proxy, mark)
    assert answer.status_code == 200
    assert call.request == sent
    assert call.opened.hash_in == call.opened.hash_out == content_hash(sent)
    assert answer.headers["x-simulate-request-hash"] == content_hash(sent).hex()
    assert call.response == answer.content
    assert call.closed.hash_in == call.closed.hash_out == content_hash(answer.content)
    assert (call.opened.provider, call.opened.wire) == ("openai", "openai.chat")
    assert (call.opened.scheme, call.opened.host, call.opened.port) == (
        "https",
        "api.openai.com",
        443,
    )
    assert call.status == 200
    assert call.closed.ending == "complete"
    assert not call.pieces  # a short answer is one record


def test_a_streamed_answer_passes_at_once_and_is_written_while_it_comes(proxy, mark):
    body = chat(mark, stream=True)
    seen = b""
    with (
        client(proxy) as http,
        http.stream("POST", OPENAI, json=body, headers={"x-simulate": "delay=60"}) as answer,
    ):
        for chunk in answer.iter_raw():
            seen += chunk
            if seen.count(b"data:") == 4:
                early = call_with(proxy, mark, ended=False)
                assert early.closed is None
                assert early.response
                assert seen.startswith(early.response)

    call = call_with(proxy, mark)
    assert call.response == seen
    assert len(call.pieces) > 3
    assert call.answered.answer.status == 200
    assert call.closed.body_bytes == len(seen)


DECODE = {
    "gzip": lambda data: gzip.decompress(data),
    "deflate": lambda data: zlib.decompress(data),
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("encoding", list(DECODE))
def test_a_compressed_answer_is_stored_as_it_passed(proxy, simulator, mark, encoding, stream):
    headers = {"x-simulate": f"encoding={encoding}", "accept-encoding": f"{encoding};q=0.7"}
    with (
        client(proxy) as http,
        http.stream("POST", OPENAI, json=chat(mark, stream=stream), headers=headers) as answer,
    ):
        raw = b"".join(answer.iter_raw())

    assert answer.headers["content-encoding"] == encoding
    assert call_with(proxy, mark).response == raw
    assert b"gpt-5" in DECODE[encoding](raw)
    forwarded = next(s for s in reversed(simulator.seen) if mark.encode() in s.body)
    assert dict(forwarded.headers)["Accept-Encoding"] == f"{encoding};q=0.7"


def test_no_credential_reaches_the_disk_or_the_log(proxy, simulator, mark):
    secrets = {
        "authorization": f"Bearer {KEY}-a",
        "x-api-key": f"{KEY}-b",
        "cookie": f"session={KEY}-c",
        "x-goog-api-key": f"{KEY}-d",
    }
    url = (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
        f"?key={KEY}-e"
    )
    with client(proxy) as http:
        body = {"contents": [{"role": "user", "parts": [{"text": mark}]}]}
        assert http.post(url, json=body, headers=secrets).status_code == 200
        http.get(f"https://api.openai.com/v1/models?key={KEY}-f", headers=secrets)

    call = call_with(proxy, mark)
    forwarded = next(s for s in reversed(simulator.seen) if mark.encode() in s.body)
    assert f"{KEY}-e" in forwarded.path
    assert dict(forwarded.headers)["Authorization"] == secrets["authorization"]
    assert str(call.opened.credential).startswith("fp_")
    assert "key=fp_" in call.opened.path
    for file in [*proxy.home.path.rglob("*"), proxy.log]:
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file


def test_files_are_private(proxy):
    for path in proxy.home.path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_is_not_an_llm_call_passes_unrecorded(proxy, simulator, mark):
    with client(proxy) as http:
        logged = http.post("https://api.anthropic.com/api/event_logging/batch", json={"m": mark})
        listed = http.get("https://api.openai.com/v1/models")
        http.post(OPENAI, json=chat(f"last {mark}"))

    assert (logged.status_code, listed.status_code) == (200, 200)
    call_with(proxy, f"last {mark}")
    assert sum(mark.encode() in call.request for call in proxy.calls()) == 1


def test_tls_to_other_hosts_is_not_opened(proxy, simulator):
    """The certificate that the client sees is the server's own."""
    theirs = ssl.create_default_context(cafile=simulator.ca_file)
    theirs.check_hostname = False
    with httpx.Client(proxy=proxy.url, verify=theirs, timeout=60) as http:
        assert http.get("https://example.org/v1/models").status_code == 200

    ours = proxy.trust()
    with (
        httpx.Client(proxy=proxy.url, verify=ours, timeout=60) as http,
        pytest.raises(httpx.ConnectError),
    ):
        http.get("https://example.org/v1/models")


def test_sni_decides_and_then_the_address(proxy, simulator):
    def issuer(connect_to: str, sni: str | None) -> str:
        with socket.create_connection(("127.0.0.1", proxy.port)) as raw:
            raw.sendall(f"CONNECT {connect_to}:443 HTTP/1.1\r\nHost: {connect_to}\r\n\r\n".encode())
            assert b" 200" in raw.recv(4096)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(raw, server_hostname=sni) as tls:
                certificate = tls.getpeercert(binary_form=True)
        return "ours" if b"mitmproxy" in (certificate or b"") else "theirs"

    assert issuer("api.openai.com", None) == "ours"
    assert issuer("example.org", None) == "theirs"
    assert issuer("example.org", "api.openai.com") == "ours"
    assert issuer("api.openai.com", "example.org") == "theirs"


def test_a_program_that_does_not_trust_the_ca_is_named(proxy):
    with (
        httpx.Client(proxy=proxy.url, verify=ssl.create_default_context(), timeout=60) as http,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        http.post(OPENAI, json=chat())

    event = wait_for(lambda: next((e for e in proxy.events() if e.kind == "tls_failed"), None))
    assert event.data["host"] in ("api.openai.com", "example.org")
    assert event.data["distrusts_ca"] is True
    wait_for(lambda: "does not trust the CA" in proxy.output)


def test_a_client_that_hangs_up_leaves_a_partial_answer(proxy, mark):
    body = chat(mark, stream=True)
    with (
        client(proxy) as http,
        http.stream("POST", OPENAI, json=body, headers={"x-simulate": "delay=50"}) as answer,
    ):
        next(answer.iter_raw())

    call = call_with(proxy, mark)
    assert call.closed.ending == "client_closed"
    assert call.response.startswith(b"data:")
    assert call.closed.hash_in == content_hash(call.response)


@pytest.mark.parametrize("how", ["reset_after=3", "cut_after=3"])
def test_a_provider_that_breaks_off_leaves_a_partial_answer(proxy, mark, how):
    seen = bytearray()

    def read_all() -> None:
        headers = {"x-simulate": f"{how},delay=20"}
        body = chat(mark, stream=True)
        with (
            client(proxy) as http,
            http.stream("POST", OPENAI, json=body, headers=headers) as answer,
        ):
            for chunk in answer.iter_raw():
                seen.extend(chunk)

    with pytest.raises(httpx.TransportError):
        read_all()

    call = call_with(proxy, mark)
    assert call.closed.ending == "server_closed"
    assert call.response == seen


def test_trailers_pass_and_are_kept(proxy, mark):
    headers = {"x-simulate": "trailers=true"}
    with client(proxy) as http:
        answer = http.post(OPENAI, json=chat(mark, stream=True), headers=headers)

    call = call_with(proxy, mark)
    assert answer.status_code == 200
    assert call.response == answer.content
    assert [name for name, _ in call.closed.trailers] == ["x-simulate-answer-hash"]


def test_an_error_of_the_provider_is_a_call_like_any_other(proxy, mark):
    with client(proxy) as http:
        answer = http.post(OPENAI, json=chat(mark), headers={"x-simulate": "status=429"})

    call = call_with(proxy, mark)
    assert (answer.status_code, call.status) == (429, 429)
    assert call.response == answer.content


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_of_200_mib_is_forwarded_whole_and_stored_as_hash_and_head(
    proxy, simulator, mark, chunked
):
    start = b'{"model":"%s","x":"' % mark.encode()
    filler = b"x" * 2**20
    size = len(start) + 200 * 2**20

    def body():
        yield start
        for _ in range(200):
            yield filler

    headers = {"content-type": "application/json"}
    if not chunked:
        headers["content-length"] = str(size)
    with client(proxy) as http:
        answer = http.post(OPENAI, content=body(), headers=headers)

    call = call_with(proxy, mark)
    whole = content_hash(start + filler * 200)
    forwarded = simulator.seen[-1]
    assert forwarded.body_bytes == size
    assert forwarded.body_hash == whole.hex()
    assert answer.status_code == 400  # not JSON, says the provider
    assert call.opened.body_kept == "head"
    assert call.opened.body_bytes == size
    assert call.request == (start + filler)[: 64 * 1024]
    if chunked:
        assert call.opened.hash_out == whole
    else:
        assert call.closed.upload.body_bytes == size
        assert call.closed.upload.hash_out == whole


def test_many_calls_at_once_are_told_apart(proxy, mark):
    def run(number: int) -> None:
        body = chat(f"{mark}-{number:02}-", stream=number % 2 == 0)
        with client(proxy) as http:
            answers[number] = http.post(
                OPENAI, json=body, headers={"x-simulate": "delay=5"}
            ).content

    answers: dict[int, bytes] = {}
    threads = [threading.Thread(target=run, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number in range(20):
        assert call_with(proxy, f"{mark}-{number:02}-").response == answers[number]


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b'{"model": "gpt-5", "messages": [', b"\xff\xfe\x00", b"[" * 5000],
    ids=["empty", "text", "truncated", "not utf-8", "deep"],
)
def test_bodies_that_are_no_json_pass_and_are_stored(proxy, simulator, mark, content):
    with client(proxy) as http:
        answer = http.post(f"{OPENAI}?mark={mark}", content=content)

    call = call_with(proxy, mark)
    assert answer.headers["x-simulate-request-hash"] == content_hash(content).hex()
    assert call.request == content


def test_the_time_of_every_chunk_is_known(proxy, mark):
    started = time.time_ns()
    with client(proxy) as http:
        http.post(OPENAI, json=chat(mark, stream=True), headers={"x-simulate": "delay=10,first=80"})

    call = call_with(proxy, mark)
    first_piece = call.pieces[0][0]
    assert started < call.opened.at < call.answered.answer.at <= first_piece.at < call.closed.at
    assert call.closed.first_at == first_piece.at
    assert call.closed.first_at - call.opened.at >= 70_000_000
    times = [piece.at + micros * 1000 for piece, _ in call.pieces for _, micros in piece.marks]
    assert times == sorted(times)
    assert json.loads(call.request)["stream"] is True


def test_trailers_reach_the_other_side(proxy, mark):
    """As bytes, because HTTP libraries keep trailers to themselves."""
    answered = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
        b"2\r\n{}\r\n0\r\nx-sum: 34\r\n\r\n"
    )
    body = json.dumps(chat(mark)).encode()
    received = bytearray()

    def serve_one() -> None:
        connection, _ = server.accept()
        with connection:
            while not received.endswith(b"x-sum: 12\r\n\r\n"):
                received.extend(connection.recv(65536))
            connection.sendall(answered)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=serve_one)
        thread.start()
        with socket.create_connection(("127.0.0.1", proxy.port)) as client_side:
            client_side.sendall(
                b"POST http://127.0.0.1:%d/v1/chat/completions HTTP/1.1\r\n"
                b"Host: 127.0.0.1:%d\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n"
                b"Connection: close\r\n\r\n%x\r\n%b\r\n0\r\nx-sum: 12\r\n\r\n"
                % (port, port, len(body), body)
            )
            got = b"".join(iter(lambda: client_side.recv(65536), b""))
        thread.join()

    call = call_with(proxy, mark)
    assert call.request == body
    assert got == answered
    assert call.closed.trailers == [("x-sum", "34")]


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_large_request_is_masked_and_written_before_it_is_sent(proxy, simulator, mark, coding):
    key = "ghp_" + "q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
    body = json.dumps(chat(f"{mark} {'key=' * 70_000} {key} " + "word " * 10_000)).encode()
    headers = {"content-encoding": coding} if coding else {}
    sent = gzip.compress(body) if coding else body
    with client(proxy) as http, ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(http.post, OPENAI, content=sent, headers=headers) for _ in range(4)]
        assert [one.result().status_code for one in asked] == [200] * 4

    def kept() -> list[Call] | None:
        calls = [one for one in proxy.calls() if one.opened.hash_in == content_hash(sent)]
        return calls if len(calls) == 4 and all(one.closed for one in calls) else None

    for call in wait_for(kept):
        written = gzip.decompress(call.request) if coding else call.request
        assert key.encode() not in written
        assert b"[secret:github-pat:" in written
        assert call.opened.at <= call.closed.at
