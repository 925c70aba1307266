"""HAR is read entry by entry, however large, and its headers are made to fit its bodies."""

import base64
import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.interchange.incoming.elements import Elements, Truncated
from llmproxy_core.interchange.incoming.recording import Recording
from tests.unit.interchange.recorded import (
    ANSWER,
    QUESTION,
    bodies,
    cuts,
    entry,
    har_file,
    raised,
    read,
    skipped,
)


def only(found) -> Recording:
    (recording,) = found
    assert isinstance(recording, Recording)
    return recording


def test_an_entry_is_an_exchange_with_its_times(tmp_path):
    found = only(read(har_file(tmp_path / "x.har", [entry()])))

    assert (found.request_body, found.response_body) == (QUESTION, ANSWER)
    assert found.at == 1_793_534_400_250_000_000
    assert found.first_at - found.at == 1_000_000_000
    assert found.ended_at - found.at == 1_500_000_000
    assert found.http_version == "HTTP/2.0"
    assert [name for name, _ in found.request_headers] == ["authorization"]


def test_headers_of_an_encoded_body_are_left_out_where_the_body_is_decoded(tmp_path):
    found = only(read(har_file(tmp_path / "x.har", [entry()])))

    assert found.response_headers == [("content-type", "application/json")]


def test_they_stay_where_the_body_is_still_encoded(tmp_path):
    packed = gzip.compress(ANSWER)
    one = entry()
    one["response"]["content"] = {"text": base64.b64encode(packed).decode(), "encoding": "base64"}

    found = only(read(har_file(tmp_path / "x.har", [one])))

    assert found.response_body == packed
    assert ("content-encoding", "gzip") in found.response_headers


def test_a_body_that_the_file_does_not_have_is_not_an_empty_one(tmp_path):
    one = entry()
    one["response"]["content"] = {"size": 500}

    found = only(read(har_file(tmp_path / "x.har", [one])))

    assert (found.response_body, found.response_bytes) == (None, 500)


def test_bad_entries_are_named_and_the_others_read(tmp_path):
    found = read(har_file(tmp_path / "x.har", [entry(), {"request": {"url": 5}}, {}, entry()]))

    assert len(bodies(found)) == 2
    assert [text.partition(":")[0] for text in skipped(found)] == ["entry 2", "entry 3"]


def test_a_byte_order_mark_does_not_matter(tmp_path):
    file = har_file(tmp_path / "x", [entry()])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert len(bodies(read(file))) == 1


@pytest.mark.parametrize("left", [1, 2, 100, 900])
def test_a_cut_file_gives_what_came_before_and_a_clear_error(tmp_path, left):
    file = har_file(tmp_path / "x.har", [entry(), entry()])
    file.write_bytes(file.read_bytes()[:-left])

    said = raised(lambda: read(file))

    assert "x.har: the file ends after entry" in said
    assert "cut" in said


def test_what_only_looks_like_a_har_is_refused(tmp_path):
    (tmp_path / "x.har").write_text('{"log": {"lines": []}}')

    assert "there is no `entries`" in raised(lambda: read(tmp_path / "x.har"))


def test_a_websocket_of_chrome_is_cut_into_responses(tmp_path):
    one = entry()
    one["request"] |= {
        "method": "GET",
        "url": "wss://api.openai.com/v1/realtime?model=gpt-realtime",
    }
    one["_webSocketMessages"] = [
        {
            "type": "send",
            "time": 1_793_534_401.5,
            "opcode": 1,
            "data": '{"type":"response.create"}',
        },
        {
            "type": "receive",
            "time": 1_793_534_402.0,
            "opcode": 1,
            "data": '{"type":"response.done"}',
        },
    ]

    found = only(read(har_file(tmp_path / "x.har", [one])))

    assert found.wire == "openai.realtime"
    assert found.at == 1_793_534_401_500_000_000
    assert json.loads(found.response_body or b"")["data"] == '{"type":"response.done"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(), JSON), max_size=3), JSON, st.integers(1, 40))
def test_elements_are_those_of_the_array_at_the_path_however_it_is_cut(entries, other, size):
    document = {
        "a": other,
        "log": {"x": other, "entries": entries, "y": {"entries": [{}]}},
        "b": other,
    }
    data = json.dumps(document).encode()

    found = Elements(cuts(data, size), (b"log", b"entries"))

    assert [json.loads(element) for element in found] == entries
    assert found.found


@given(st.binary(max_size=300), st.integers(1, 40))
def test_no_bytes_break_the_reader_of_elements(data, size):
    with suppress(Truncated, ValueError):
        list(Elements(cuts(b'{"log":{"entries":[' + data, size), (b"log", b"entries")))
