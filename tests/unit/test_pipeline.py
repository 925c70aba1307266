from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.hashing import content_hash
from llmproxy_core.pipeline import HEAD_BYTES, Body, Exchange, Head
from llmproxy_core.records import Answer, Answered, Closed, Piece

HEAD = Head(
    client="127.0.0.1:5000",
    proxy_user=None,
    credential="fp_1",
    provider="openai",
    wire="openai.chat",
    scheme="https",
    host="api.openai.com",
    port=443,
    method="POST",
    path="/v1/chat/completions",
    http_version="HTTP/1.1",
    headers=[("content-type", "application/json")],
)
ANSWER = Answer(at=1, status=200, reason="OK", http_version="HTTP/1.1", headers=[])


def test_a_request_is_recorded_with_its_hashes():
    exchange = Exchange(HEAD, max_body=1000)

    record, body = exchange.open(b"{}", content_hash(b"{ }"))

    assert (record.body_bytes, record.body_kept, body) == (2, "full", [b"{}"])
    assert (record.hash_in, record.hash_out) == (content_hash(b"{ }"), content_hash(b"{}"))


def test_of_a_request_over_the_limit_only_the_head_is_kept():
    exchange = Exchange(HEAD, max_body=HEAD_BYTES)
    sent = b"x" * (HEAD_BYTES + 1)

    record, body = exchange.open(sent, content_hash(sent))

    assert (record.body_bytes, record.body_kept) == (HEAD_BYTES + 1, "head")
    assert body == [sent[:HEAD_BYTES]]
    assert record.hash_out == content_hash(sent)


def test_a_short_answer_is_one_record():
    exchange = Exchange(HEAD, max_body=1000)
    exchange.answered(ANSWER)
    exchange.feed(b"ab")
    exchange.feed(b"c")

    record, body = exchange.close("complete", None, [("x-trailer", "1")])

    assert record.answer == ANSWER
    assert b"".join(body) == b"abc"
    assert [size for size, _ in record.marks] == [2, 1]
    assert record.first_at == record.pending_at > 0
    assert record.hash_in == record.hash_out == content_hash(b"abc")
    assert record.trailers == [("x-trailer", "1")]


def test_an_answer_without_a_body_has_the_hash_of_nothing():
    exchange = Exchange(HEAD, max_body=1000)

    record, body = exchange.close("client_closed", "client disconnected")

    assert (record.first_at, record.body_bytes, list(body)) == (0, 0, [])
    assert record.hash_in == content_hash(b"")


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=50), max_size=20),
    told=st.sets(st.integers(0, 20)),
    limit=st.integers(0, 300),
)
def test_the_pieces_together_are_the_answer_whenever_they_are_written(chunks, told, limit):
    exchange = Exchange(HEAD, max_body=limit)
    exchange.answered(ANSWER)
    written: list[tuple[Answered | Piece | Closed, bytes]] = []
    for number, chunk in enumerate(chunks):
        exchange.feed(chunk)
        if number in told:
            written += [(record, b"".join(body)) for record, body in exchange.pieces()]
    closed, rest = exchange.close("complete")
    written.append((closed, b"".join(rest)))

    whole = b"".join(chunks)
    kept = b"".join(body for _, body in written)
    answers = [r for r, _ in written if isinstance(r, Answered) or getattr(r, "answer", None)]
    assert len(answers) == 1
    assert closed.body_bytes == len(whole)
    assert closed.hash_in == content_hash(whole)
    assert kept == whole if len(whole) <= limit else whole.startswith(kept)
    for record, body in written:
        if isinstance(record, Piece | Closed):
            assert sum(size for size, _ in record.marks) == len(body)


def test_a_body_over_its_limit_keeps_at_most_the_head():
    body = Body(limit=HEAD_BYTES + 10)

    kept = sum(len(body.add(b"x" * 1000)) for _ in range(200))

    assert body.size == 200_000
    assert kept <= HEAD_BYTES + 10
    assert body.over
