"""Texts of events, by the wire formats that stream them."""

import gzip
import json
import random
import re
from collections.abc import Callable

import pytest

from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masker import Masker
from llmproxy_core.masking.pieces import pieces
from llmproxy_core.masking.stream_masking import StreamMasker
from llmproxy_core.masking.streamed_secrets import StreamedSecrets
from tests.corpora import CORPORA

FIND = StreamedSecrets(Secrets())
MASKER = Masker(Scrubber(b"k" * 32))
RECORDED = CORPORA / "wire"
KEY = "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
TEXT = f"Use the key {KEY} for now, please."


def sse(data: object) -> bytes:
    return b"event: x\ndata: " + json.dumps(data).encode() + b"\n\n"


def line(data: object) -> bytes:
    return json.dumps(data).encode() + b"\n"


WIRES: dict[str, Callable[[str], bytes]] = {
    "openai.chat": lambda text: sse(
        {"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]}
    ),
    "openai.chat tool": lambda text: sse(
        {
            "choices": [
                {
                    "index": 0,
                    "delta": {
                        "tool_calls": [{"index": 1, "function": {"name": "f", "arguments": text}}]
                    },
                }
            ]
        }
    ),
    "openai.responses": lambda text: sse(
        {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": text}
    ),
    "anthropic.messages": lambda text: sse(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    ),
    "anthropic.messages tool": lambda text: sse(
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": text}}
    ),
    "anthropic.messages thinking": lambda text: sse({"index": 0, "delta": {"thinking": text}}),
    "gemini": lambda text: sse({"candidates": [{"content": {"parts": [{"text": text}]}}]}),
    "ollama.chat": lambda text: line(
        {"message": {"role": "assistant", "content": text}, "done": False}
    ),
    "ollama.generate": lambda text: line({"response": text, "done": False}),
    "cohere.chat": lambda text: sse(
        {"index": 0, "delta": {"message": {"content": {"text": text}}}}
    ),
    "bedrock.converse": lambda text: json.dumps(
        {"contentBlockIndex": 0, "delta": {"text": text}, "p": "abc"}
    ).encode(),
    "openai.realtime": lambda text: json.dumps(
        {"type": "response.text.delta", "item_id": "i", "content_index": 0, "delta": text}
    ).encode(),
    "openai.completions": lambda text: sse({"choices": [{"text": text, "index": 0}]}),
}


def written(events: list[bytes]) -> bytes:
    masker = StreamMasker(FIND, MASKER)
    out = [one for event in events for one in masker.feed(event, pieces(event))]
    return b"".join(out + masker.finish(cut_off=False))


@pytest.mark.parametrize("wire", WIRES)
def test_a_key_split_over_events_is_not_written(wire: str):
    rng = random.Random(wire)
    for size in (1, 3, 7, 40):
        cuts = list(range(size, len(TEXT), size))
        parts = [TEXT[a:b] for a, b in zip([0, *cuts], [*cuts, len(TEXT)], strict=True)]
        events = [WIRES[wire](part) for part in parts]
        events.insert(rng.randrange(len(events)), b": ping\n\n")
        out = written(events)
        said = [piece for piece in out.split(b'"') if piece in [part.encode() for part in parts]]
        assert KEY[4:16].encode() not in b"".join(said)
        assert out.count(b"[secret:github-pat:fp_") == 1


@pytest.mark.parametrize("wire", WIRES)
def test_an_event_has_its_text_among_its_pieces(wire: str):
    event = WIRES[wire](TEXT)
    texts = {event[one.start : one.end]: one.last for one in pieces(event)}
    assert texts[TEXT.encode()] is False


def test_a_whole_text_is_one_that_ends():
    event = sse({"type": "response.output_text.done", "text": TEXT, "item_id": "m"})
    assert [one.last for one in pieces(event)] == [True]
    assert KEY.encode() not in written([event])


def test_choices_and_blocks_have_texts_of_their_own():
    events = [
        sse(
            {
                "choices": [
                    {"index": n, "delta": {"content": "x"}},
                    {"delta": {"content": "y"}, "index": 9},
                ]
            }
        )
        for n in range(3)
    ]
    channels = {one.channel for event in events for one in pieces(event)}
    assert len(channels) == 4


def test_the_name_of_a_tool_waits_for_nothing():
    event = WIRES["openai.chat tool"]("{")
    assert {event[one.start : one.end]: one.last for one in pieces(event)} == {
        b"f": True,
        b"{": False,
    }


def test_text_that_is_no_json_is_masked_too():
    assert KEY.encode() not in written([b"Use " + KEY[:10].encode(), KEY[10:].encode() + b" now\n"])


def test_a_text_that_ended_without_a_word_does_not_hold_up_what_follows():
    masker = StreamMasker(FIND, MASKER)
    first = WIRES["anthropic.messages"]("the last word")
    assert masker.feed(first, pieces(first)) == []
    later = [WIRES["anthropic.messages tool"]("1, ") for _ in range(80)]
    out = [one for event in later for one in masker.feed(event, pieces(event))]
    assert out[0] == first
    assert len(out) > 60


def test_recorded_streams_without_secrets_are_written_as_they_came():
    if not RECORDED.is_dir():
        pytest.skip(f"{RECORDED} is not on this machine")
    streams = 0
    for file in sorted(RECORDED.glob("[a-d]*.jsonl.gz")):
        for exchange in map(json.loads, gzip.decompress(file.read_bytes()).splitlines()):
            if exchange["streaming"] and exchange["response_body_encoding"] == "utf-8":
                body = exchange["response_body"].encode()
                events = [one for one in re.split(rb"(?<=\n\n)", body) if one]
                assert written(events) == body
                streams += 1
    assert streams > 50
