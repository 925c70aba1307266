"""Streams in columns."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.spans import lines

TEXTS = st.lists(st.text(max_size=20), min_size=3, max_size=60)


def joined(body: bytes) -> bytes | None:
    found = lines.split(body)
    return None if found is None else b"".join(data for data, _ in found)


def chunks(texts: list[str], separator: str, before: str = "data: ", **how: Any) -> bytes:
    events = [
        before + json.dumps({"id": "chatcmpl-1", "n": n * 3, "delta": {"content": text}}, **how)
        for n, text in enumerate(texts)
    ]
    return separator.join([*events, before + "[DONE]", ""]).encode()


@given(TEXTS, st.sampled_from(["\n\n", "\r\n\r\n", "\n"]), st.booleans())
def test_streams_come_back(texts, separator, compact):
    body = chunks(texts, separator, separators=(",", ":") if compact else (", ", ": ")) * 4
    packed = joined(body)
    assert packed is None or lines.merge(packed) == body


@given(st.lists(st.sampled_from([b'{"a":', b'"', b"\\", b"12", b"}", b"\n", b"\n\n", b"%b", b"x"])))
def test_rubbish_comes_back(parts):
    body = b"".join(parts) * 50
    packed = joined(body)
    assert packed is None or lines.merge(packed) == body


def test_the_text_of_a_stream_is_one_piece_as_it_was_escaped():
    texts = ['He said "no"', "\n\nthen ", "left: ü", "…"] * 10
    body = chunks(texts, "\n\n", ensure_ascii=False)
    found = lines.split(body)
    assert found is not None
    whole = json.dumps("".join(texts), ensure_ascii=False)[1:-1].encode()
    assert (whole, True) in found


def test_counted_events_cost_next_to_nothing():
    body = chunks(["x"] * 500, "\n\n")
    packed = joined(body)
    assert packed is not None
    assert len(packed) < len(body) / 20


def test_two_blocks_of_text_are_two_pieces():
    events = [
        f'data: {{"type":"content_block_delta","index":{n},"delta":{{"text":"{n} {k}"}}}}\n\n'
        for n in (0, 1)
        for k in range(30)
    ]
    found = lines.split("".join(events).encode())
    assert found is not None
    texts = ["".join(f"{n} {k}" for k in range(30)).encode() for n in (0, 1)]
    assert [data for data, is_text in found if is_text] == texts


@pytest.mark.parametrize("body", [b"", b"short\n\n\n", b"\x00" * 2000, b"x" * 2000])
def test_what_is_no_stream_is_left_alone(body):
    assert lines.split(body) is None


@given(st.binary(max_size=60))
def test_damaged_columns_raise_nothing_unexpected(data):
    with contextlib.suppress(IndexError, ValueError):
        lines.merge(data)


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"data: {}\n\n"])
def test_millions_of_next_to_empty_lines_are_left_alone(line):
    assert lines.split(line * 10_000) is None
