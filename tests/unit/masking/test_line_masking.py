"""Streams of lines, masked in any cuts of their bytes."""

import json
import time
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.masking import line_masking
from llmproxy_core.masking.line_masking import LineMasker
from llmproxy_core.masking.stream_masking import StreamMasker
from tests.unit.masking.test_pieces import FIND, KEY, MASKER, TEXT, WIRES

LINES = [wire for wire in WIRES if WIRES[wire]("x").endswith(b"\n")]


def masked(chunks: list[bytes], cut_off: bool = False) -> bytes:
    masker = LineMasker(StreamMasker(FIND, MASKER))
    return b"".join([*map(masker.feed, chunks), masker.finish(cut_off)])


def stream(wire: str, size: int) -> bytes:
    return b"".join(WIRES[wire](TEXT[at : at + size]) for at in range(0, len(TEXT), size))


@pytest.mark.parametrize("wire", LINES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_where_the_bytes_are_cut_makes_no_difference(wire: str, data: st.DataObject):
    body = stream(wire, 5)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=12)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert masked(chunks) == masked([body])
    assert b"[secret:github-pat:" in masked(chunks)


@pytest.mark.parametrize("wire", LINES)
@pytest.mark.parametrize("size", [9, 100])
def test_wherever_the_stream_breaks_off_the_key_is_not_written(wire: str, size: int):
    body = stream(wire, size)
    parts = [TEXT[at : at + size] for at in range(0, len(TEXT), size)]
    seen = [part for part in parts if part in KEY] or [KEY[4:16]]
    for end in range(0, len(body), 3):
        out = masked([body[:end]], cut_off=True).decode()
        assert KEY[:12] not in out
        assert sum(part in out for part in seen) <= 1


def test_a_whole_text_may_break_off_too():
    event = json.dumps({"type": "response.output_text.done", "text": TEXT}).encode()
    for end in range(event.index(b"ghp_") + 8, event.index(KEY.encode()) + len(KEY)):
        assert KEY[:8].encode() not in masked([event[:end]], cut_off=True)


def test_json_in_several_lines_is_masked():
    body = json.dumps(
        [{"candidates": [{"content": {"parts": [{"text": TEXT}]}}]}], indent=1
    ).encode()
    out = masked([body])
    assert KEY.encode() not in out
    assert json.loads(out)


def test_a_body_that_is_no_json_is_masked_line_by_line():
    assert KEY.encode() not in masked([b"Use this:\n", KEY.encode(), b"\nplease\n"])


def test_of_a_line_that_is_too_long_nothing_is_written():
    with mock.patch.object(line_masking, "LONGEST", 100):
        masker = LineMasker(StreamMasker(FIND, MASKER))
        assert masker.feed(b"x" * 60) + masker.feed(b"x" * 60 + b"\nnext\n") == b"next\n"
        assert masker.dropped == 121


def test_an_event_that_drips_costs_no_more_than_one_that_comes_at_once() -> None:
    masker = LineMasker(StreamMasker(FIND, MASKER), events=True)
    event = b'data: {"text": "' + b"so many words " * 20_000 + b'"}\n\n'
    began = time.process_time()
    out = b"".join(masker.feed(event[at : at + 1]) for at in range(len(event)))
    assert time.process_time() - began < 5
    assert out + masker.finish() == event
