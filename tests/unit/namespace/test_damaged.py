"""Bodies with damage in any place: nothing raises, and nothing else than names is changed."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.namespace.eventlines import Blanker
from llmproxy_core.namespace.incoming import AnswerNames, changed
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import prefix_request, strip_request
from llmproxy_core.namespace.whole import fields_of
from tests.unit.namespace.test_places import ANSWERS, REQUESTS
from tests.unit.namespace.test_samples import naming

TOKENS = [
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b'\\"', b"\\u005f", b"\n", b"\r", b"\0",
    b"data:", b"null", b'"name"', b'"type":"function",', b'"tools":[', b'"index":1,', b"NaN",
    b"\xff", b"\xef\xbb\xbf", b"pay__", b"",
]  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([0, 1, 2, 8, 40]), st.sampled_from(TOKENS)),
    max_size=6,
)
type Damages = list[tuple[float, int, bytes]]


def bodies(cases: Iterable[Any]) -> st.SearchStrategy[tuple[str, bytes]]:
    return st.sampled_from([(wire, json.dumps(body).encode()) for wire, body in cases])


def damaged(text: bytes, damages: Damages) -> bytes:
    for place, length, token in damages:
        at = int(place * len(text))
        text = text[:at] + token + text[at + length :]
    return text


@given(case=bodies(REQUESTS), damages=DAMAGE)
def test_a_request_is_changed_reversibly_or_not_at_all(
    case: tuple[str, bytes], damages: Damages
) -> None:
    wire, text = case[0], damaged(case[1], damages)
    made = Naming("pay__")
    sent = prefix_request(wire, text, made)
    if sent.reason:
        assert sent.body is text
    else:
        assert strip_request(wire, sent.body, made) == text
    fields = fields_of(text)
    assert prefix_request(wire, text, Naming("pay__"), fields) == sent


@given(
    case=bodies(ANSWERS),
    damages=DAMAGE,
    frame=st.sampled_from([b"%b", b"data: %b\n\n", b"data: %b\r\rdata: %b\r\n\r\n"]),
    size=st.integers(1, 100),
)
def test_of_an_answer_only_prefixes_are_left_out(
    case: tuple[str, bytes], damages: Damages, frame: bytes, size: int
) -> None:
    wire, text = case[0], damaged(case[1], damages)
    stream = frame.replace(b"%b", text)
    answer = AnswerNames(wire, naming())
    got = b"".join(answer.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    got += answer.finish()
    assert _is_left_of(got, stream)
    assert _is_left_of(changed(text, wire, naming()), text)


def _is_left_of(got: bytes, stream: bytes) -> bool:
    """Is it what remains when prefixes are left out? Names in escapes are written anew."""
    if b"\\" in stream:
        return len(got) <= len(stream)
    rest = iter(stream)
    return all(byte in rest for byte in got)


@given(
    parts=st.lists(
        st.sampled_from(
            [b"data", b"data:", b": ", b"x", b"\n", b"\r", b"\r\n", b"event: a", b" {}"]
        )
    ),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    lines=st.booleans(),
)
def test_lines_of_events_are_blanked_alike_in_any_cuts(
    parts: list[bytes], cuts: list[int], lines: bool
) -> None:
    stream = b"".join(parts)
    whole, ends = _blanked([stream], lines)
    ordered = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(ordered)]
    ends_as_blanks = bytes.maketrans(b"\r\n", b"  ")
    assert _blanked(pieces, lines)[0].translate(ends_as_blanks) == whole.translate(ends_as_blanks)
    assert len(whole) <= len(stream) <= len(whole) + 4
    assert all(ours in (came, ord(" ")) for ours, came in zip(whole, stream, strict=False))
    assert ends <= stream.count(b"\n") + stream.count(b"\r")


def _blanked(pieces: list[bytes], lines: bool) -> tuple[bytes, int]:
    blanker = Blanker(lines)
    segments = [segment for piece in pieces for segment in blanker.feed(piece)]
    return b"".join(one.text for one in segments), sum(one.ends for one in segments)
