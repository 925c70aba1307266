"""What the simulated provider puts on the wire, seen by a plain HTTP client."""

import gzip
import http.client
import json
import ssl
import time
import zlib

import brotli
import httpx
import pytest
import zstandard

from llmproxy_core.hashing import content_hash
from llmproxy_core.simulator import Simulator

CHAT = "/v1/chat/completions"
BODY = {"model": "gpt-5", "messages": [{"role": "user", "content": "Why?"}]}
DECODERS = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@pytest.fixture(scope="module")
def provider():
    with Simulator(keep_bodies=True) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def client(provider):
    with httpx.Client(base_url=provider.http_url, trust_env=False, timeout=60) as client:
        yield client


def simulate(text):
    return {"x-simulate": text}


def test_the_same_request_gets_the_same_bytes(client):
    asked = BODY | {"stream": True}
    assert client.post(CHAT, json=asked).content == client.post(CHAT, json=asked).content


def test_the_hash_of_the_body_is_told(client, provider):
    body = json.dumps(BODY, indent=3).encode() + b"  \n"
    answer = client.post(CHAT, content=body)
    seen = provider.seen[-1]
    assert answer.headers["x-simulate-request-hash"] == content_hash(body).hex() == seen.body_hash
    assert seen.body == body
    assert seen.answer_hash == content_hash(answer.content).hex()


@pytest.mark.parametrize("encoding", DECODERS)
@pytest.mark.parametrize("stream", [False, True])
def test_encodings_are_those_of_the_wire(client, encoding, stream):
    asked = BODY | {"stream": stream}
    plain = client.post(CHAT, json=asked).content
    with client.stream("POST", CHAT, json=asked, headers=simulate(f"encoding={encoding}")) as got:
        raw = b"".join(got.iter_raw())
    assert got.headers["content-encoding"] == encoding
    assert raw != plain
    assert DECODERS[encoding](raw) == plain


@pytest.mark.parametrize("encoding", DECODERS)
def test_no_event_waits_in_a_compressor(provider, encoding):
    decoder = {
        "gzip": zlib.decompressobj(31).decompress,
        "deflate": zlib.decompressobj().decompress,
        "br": brotli.Decompressor().process,
        "zstd": zstandard.ZstdDecompressor().decompressobj().decompress,
    }[encoding]
    asked = BODY | {"stream": True}
    wanted = simulate(f"encoding={encoding},delay=30,chunks=3")
    with (
        httpx.Client(base_url=provider.http_url, trust_env=False, timeout=60) as client,
        client.stream("POST", CHAT, json=asked, headers=wanted) as got,
    ):
        pieces = [decoder(piece) for piece in got.iter_raw()]
    assert all(piece.endswith(b"\n\n") for piece in pieces if piece)
    assert len(pieces) >= 5


def test_delays_are_kept(client):
    asked = BODY | {"stream": True}
    start = time.monotonic()
    client.post(CHAT, json=asked, headers=simulate("first=80,delay=20,chunks=2"))
    assert time.monotonic() - start > 0.15


@pytest.mark.parametrize("how", ["reset_after=2", "cut_after=2"])
def test_a_torn_stream_is_seen_as_torn(client, how):
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post(CHAT, json=BODY | {"stream": True}, headers=simulate(how))


@pytest.mark.parametrize("how", ["reset_after=2", "cut_after=2"])
def test_a_torn_whole_answer_is_seen_as_torn(client, how):
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post(CHAT, json=BODY, headers=simulate(how))


def test_trailers_come_after_the_last_chunk(provider):
    connection = http.client.HTTPConnection("127.0.0.1", provider.http_port)
    asked = json.dumps(BODY | {"stream": True})
    connection.request("POST", CHAT, asked, simulate("trailers=true"))
    answer = connection.getresponse()
    assert answer.getheader("trailer") == "x-simulate-answer-hash"
    assert answer.read().endswith(b"data: [DONE]\n\n")
    connection.close()


def test_a_large_answer_has_the_size_asked_for(client):
    answer = client.post(CHAT, json=BODY, headers=simulate("size=3000000"))
    assert len(answer.json()["choices"][0]["message"]["content"]) == 3_000_000


def test_echo_says_what_it_was_told(client):
    answer = client.post(CHAT, json=BODY, headers=simulate("echo=true"))
    assert answer.json()["choices"][0]["message"]["content"] == "Why?"


@pytest.mark.parametrize("kind", ["json", "utf8", "html", "empty"])
@pytest.mark.parametrize("stream", [False, True])
def test_malformed_bodies_cannot_be_read(client, kind, stream):
    asked = BODY | {"stream": stream}
    content = client.post(CHAT, json=asked, headers=simulate(f"malformed={kind}")).content
    events = content.removesuffix(b"data: [DONE]\n\n").split(b"data: ")[1:] if stream else [content]
    with pytest.raises(ValueError, match=r"."):  # noqa: PT012
        for event in events or [b""]:
            json.loads(event)


def test_a_gemini_stream_without_sse_is_one_json_array(client):
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    answer = client.post(path, json={"contents": [{"parts": [{"text": "Why?"}]}]})
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()) > 3


def test_a_large_upload_is_hashed_whole(client, provider):
    body = b"x" * 70_000_000
    answer = client.post(CHAT, content=body)
    assert answer.status_code == 400
    assert provider.seen[-1].body_bytes == len(body)
    assert answer.headers["x-simulate-request-hash"] == content_hash(body).hex()


def test_a_wrong_control_is_refused_by_name(client):
    answer = client.post(CHAT, json=BODY, headers=simulate("speed=9"))
    assert answer.status_code == 400
    assert "'speed'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"messages": 3}'])
def test_bodies_that_are_no_calls_are_refused(client, content):
    assert client.post(CHAT, content=content).status_code == 400


def test_an_unknown_path_is_not_found(client):
    assert client.get("/v1/nothing").status_code == 404


def test_its_certificate_is_good_for_provider_hosts(provider):
    context = ssl.create_default_context(cafile=str(provider.ca_file))
    with httpx.Client(verify=context, trust_env=False, timeout=60) as client:
        url = f"{provider.https_url}/v1/models"
        hint = {"sni_hostname": "api.anthropic.com"}
        answer = client.get(url, extensions=hint, headers={"anthropic-version": "2023-06-01"})
    assert answer.json()["data"][0]["type"] == "model"


def test_a_taken_port_is_an_error_and_nothing_stays_open(provider):
    with pytest.raises(OSError, match="in use"), Simulator(0, provider.https_port):
        pass


def test_it_leaves_no_files_behind():
    with Simulator() as simulator:
        folder = simulator.ca_file.parent
        assert folder.exists()
    assert not folder.exists()
