"""What is written of calls: all of them but their secrets, byte for byte."""

import base64
import gzip
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masked import Masked
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.model import Headers
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.eventstream import MessageReader, encode_message
from llmproxy_core.providers.recoding import Encoder
from tests.unit.providers.corpus import answer_of, body, exchanges, headers, needs_corpus

TOOLS = SecretMasking(SECRETS, Masker(Scrubber(b"k" * 32)))
KEY = "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
MARK = Masker(Scrubber(b"k" * 32)).mark(Secret("secret:github-pat", KEY))
SSE = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]
WORDS = f"Use the key {KEY} for now, it is a good one. " * 2


def written(
    told: Headers, chunks: list[bytes], keeper: Masked | None = None, *, complete: bool = True
) -> tuple[bytes, Masked]:
    """What is on the disk at the end."""
    keeper = keeper or Masked(TOOLS)
    keeper.answer(200, told)
    out = b""
    for chunk in chunks:
        piece = keeper.feed(chunk)
        out = piece if keeper.again else out + piece
        assert KEY[4:20].encode() not in decode_body(told, out)[0]
    rest = keeper.finish(complete=complete)
    assert keeper.fault is None
    return rest if keeper.again else out + rest, keeper


def cut(data: bytes, rng: random.Random, most: int = 12) -> list[bytes]:
    at = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(most)))
    return [part for a, b in zip([0, *at], [*at, len(data)], strict=True) if (part := data[a:b])]


def stream(text: str, size: int) -> list[bytes]:
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return [
        b"event: content_block_delta\ndata: "
        + json.dumps({"type": "d", "index": 0, "delta": {"text": part}}).encode()
        + b"\n\n"
        for part in parts
    ]


def said(sse: bytes) -> str:
    lines = [line[6:] for line in sse.split(b"\n") if line.startswith(b"data: ")]
    return "".join(json.loads(line)["delta"]["text"] for line in lines)


@pytest.mark.parametrize("size", [1, 3, 8, 400])
@pytest.mark.parametrize("coding", ["", "gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_key_in_a_stream_is_masked_in_any_coding(coding: str, size: int):
    told = [*SSE, ("content-encoding", coding)] if coding else SSE
    encoder = Encoder([name.strip() for name in coding.split(",") if name])
    chunks = [encoder.encode(event) for event in stream(WORDS, size)] + [encoder.finish()]
    out, keeper = written(told, [chunk for chunk in chunks if chunk])
    plain, problem = decode_body(told, out)
    assert problem is None
    assert said(plain) == WORDS.replace(KEY, MARK)
    assert keeper.masked == 2


@pytest.mark.parametrize("coding", ["", "gzip", "deflate", "br", "zstd"])
def test_without_a_secret_the_bytes_are_those_that_came(coding: str):
    told = [*SSE, ("content-encoding", coding)] if coding else SSE
    encoder = Encoder([coding] if coding else [])
    came = b"".join(encoder.encode(event) for event in stream("good words " * 40, 5))
    came += encoder.finish()
    for seed in range(20):
        assert written(told, cut(came, random.Random(seed)))[0] == came


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_what_streams_in_a_coding_is_written_before_it_ends(coding: str):
    told = [*SSE, ("content-encoding", coding)]
    encoder, keeper = Encoder([coding]), Masked(TOOLS)
    keeper.answer(200, told)
    chunks = [encoder.encode(event) for event in stream("good words " * 40, 11)]
    early = b"".join(keeper.feed(chunk) for chunk in chunks)
    assert early == b"".join(chunks)[: len(early)]
    assert len(early) > len(b"".join(chunks)) // 2


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
def test_an_answer_that_breaks_off_in_a_key_keeps_what_was_before(coding: str):
    told = [*SSE, ("content-encoding", coding)] if coding else SSE
    encoder = Encoder([coding] if coding else [])
    chunks = [encoder.encode(event) for event in stream(WORDS[:30], 3)]
    out, _ = written(told, chunks, complete=False)
    plain = said(decode_body(told, out)[0])
    assert plain.startswith("Use the key ")
    assert KEY[:12] not in plain


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_is_masked_whole(indent: int | None):
    answer = {"choices": [{"message": {"content": WORDS}}], "more": {"password": "wq7!kZp93"}}
    came = json.dumps(answer, indent=indent).encode()
    out, keeper = written(JSON, cut(came, random.Random(3)))
    assert b"wq7!kZp93" not in out
    assert json.loads(out)["choices"][0]["message"]["content"] == WORDS.replace(KEY, MARK)
    assert keeper.masked == 3


def test_lines_that_call_themselves_a_document_are_followed_as_lines():
    lines = [json.dumps({"message": {"content": part}}) for part in (WORDS[:20], WORDS[20:])]
    out, _ = written(JSON, ["\n".join(lines).encode()])
    texts = [json.loads(line)["message"]["content"] for line in out.splitlines()]
    assert "".join(texts) == WORDS.replace(KEY, MARK)


EVENTSTREAM = [("content-type", "application/vnd.amazon.eventstream")]


def message(payload: dict[str, Any], name: str = "contentBlockDelta") -> bytes:
    told = {":message-type": "event", ":event-type": name, ":content-type": "application/json"}
    return encode_message(told, json.dumps(payload).encode())


@pytest.mark.parametrize("enveloped", [False, True])
def test_messages_of_an_eventstream_are_masked_and_still_fit(enveloped: bool):
    parts = [WORDS[at : at + 7] for at in range(0, len(WORDS), 7)]
    events: list[dict[str, Any]] = [
        {"contentBlockIndex": 0, "delta": {"text": part}, "p": "ab"} for part in parts
    ]
    if enveloped:
        events = [
            {"bytes": base64.b64encode(json.dumps(one).encode()).decode(), "p": "abc"}
            for one in events
        ]
    came = b"".join(message(event) for event in events)
    for seed in range(5):
        out, _ = written(EVENTSTREAM, cut(came, random.Random(seed)))
        reader = MessageReader()
        payloads = [json.loads(one.payload) for one in reader.feed(out)]
        if enveloped:
            payloads = [json.loads(base64.b64decode(one["bytes"])) for one in payloads]
        assert reader.problem is None
        text = "".join(one["delta"]["text"] for one in payloads)
        assert text == WORDS.replace(KEY, MARK)


def test_of_a_damaged_eventstream_nothing_is_written_after_the_damage():
    good = message({"delta": {"text": "hello "}})
    out, _ = written(EVENTSTREAM, [good, b"\xff" * 40, KEY.encode()])
    assert out == good


def frame(data: bytes, ours: bool = False, binary: bool = False) -> bytes:
    kind, text = ("binary", base64.b64encode(data)) if binary else ("text", data)
    line = {"from": "client" if ours else "server", "type": kind, "at": 1, "data": text.decode()}
    return json.dumps(line).encode() + b"\n"


@pytest.mark.parametrize("binary", [False, True])
def test_frames_of_a_websocket_are_masked_both_ways(binary: bool):
    keeper = Masked(TOOLS).frames()
    asked = frame(json.dumps({"type": "response.create", "input": WORDS}).encode(), True, binary)
    out = keeper.request([], asked)
    assert KEY.encode() not in out
    assert keeper.masked == 2
    parts = [WORDS[at : at + 9] for at in range(0, len(WORDS), 9)]
    deltas = [{"type": "response.output_text.delta", "item_id": "m", "delta": x} for x in parts]
    lines = [frame(json.dumps(one).encode(), binary=binary) for one in deltas]
    answer, _ = written([], lines, keeper)
    texts = []
    for line in answer.splitlines():
        data = json.loads(line)["data"]
        texts.append(json.loads(base64.b64decode(data) if binary else data)["delta"])
    assert "".join(texts) == WORDS.replace(KEY, MARK)
    assert keeper.masked == 4


def test_what_was_secret_in_one_turn_of_a_websocket_is_so_in_the_next():
    keeper = Masked(TOOLS).frames()
    keeper.request([], frame(json.dumps({"say": "password=wq7!kZp93x"}).encode(), True))
    keeper.answer(101, [])
    keeper.finish(complete=True)
    out = keeper.request([], frame(json.dumps({"say": "is it wq7!kZp93x?"}).encode(), True))
    assert b"wq7!kZp93x" not in out


def test_what_the_request_told_is_masked_in_the_answer():
    keeper = Masked(TOOLS)
    keeper.request(JSON, json.dumps({"messages": [{"content": "password=wq7!kZp93x"}]}).encode())
    out, _ = written(SSE, stream("It was wq7!kZp93x, I think.", 4), keeper)
    assert "wq7!" not in said(out)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_coded_request_is_masked_within_its_coding(coding: str):
    encoder = Encoder([coding])
    plain = json.dumps({"messages": [{"role": "user", "content": WORDS}]}).encode()
    coded = encoder.encode(plain) + encoder.finish()
    told = [*JSON, ("content-encoding", coding)]
    out = Masked(TOOLS).request(told, coded)
    assert decode_body(told, out) == (plain.replace(KEY.encode(), MARK.encode()), None)


@pytest.mark.parametrize(
    ("coding", "data"),
    [("compress", KEY.encode()), ("zstd", zstandard.compress(WORDS.encode())[:-4])],
    ids=["unknown", "cut"],
)
def test_a_body_whose_coding_cannot_be_undone_is_not_written(coding: str, data: bytes):
    told = [("content-encoding", coding)]
    keeper = Masked(TOOLS)
    assert keeper.request(told, data) == b""
    assert written(told, [data], keeper)[0] == b""


def test_after_a_fault_of_ours_nothing_is_written():
    keeper = Masked(TOOLS)
    keeper.answer(200, SSE)
    keeper._answer = object()  # type: ignore[assignment]
    assert keeper.feed(b"data: x\n\n") == b""
    assert isinstance(keeper.fault, AttributeError)
    assert keeper.feed(KEY.encode()) + keeper.finish(complete=True) == b""


@needs_corpus
def test_recorded_exchanges_without_secrets_are_written_as_they_passed():
    rng, masked = random.Random(5), 0
    for one in exchanges():
        keeper = Masked(TOOLS)
        asked = keeper.request(headers(one, "request"), body(one, "request"))
        came = body(one, "response")
        told = headers(one, "response")
        keeper.answer(one["status"] or 200, told)
        out = b""
        for chunk in cut(came, rng):
            piece = keeper.feed(chunk)
            out = piece if keeper.again else out + piece
        rest = keeper.finish(complete=True)
        out = rest if keeper.again else out + rest
        assert keeper.fault is None
        masked += bool(keeper.masked)
        if not keeper.masked:
            assert (asked, out) == (body(one, "request"), came), one["id"]
    assert masked == 4  # passwords of WebRTC connections


@needs_corpus
def test_a_masked_answer_reads_as_the_answer_does_with_marks():
    """A word of each recorded answer becomes a key."""
    rng, tried = random.Random(6), 0
    for one in exchanges()[::7]:
        told = headers(one, "response")
        plain, problem = decode_body(told, body(one, "response"))
        word = next((w for w in (b" is ", b" the ", b" to ") if plain.count(w) > 1), None)
        if problem or word is None or b"fp_" in plain:
            continue
        told = [(name, value) for name, value in told if name.lower() != "content-encoding"]
        exchange = {**one, "response_headers": [[*pair] for pair in told]}
        planted = plain.replace(word, b" %b " % KEY.encode())
        out, keeper = written(told, cut(planted, rng))
        marked = planted.replace(KEY.encode(), MARK.encode())
        expected, _ = answer_of(exchange, [marked])
        found, _ = answer_of(exchange, [out])
        assert found == expected, one["id"]
        assert keeper.masked >= plain.count(word)
        tried += 1
    assert tried > 40


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), told=st.sampled_from([SSE, JSON, EVENTSTREAM, []]))
def test_whatever_comes_is_written_or_left_out_and_nothing_raises(data: bytes, told: Headers):
    keeper = Masked(TOOLS)
    keeper.request(told, data)
    written(told, cut(data, random.Random(1)), keeper)


def test_sound_in_events_is_no_text_that_goes_on():
    rng = random.Random(4)
    sound = [base64.b64encode(rng.randbytes(3000)).decode() for _ in range(6)]
    events = [stream(part, 9000)[0] for part in sound]
    assert written(SSE, events)[0] == b"".join(events)
    out, _ = written(SSE, [*events, *stream(WORDS, 5)])
    assert said(out) == "".join(sound) + WORDS.replace(KEY, MARK)


WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")


@pytest.mark.parametrize("encoding", WIDE)
def test_a_body_in_another_encoding_is_written_in_utf_8_if_it_has_a_secret(encoding):
    keeper = Masked(TOOLS)
    for text in (json.dumps({"messages": [{"content": WORDS}]}), WORDS):
        kept = keeper.request(JSON, text.encode(encoding)).decode()
        assert kept.lstrip("\ufeff") == text.replace(KEY, MARK)
    harmless = json.dumps({"content": "nothing to see here"}).encode(encoding)
    assert Masked(TOOLS).request(JSON, harmless) == harmless


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("size", [1, 3, 9999])
def test_so_is_an_answer(encoding, size):
    text = json.dumps({"choices": [{"message": {"content": WORDS}}]})
    came = text.encode(encoding)
    kept, _ = written(JSON, [came[at : at + size] for at in range(0, len(came), size)])
    assert kept.decode().lstrip("\ufeff") == text.replace(KEY, MARK)


def test_what_stands_behind_the_end_of_what_is_coded_is_not_written():
    told = [("content-encoding", "gzip")]
    body = gzip.compress(b'{"messages": []}')
    assert Masked(TOOLS).request(told, body + b"\0\0") == body + b"\0\0"
    kept = Masked(TOOLS).request(told, body + WORDS.encode())
    assert KEY.encode() not in kept
    assert decode_body(told, kept) == (b'{"messages": []}', None)


@pytest.mark.parametrize("item", [b"[]", b"{}", b'""', b"0"])
def test_millions_of_empty_things_cost_little(item: bytes):
    body = b'{"messages":[%b],"key":"%b"}' % (b",".join([item] * 10**6), KEY.encode())
    began = time.process_time()
    out = Masked(TOOLS).request(JSON, body)
    assert time.process_time() - began < 2
    assert out == body.replace(KEY.encode(), MARK.encode())


def test_large_requests_are_masked_in_any_thread():
    words = " ".join(f"word{number}" for number in range(40_000))
    bodies = [json.dumps({"messages": [words, f"{KEY[:-1]}{n}", words]}).encode() for n in range(8)]
    with ThreadPoolExecutor(4) as threads:
        done = [*threads.map(lambda one: Masked(TOOLS).request(JSON, one), bodies * 4)]
    assert all(KEY[:-1].encode() not in one and b"secret:github-pat" in one for one in done)
    assert done[:8] * 4 == done
