"""Answers with names of tools come back as the client knows them, in every content coding."""

import re

import pytest

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.eventstream import EventStreamNames, in_base64
from llmproxy_core.namespace.names import Naming
from llmproxy_core.providers.encoding import Decoder, decode_body
from llmproxy_core.providers.recoding import Encoder
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.providers.sample import Sample

NAME = re.compile(rb'("(?:name|recipient_name)": ")(weather|time)(")')
CODINGS = ["", "gzip", "deflate", "raw", "br", "zstd", "gzip, zstd"]
SPOKEN = [one for one in SAMPLES if one.events and NAME.search(one.stream)]
STREAMS = {one.wire: one for one in SPOKEN if not one.wire.startswith("bedrock.")} | {
    one.wire: one for one in SAMPLES if one.wire.endswith("-stream")
}
WHOLE = {one.wire: one for one in SAMPLES if NAME.search(one.json)}
each = pytest.mark.parametrize("coding", CODINGS)


def prefixed(payload: bytes) -> bytes:
    return NAME.sub(rb"\1pay__\2\3", payload)


def sent(sample: Sample) -> bytes:
    """The stream as the provider sends it, which knows the prefixed names."""
    if "eventstream" not in sample.kind:
        return prefixed(sample.stream)
    names = EventStreamNames(in_base64(prefixed) if "invoke" in sample.wire else prefixed)
    return names.feed(sample.stream) + names.finish()


def told(coding: str, kind: str) -> list[tuple[str, str]]:
    named = [("Content-Encoding", coding.replace("raw", "deflate"))] if coding else []
    return [*named, ("Content-Type", kind)]


def encoder(coding: str) -> Encoder:
    return Encoder(coding.split(", ") if coding else [])


def through(sample: Sample, coding: str, chunks: list[bytes]) -> list[bytes]:
    answer = restoring(sample.wire, Naming("pay__"), told(coding, sample.kind))
    return [*map(answer.feed, chunks), answer.finish()]


@each
@pytest.mark.parametrize("wire", sorted(STREAMS))
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_stream_comes_back_in_any_cuts(wire: str, coding: str, size: int) -> None:
    sample = STREAMS[wire]
    stream = sent(sample)
    assert stream != sample.stream
    coder = encoder(coding)
    body = b"".join([*(coder.encode(stream[at : at + 50]) for at in range(0, len(stream), 50))])
    body += coder.finish()
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    left = b"".join(through(sample, coding, chunks))
    assert decode_body(told(coding, sample.kind), left) == (sample.stream, None)


@each
def test_an_event_is_not_delayed(coding: str) -> None:
    sample = STREAMS["openai.chat"]
    events = [event + b"\n\n" for event in sent(sample).split(b"\n\n") if event]
    wanted = [event + b"\n\n" for event in sample.stream.split(b"\n\n") if event]
    coder = encoder(coding)
    left = Decoder(told(coding, sample.kind))
    answer = restoring(sample.wire, Naming("pay__"), told(coding, sample.kind))
    for event, whole in zip(events, wanted, strict=True):
        assert b"".join(left.feed(answer.feed(coder.encode(event)))) == whole


@each
@pytest.mark.parametrize("wire", sorted(WHOLE))
def test_a_whole_answer_comes_back(wire: str, coding: str) -> None:
    sample, headers = WHOLE[wire], told(coding, "application/json")
    coder = encoder(coding)
    body = coder.encode(prefixed(sample.json)) + coder.finish()
    left = restoring(wire, Naming("pay__"), headers).whole(body)
    assert decode_body(headers, left) == (sample.json, None)
    coder = encoder(coding)
    unchanged = coder.encode(sample.json) + coder.finish()
    assert restoring(wire, Naming("pay__"), headers).whole(unchanged) is unchanged


@each
@pytest.mark.parametrize("wire", ["openai.chat", "bedrock.converse-stream"])
def test_after_a_fault_of_ours_the_names_stay(monkeypatch, wire: str, coding: str) -> None:
    def fail(*_: object) -> bytes:
        raise LookupError

    monkeypatch.setattr("llmproxy_core.namespace.answer.AnswerNames.feed", fail)
    monkeypatch.setattr("llmproxy_core.namespace.answer.changed", fail)
    sample = STREAMS[wire]
    headers, coder = told(coding, sample.kind), encoder(coding)
    answer = restoring(wire, Naming("pay__"), headers)
    left = answer.feed(coder.encode(sent(sample))) + answer.feed(coder.finish()) + answer.finish()
    assert decode_body(headers, left) == (sent(sample), None)
    assert isinstance(answer.fault, LookupError)
