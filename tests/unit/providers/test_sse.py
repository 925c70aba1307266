from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.providers import sse
from llmproxy_core.providers.sse import Event, EventReader

texts = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=12)
fields = st.tuples(texts, st.lists(texts, min_size=1, max_size=3))


def read(*chunks: bytes) -> list[Event]:
    reader = EventReader()
    return [event for chunk in chunks for event in reader.feed(chunk)] + reader.finish()


@given(st.lists(fields, max_size=5), st.data())
def test_any_line_ends_in_any_cuts_give_the_same_events(
    events: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    body = b""
    for name, lines in events:
        for line in [f"event: {name}", ": note", *(f"data: {text}" for text in lines), ""]:
            body += line.encode() + data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    body = _no_accidental_crlf(body)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(*chunks) == read(body) == read(*[bytes([byte]) for byte in body])


def _no_accidental_crlf(body: bytes) -> bytes:
    r"""`\r` then `\n` of a blank line would read as one line end; that is another document."""
    return body.replace(b"\r\n", b"\n") if b"\r\n\n" in body or b"\r\r\n" in body else body


@given(st.lists(fields, max_size=5))
def test_events_come_out_as_they_went_in(events: list[tuple[str, list[str]]]) -> None:
    body = "".join(
        f"event: {name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
        for name, lines in events
    )
    assert read(body.encode()) == [
        Event(name.encode(), "\n".join(lines).encode()) for name, lines in events
    ]


def test_details_of_the_standard() -> None:
    assert read(b"\xef\xbb\xbfdata:a\n\n") == [(b"", b"a")]
    assert read(b"data\ndata:  b\n\n") == [(b"", b"\n b")]
    assert read(b"id: 1\nretry: 5\n:c\nevent: x\n\ndata: y\n\n") == [(b"", b"y")]
    assert read(b"database: 1\n\n") == []
    assert read(b"", b"data: a\r", b"\n\r", b"\n", b"data: b\n\n") == [(b"", b"a"), (b"", b"b")]


def test_the_last_event_needs_no_blank_line() -> None:
    assert read(b"data: a\n\ndata: b") == [(b"", b"a"), (b"", b"b")]
    assert read(b"data: a\r") == [(b"", b"a")]
    assert read() == []


def test_an_event_above_the_limit_is_dropped_and_counted(monkeypatch) -> None:
    monkeypatch.setattr(sse, "LIMIT", 100)
    small = b"data: after\n\n"
    for big in (
        b"data: " + b"x" * 200 + b"\n\n",
        b"data: yyyyyyyyy\n" * 30 + b"\n",
        b"data\n" * 200 + b"\n",
    ):
        for size in (7, 1000):
            reader = EventReader()
            body = big + small
            events = [e for i in range(0, len(body), size) for e in reader.feed(body[i : i + size])]
            assert events + reader.finish() == [(b"", b"after")]
            assert reader.dropped == 1
