"""Records come back as they went in, and what is no record is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.records import Answer, Closed, Event, Opened, Piece, decode, encode

ID = bytes(range(16))
HASH = bytes(16)

# a header's bytes reach us as UTF-8 or Latin-1, so any text but lone surrogates
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
headers = st.lists(st.tuples(texts, texts), max_size=5)
times = st.integers(0, 2**63 - 1)
marks = st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**40)), max_size=5)


@given(at=times, text=texts, headers=headers, user=st.none() | texts)
def test_a_request_comes_back_as_it_went_in(at, text, headers, user):
    record = Opened(
        id=ID,
        at=at,
        namespace="default",
        client=text,
        proxy_user=user,
        credential=user,
        provider=text,
        wire="openai.chat",
        scheme="https",
        host=text,
        port=443,
        method="POST",
        path=text,
        http_version="HTTP/1.1",
        headers=headers,
        body_bytes=at,
        body_kept="head",
        hash_in=HASH,
        hash_out=HASH,
    )
    assert decode(encode(record)) == record


@given(at=times, marks=marks, headers=headers, error=st.none() | texts)
def test_the_end_of_an_exchange_comes_back_as_it_went_in(at, marks, headers, error):
    answer = Answer(at=at, status=200, reason="OK", http_version="HTTP/2.0", headers=headers)
    record = Closed(
        id=ID,
        at=at,
        ending="client_closed",
        error=error,
        answer=answer,
        first_at=at,
        marks=marks,
        body_bytes=at,
        body_kept="full",
        hash_in=HASH,
        hash_out=HASH,
        trailers=headers,
        pending_at=at,
    )
    assert decode(encode(record)) == record


def test_a_record_without_the_newest_fields_is_still_read():
    old = [4, ID, 1, "complete", None, None, 0, [], 0, "full", HASH, HASH, []]
    record = decode(msgspec.msgpack.encode(old))
    assert isinstance(record, Closed)
    assert (record.upload, record.pending_at) == (None, 0)


def test_a_record_of_a_later_version_is_read_as_far_as_it_is_known():
    assert decode(msgspec.msgpack.encode([3, ID, 1, [], False, "new"])) == Piece(ID, 1, [])


@given(data=st.binary(max_size=80))
def test_bytes_that_are_no_record_are_refused(data):
    try:
        record = decode(data)
    except msgspec.DecodeError:
        return
    assert encode(record)


def test_an_event_keeps_its_data():
    record = Event(
        ID, 5, "gap", {"records": 3, "share": 0.5, "host": "a.b", "told": True, "x": None}
    )
    assert decode(encode(record)) == record


def test_a_wrong_type_is_refused():
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode([3, "not bytes", 1, []]))
