"""Of a call whose texts are not kept, everything else is: for every wire format."""

import gzip
import json
import random
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.model import Headers, Request, Response
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.providers.frames import FRAMED
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.withholding import vocabulary
from llmproxy_core.withholding.skeleton import NOT_KEPT, Skeleton
from llmproxy_core.withholding.withheld import Withheld
from tests.unit.providers.catalogue import SAMPLES, STREAMED
from tests.unit.providers.sample import Sample
from tests.unit.redaction.planted import CANARY, planted, sings

each = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.wire))
streamed = pytest.mark.parametrize("sample", STREAMED, ids=lambda sample: str(sample.wire))
JSON: Headers = [("Content-Type", "application/json")]


def written(
    wire: str,
    body: bytes,
    headers: Headers = JSON,
    cuts: list[int] | None = None,
    status: int = 200,
) -> bytes:
    keeper = Withheld(wire)
    keeper.answer(status, headers)
    ends = [*(cuts or []), len(body)]
    chunks = [body[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    return b"".join([*map(keeper.feed, chunks), keeper.finish(complete=True)])


def read(
    wire: str, body: bytes, headers: Headers = JSON, path: str = "", status: int = 200
) -> Response:
    reader = AnswerReader(wire, status, headers, path)
    reader.feed(body)
    return reader.finish()


def facts(response: Response) -> dict[str, Any]:
    """What is told without a word of the answer."""
    return {
        "id": response.id,
        "model": response.model,
        "choices": len(response.texts),
        "calls": [(call.id, call.name) for call in response.tool_calls],
        "hosted": response.server_tool_calls,
        "finish_reasons": response.finish_reasons,
        "usage": response.usage,
        "incomplete": response.incomplete,
        "n_events": response.n_events,
        "n_embeddings": response.n_embeddings,
        "error": response.error and response.error.type,
    }


def told(request: Request) -> dict[str, Any]:
    return {
        "model": request.model,
        "stream": request.stream,
        "roles": [message.role for message in request.messages],
        "tools": [(tool.name, tool.hosted) for tool in request.tools],
        "hints": request.session_hints,
    }


def asked(sample: Sample) -> bytes:
    return Withheld(sample.wire, framed=sample.wire in FRAMED).request([], sample.asked)


@each
def test_a_request_says_who_speaks_to_which_model_with_which_tools(sample: Sample) -> None:
    full, _ = read_request(sample.wire, sample.path, [], sample.asked)
    less, _ = read_request(sample.wire, sample.path, [], asked(sample))
    assert told(less) == told(full)


@each
def test_an_answer_says_what_it_took_and_how_it_ended(sample: Sample) -> None:
    kept = written(sample.wire, sample.json)
    if sample.wire not in FRAMED:
        assert facts(read(sample.wire, kept)) == facts(read(sample.wire, sample.json))


@streamed
def test_a_stream_says_what_it_took_and_how_it_ended(sample: Sample) -> None:
    headers = [("Content-Type", sample.kind)]
    kept = written(sample.wire, sample.stream, headers)
    assert facts(read(sample.wire, kept, headers)) == facts(
        read(sample.wire, sample.stream, headers)
    )


@streamed
def test_a_stream_is_written_alike_however_it_is_cut(sample: Sample) -> None:
    headers, dice = [("Content-Type", sample.kind)], random.Random(7)
    whole = written(sample.wire, sample.stream, headers)
    for _ in range(20):
        cuts = sorted(dice.choices(range(len(sample.stream)), k=dice.randrange(1, 30)))
        assert written(sample.wire, sample.stream, headers, cuts) == whole


@each
def test_no_word_of_a_request_is_written(sample: Sample) -> None:
    body = sample.request
    if isinstance(body, bytes):
        lines = [json.loads(line) for line in body.splitlines()] if body[:1] == b"{" else []
        for line in lines:
            line["data"] = json.dumps(planted(json.loads(line["data"])))
        sent = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    else:
        sent = json.dumps(planted(body)).encode()
    keeper = Withheld(sample.wire, framed=sample.wire in FRAMED)
    assert not sings(keeper.request([], sent))


@each
def test_no_word_of_an_answer_is_written(sample: Sample) -> None:
    assert not sings(written(sample.wire, json.dumps(planted(sample.whole)).encode()))


@streamed
def test_no_word_of_a_stream_is_written(sample: Sample) -> None:
    stream = sample.encode([planted(event) for event in sample.events], sample.done)
    assert sings(stream)
    assert not sings(written(sample.wire, stream, [("Content-Type", sample.kind)]))


@pytest.mark.parametrize("wire", [*FORMATS, "watsonx.chat"])
def test_no_word_is_written_in_whatever_place_it_stands(wire: str) -> None:
    """Of all keys that any format knows, and of all that are listed."""
    keys = {key for sample in SAMPLES for key in _keys([sample.whole, sample.events])}
    keys = keys.union(*(told for told in vars(vocabulary).values() if isinstance(told, frozenset)))
    for value in (CANARY + " sang.", [CANARY + " sang."], {CANARY: CANARY + " sang."}):
        body = {key: value for key in sorted(keys)}
        for one in (body, {"messages": [body]}, {"choices": [{"delta": body}]}, {"error": body}):
            kept = json.dumps(Skeleton(wire).of(one))
            assert not sings(kept.encode())


def _keys(value: Any) -> set[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = {key for one in inner for key in _keys(one)}
    return found | set(value) if isinstance(value, dict) else found


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_what_came_compressed_is_written_without_its_coding(coding: str, encode: Any) -> None:
    sample = SAMPLES[0]
    headers = [("Content-Type", sample.kind), ("Content-Encoding", coding)]
    kept = written(sample.wire, encode(sample.stream), headers)
    assert kept == written(sample.wire, sample.stream, [("Content-Type", sample.kind)])
    asked = Withheld(sample.wire).request(headers, encode(sample.asked))
    assert asked == Withheld(sample.wire).request([], sample.asked)


def test_a_form_says_what_was_asked_of_which_file() -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nKanarienvogel\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="Kanarienvogel.mp3"\r\n'
        b"Content-Type: audio/mpeg\r\n\r\n0123456789\r\n--x--\r\n"
    )
    kept = Withheld("openai.audio").request([("Content-Type", "multipart/form-data")], form)
    request, _ = read_request("openai.audio", "/v1/audio/transcriptions", [], kept)
    assert request.model == "whisper-1"
    assert request.messages[0].parts[-1].text == "audio/mpeg, 10 bytes"
    assert not sings(kept)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": {"type": "overloaded", "message": "Kanarienvogel"}}', "overloaded"),
        (b'{"error": "Kanarienvogel sang"}', None),
        (b'{"message": "Kanarienvogel sang", "code": 17}', "17"),
        (b'{"detail": [{"msg": "Kanarienvogel", "loc": ["Kanarienvogel"]}]}', None),
        (b"<html>Kanarienvogel</html>", None),
    ],
)
def test_an_error_says_its_kind_and_that_its_message_is_not_kept(
    body: bytes, kind: str | None
) -> None:
    kept = written("openai.chat", body, status=400)
    assert not sings(kept)
    reader = AnswerReader("openai.chat", 400, [])
    reader.feed(kept)
    error = reader.finish().error
    assert error is not None
    assert error.type == kind
    assert NOT_KEPT in error.message


def test_sound_is_not_written() -> None:
    assert written("openai.audio", b"ID3 Kanarienvogel", [("Content-Type", "audio/mpeg")]) == b""


def test_a_transcript_in_plain_text_is_blank() -> None:
    kept = written("openai.audio", b"Kanarienvogel sang", [("Content-Type", "text/plain")])
    assert kept
    assert not kept.strip()


@pytest.mark.parametrize("body", [b'{"model": "gpt", "text": "Kanarien', b"Kanarienvogel", b"\xff"])
def test_of_what_cannot_be_read_nothing_is_written(body: bytes) -> None:
    assert not Withheld("openai.chat").request([], body)
    assert written("openai.chat", body) in (NOT_KEPT.encode(), b"")


def test_the_beginning_of_a_body_is_not_written() -> None:
    assert Withheld("openai.chat").request([], b'{"model": "gpt"}', cut=True) == b""


@given(st.lists(st.text("ab ü", max_size=12), min_size=1, max_size=80))
@settings(max_examples=60, deadline=None)
def test_blanks_tell_about_how_long_a_text_is_and_of_no_word(words: list[str]) -> None:
    skeleton = Skeleton("openai.chat")
    blanks = [skeleton.of({"choices": [{"text": word}]})["choices"][0]["text"] for word in words]
    assert all(not blank.strip(" ") for blank in blanks)
    assert [bool(blank) for blank in blanks] == [bool(word) for word in words]
    size = sum(len(word) + 2.1125 * word.count("ü") for word in words)
    told = sum(map(len, blanks))
    assert size - 33 < told <= max(size + 32, len(words))


@pytest.mark.parametrize("depth", [50, 1_000, 100_000])
def test_no_depth_is_too_deep(depth: int) -> None:
    body = b'{"content":' * depth + b"1" + b"}" * depth
    assert len(Withheld("openai.chat").request([], body)) < 1_000


@pytest.mark.parametrize("kind", ["", "own"])
@streamed
def test_no_word_of_a_damaged_stream_is_written(sample: Sample, kind: str) -> None:
    stream = sample.encode([planted(event) for event in sample.events], sample.done)
    headers = [("Content-Type", sample.kind)] if kind else []
    for seed in range(30):
        dice = random.Random(seed)
        damaged = bytearray(stream)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(damaged))
            damaged[at : at + dice.randrange(3)] = bytes([dice.choice(b'{}[]",:\n\\\x00ax')])
        damaged = damaged[: dice.randrange(1, len(damaged) + 1)]
        keeper = Withheld(sample.wire)
        keeper.answer(dice.choice([200, 400]), headers)
        kept = keeper.feed(bytes(damaged)) + keeper.finish(complete=False)
        assert keeper.fault is None
        assert not sings(kept), seed


def test_of_a_format_that_is_not_read_the_little_is_kept_that_all_spell_alike() -> None:
    body = {
        "model": "granite-4",
        "input": CANARY,
        "parameters": {"stop": CANARY},
        "messages": [{"role": CANARY}],
        "session_id": "s-1",
        "metadata": {"user_id": "u-1", "note": CANARY},
    }
    kept = Withheld("watsonx.chat").request([], json.dumps(body).encode())
    assert json.loads(kept) == {
        "model": "granite-4",
        "session_id": "s-1",
        "metadata": {"user_id": "u-1"},
    }
