"""The hand-written answers of all formats, whole and streamed, through the gate, in any cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.toolgate.formats import FORMATS
from tests.unit.namespace.round_trip import cut
from tests.unit.providers.catalogue import SAMPLES
from tests.unit.providers.sample import Sample
from tests.unit.toolgate.gated import NO, denied, read, released, through

SOCKETS = ("openai.realtime", "openai.responses.websocket", "gemini.live")
JSON = "application/json"
ANSWERS: list[tuple[str, Sample, bytes, str]] = [
    (f"{sample.wire} {kind} {at}", sample, body, kind)
    for at, sample in enumerate(SAMPLES)
    if sample.wire in FORMATS and sample.wire not in SOCKETS
    for body, kind in ((sample.stream, sample.kind), (sample.json, JSON))
    if body and body != b"{}"
]
each = pytest.mark.parametrize(
    ("sample", "body", "kind"), [one[1:] for one in ANSWERS], ids=[one[0] for one in ANSWERS]
)


def test_every_format_with_bodies_has_a_sample() -> None:
    known = {sample.wire for _, sample, _, _ in ANSWERS}
    assert set(FORMATS) - known <= {*SOCKETS, "watsonx.chat", "mistral.agents"}


@each
@pytest.mark.parametrize("size", [1, 3, 64, 10**6])
def test_released_answers_are_the_same_byte_for_byte(sample, body, kind, size) -> None:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    assert through(sample.wire, [("Content-Type", kind)], pieces, released) == body


@each
def test_denied_calls_are_gone_and_all_else_is_there(sample, body, kind) -> None:
    told = [("Content-Type", kind)]
    before = read(sample.wire, told, body, sample.path)
    ours = through(sample.wire, told, [body], denied)
    after = read(sample.wire, told, ours, sample.path)
    if not before.tool_calls:
        assert ours == body
        return
    assert after.tool_calls == []
    assert NO in after.text
    assert after.text.startswith(before.text)
    assert (after.usage, after.reasoning) == (before.usage, before.reasoning)
    assert (after.incomplete, after.error) == (before.incomplete, before.error)
    assert not {"tool_calls", "tool_use", "TOOL_CALL"} & set(after.finish_reasons)


@each
@given(data=st.data())
def test_what_is_denied_does_not_depend_on_the_cuts(sample, body, kind, data) -> None:
    told = [("Content-Type", kind)]
    places = data.draw(st.sets(st.integers(1, len(body) - 1), max_size=12))
    whole = through(sample.wire, told, [body], denied)
    assert through(sample.wire, told, cut(body, places), denied) == whole
