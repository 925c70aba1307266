"""What becomes of a recording: recognised, dated, named, and without credentials."""

from typing import Any

import msgspec
import pytest

from llmproxy_core.config import ProviderConfig
from llmproxy_core.credentials import Scrubber
from llmproxy_core.interchange.incoming.exchange import Exchanges
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.providers.recognise import Recogniser
from llmproxy_core.records import Whole, decode, encode
from tests.unit.interchange.recorded import ANSWER, CHAT, KEY, QUESTION

MODIFIED = 1_700_000_000_000_000_000


def exchanges(extra=()) -> Exchanges:
    return Exchanges(Scrubber(b"k" * 32), Recogniser(extra), "default", MODIFIED)


def recording(**changes) -> Recording:
    told: dict[str, Any] = {"place": "line 1", "url": CHAT, "request_body": QUESTION, "status": 200}
    return Recording(**(told | changes))


def made(found: Recording, into: Exchanges | None = None) -> Whole:
    result = (into or exchanges()).record(found)
    assert not isinstance(result, Skipped), result
    record, bodies = result
    assert b"".join(bodies) == (found.request_body or b"") + (found.response_body or b"")
    assert decode(encode(record)) == record
    return record


def test_the_url_says_what_it_is():
    opened = made(recording(wire="other", provider="other")).opened

    assert (opened.provider, opened.wire) == ("openai", "openai.chat")
    assert (opened.scheme, opened.host, opened.port) == ("https", "api.openai.com", 443)


@pytest.mark.parametrize(
    ("url", "wire", "provider", "expected"),
    [
        (
            "https://<aws_region>.test/x",
            "bedrock.converse",
            "bedrock",
            ("bedrock", "bedrock.converse"),
        ),
        ("https://test/v1:go", "gemini.generateContent", "gemini", ("google", "gemini")),
        ("nonsense", "openai.chat", "", ("other", "openai.chat")),
        ("https://test/", "<script>", "<b>", ("other", "other")),
    ],
)
def test_where_the_host_is_blotted_out_the_file_says_it(url, wire, provider, expected):
    opened = made(recording(url=url, wire=wire, provider=provider)).opened

    assert (opened.provider, opened.wire) == expected


def test_what_is_no_call_is_skipped():
    found = exchanges().record(recording(url="https://example.com/index.html", method="GET"))

    assert found == Skipped("line 1", "not an LLM call: GET example.com", damaged=False)


def test_providers_of_ones_own_are_known():
    own = ProviderConfig(name="gateway", hosts=["llm.test"], wire="openai.chat")

    assert made(recording(url="https://llm.test/x"), exchanges([own])).opened.provider == "gateway"


def test_an_address_is_known_by_its_other_names():
    found = recording(url="https://192.0.2.1/v1/messages", other_hosts=["api.anthropic.com"])

    assert made(found).opened.wire == "anthropic.messages"


def test_credentials_become_fingerprints():
    found = recording(
        url=CHAT + f"?api_key={KEY}",
        external_id=KEY,
        client=f"x {KEY}",
        request_headers=[("Authorization", f"Bearer {KEY}"), ("X", KEY), ("Cookie", "a=b")],
        response_headers=[("set-cookie", f"session={KEY}")],
        trailers=[("x-api-key", KEY)],
        error=f"no such key: {KEY}",
        reason=KEY,
        response_body=ANSWER,
    )

    record = made(found)

    assert KEY.encode() not in encode(record)
    assert record.opened.credential == Scrubber(b"k" * 32).mark(KEY)


def test_a_fingerprint_stays_the_same_fingerprint():
    mark = Scrubber(b"other" * 7).mark(KEY)
    headers = [("authorization", f"Bearer {mark}"), ("x-api-key", mark)]

    opened = made(recording(url=f"{CHAT}?key={mark}", request_headers=headers)).opened

    assert (opened.headers, opened.credential) == (headers, mark)
    assert opened.path.endswith(f"?key={mark}")


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"at": 1_750_000_000_123_456_789}, 1_750_000_000_123_456_789),
        (
            {"response_headers": [("Date", "Sun, 01 Dec 2024 10:00:00 GMT")]},
            1_733_047_200_000_000_000,
        ),
        ({"request_headers": [("X-Amz-Date", "20241201T100000Z")]}, 1_733_047_200_000_000_000),
        ({"response_body": ANSWER}, 1_760_000_000_000_000_000),
        (
            {"response_body": b'{"created_at":"2024-12-01T10:00:00.123456789Z"}'},
            1_733_047_200_123_456_000,
        ),
        ({"response_headers": [("Date", "soon")]}, MODIFIED + 1_000_000),
        ({"at": 1}, MODIFIED + 1_000_000),
    ],
)
def test_the_time_is_the_best_that_is_told(changes, at):
    record = made(recording(**changes))

    assert record.at == at
    assert int.from_bytes(record.id[:6]) == at // 10**6


def test_the_same_file_gives_the_same_ids_and_equal_calls_different_ones():
    found = [recording(), recording(), recording(external_id="a"), recording(external_id="b")]
    for one in found:
        one.at = 1_750_000_000_000_000_000
    first, second = exchanges(), exchanges()

    ids = [made(one, first).id for one in found]

    assert len(set(ids)) == 4
    assert [made(one, second).id for one in found] == ids


def test_a_body_that_is_not_there_is_not_told_to_be_empty():
    record = made(recording(request_body=None, response_body=b"ab", response_bytes=99))

    assert record.opened.body_kept == "head"
    assert (record.closed.body_kept, record.closed.body_bytes) == ("head", 99)


def test_no_answer_is_an_error_and_how_it_ended_is_kept():
    assert made(recording(status=0)).closed.ending == "error"
    assert made(recording(status=0)).closed.answer is None
    assert made(recording(ending="client_closed")).closed.ending == "client_closed"
    assert made(recording(ending="nonsense")).closed.ending == "complete"


def test_halves_of_characters_do_not_stop_a_record():
    found = recording(
        url=CHAT + "?x=\ud800", external_id="\ud800", request_headers=[("a\ud800", "b\ud800")]
    )

    assert msgspec.msgpack.decode(encode(made(found)))
