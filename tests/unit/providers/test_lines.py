import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.providers import lines
from llmproxy_core.providers.lines import LineReader
from llmproxy_core.providers.reader import AnswerReader
from tests.unit.providers.sample import read
from tests.unit.providers.samples_lines import OLLAMA_CHAT

WIRE, KIND = OLLAMA_CHAT.wire, OLLAMA_CHAT.kind


def split(*chunks: bytes) -> list[bytes]:
    reader = LineReader()
    found = [line for chunk in chunks for line in reader.feed(chunk)]
    return [*found, reader.finish()]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_cuts_change_no_line(data: bytes, cuts: list[int]) -> None:
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[a:b] for a, b in pairwise(ends)]
    assert split(*chunks) == split(data) == data.split(b"\n")


def test_a_line_that_is_too_long_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LIMIT", 10)
    for chunks in ([b"x" * 30 + b"\nshort\n"], [b"x" * 9, b"x" * 9, b"\nsho", b"rt\n"]):
        reader = LineReader()
        assert [line for chunk in chunks for line in reader.feed(chunk)] == [b"", b"short"]
        assert reader.dropped == 1


def test_text_appears_before_the_stream_ends() -> None:
    line = json.dumps(OLLAMA_CHAT.events[2]).encode()
    assert read(WIRE, line + b"\n", kind=KIND).text == "Ich schaue "
    assert read(WIRE, line + b"\n", kind=KIND).incomplete


def test_a_whole_answer_may_stand_on_many_lines() -> None:
    pretty = json.dumps(OLLAMA_CHAT.whole, indent=2).encode()
    whole = read(WIRE, OLLAMA_CHAT.json)
    for body in (pretty, b"\n" + pretty, pretty.replace(b"\n", b"\r\n")):
        assert read(WIRE, body).parts == whole.parts
        assert not read(WIRE, body).incomplete
    torn = read(WIRE, pretty[:-30])
    assert torn.incomplete
    assert torn.error is not None


def test_a_line_that_is_no_object_is_counted() -> None:
    good = OLLAMA_CHAT.stream
    response = read(WIRE, good.replace(b"\n", b"\n[1]\nnot json\n", 1), kind=KIND)
    assert response.unknown_events == {"not a JSON object": 1, "not JSON": 1}
    assert response.parts == read(WIRE, good, kind=KIND).parts


def test_an_error_of_many_lines_is_read() -> None:
    body = json.dumps({"error": "model not found"}, indent=2).encode()
    response = read(WIRE, body, status=404, kind=KIND)
    assert response.error is not None
    assert response.error.message == "model not found"


@given(
    st.lists(
        st.sampled_from([b"{", b"}", b"\n", b"\r", b'"a":1', b" ", b"{}", b"x", b"\xef\xbb\xbf"])
    )
)
def test_cuts_change_nothing_whatever_the_lines_are(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    reader = AnswerReader(WIRE, 200, [])
    for at in range(len(body)):
        reader.feed(body[at : at + 1])
    assert reader.finish() == read(WIRE, body)
