"""What the rows say of calls that went well, badly, or half."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.records import Answered, Closed, Piece, Upload
from llmproxy_core.spool import START, Entry, SpoolReader
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.words import hashed
from llmproxy_core.worker import journal, rows, seal
from llmproxy_core.worker.sessions import Sessions
from tests.worker.ledger import Ledger
from tests.worker.traffic import MS, Call, Recorded, chat, chat_stream, zipped


def stored(records: list[Recorded], tmp_path) -> Batch:
    found = journal.Journal(SpoolReader(tmp_path), Sessions(Ledger()), lambda name: 1)
    batch = Batch()
    for record, body in records:
        found.take(Entry(START, START, record, body), batch)
    found.show(batch)
    return batch


@pytest.fixture
def answer(tmp_path):
    """Call -> the row of its answer."""

    def row(call: Call, **closed: Any) -> ResponseRow:
        *before, (last, body) = call.records()
        batch = stored([*before, (msgspec.structs.replace(last, **closed), body)], tmp_path)
        return batch.responses[0]

    return row


@pytest.fixture
def request_row(tmp_path):
    def row(call: Call) -> RequestRow:
        return stored([call.opened()], tmp_path).requests[0]

    return row


def test_an_answer_has_tokens_price_and_times(answer):
    row = answer(Call())
    assert (row.input_tokens, row.output_tokens) == (12, 3)
    assert row.cost_usd > 0
    assert row.cost_confidence in ("exact", "prefix")
    assert (row.head_ms, row.first_byte_ms, row.duration_ms) == (100.0, 150.0, 200.0)
    assert row.first_token_ms is None


def test_a_stream_has_the_time_of_its_first_token(tmp_path):
    call = Call(pieces=[b"".join(chat_stream("", "", "Hi", "!"))])
    opened, answered, (_, body), closed = call.records()
    begin = body.index(b"Hi")
    begin = body.rindex(b"data: ", 0, begin)
    end = body.index(b"data: ", begin + 1)
    marks = [(begin, 0), (end - begin, 7000), (len(body) - end, 9000)]
    piece = Piece(call.id, call.at + 150 * MS, marks)
    (row,) = stored([opened, answered, (piece, body), closed], tmp_path).responses
    assert row.first_token_ms == 157.0
    assert row.text == "Hi!"


def test_a_client_that_hangs_up_leaves_a_partial_answer(answer):
    row = answer(Call(pieces=chat_stream("Hel", "lo")[:-1], ending="client_closed"))
    assert (row.state, row.text, row.error_type) == ("partial", "Hello", "client_closed")
    assert "the client hung up after" in row.error


def test_a_client_that_hangs_up_after_the_last_word_has_the_whole_answer(answer):
    row = answer(Call(pieces=chat_stream("Hello"), ending="client_closed"))
    assert (row.state, row.error) == ("complete", None)


def test_a_provider_that_resets_in_the_midst_of_json_leaves_a_partial_answer(answer):
    call = Call(answer=chat("Hello")[:60], ending="server_closed", error="reset by peer")
    row = answer(call)
    assert (row.state, row.error_type) == ("partial", "server_closed")
    assert (
        row.error
        == "the provider closed the connection after 60 bytes of the answer: reset by peer"
    )
    assert row.body == call.answer


def test_no_answer_at_all_is_a_failure(answer):
    row = answer(Call(status=0, answer=b"", ending="error", error="could not connect"))
    assert (row.state, row.status, row.first_byte_ms) == ("failed", None, None)
    assert row.error == "the connection failed before an answer: could not connect"


def test_an_error_is_told_in_the_provider_s_words(answer):
    body = b'{"error":{"type":"rate_limit","message":"Slow down."}}'
    row = answer(Call(status=429, answer=body))
    assert (row.state, row.status) == ("failed", 429)
    assert (row.error_type, row.error) == ("rate_limit", "Slow down.")


def test_an_error_without_words_has_its_status(answer):
    row = answer(Call(status=502, answer=b""))
    assert row.state == "failed"
    assert "502" in f"{row.error_type} {row.error}"


def test_an_error_inside_a_stream_is_a_failure(answer):
    pieces = [*chat_stream("Hel")[:-1], b'data: {"error":{"message":"overloaded"}}\n\n']
    row = answer(Call(pieces=pieces))
    assert (row.state, row.text, row.error) == ("failed", "Hel", "overloaded")


def test_a_stream_without_its_closing_event_is_partial(answer):
    row = answer(Call(pieces=chat_stream("Hello")[:-1]))
    assert (row.state, row.error_type) == ("partial", "stream_incomplete")


def test_json_that_ends_early_is_partial(answer):
    row = answer(Call(answer=chat("Hello")[:-5]))
    assert row.state == "partial"
    assert row.error


def test_an_answer_that_is_no_answer_is_a_failure_and_kept(answer):
    row = answer(Call(answer=b"<html><title>Log in</title></html>"))
    assert (row.state, row.body) == ("failed", b"<html><title>Log in</title></html>")


def test_an_answer_over_the_limit_is_complete_though_only_its_head_is_kept(answer):
    call = Call(answer=chat("x" * 1000)[:100])
    row = answer(call, body_kept="head", body_bytes=5000)
    assert (row.state, row.body_kept, row.body_bytes) == ("complete", "head", 5000)
    assert (row.body, row.error) == (call.answer, None)


def test_a_compressed_answer_is_read_and_kept_as_it_passed(tmp_path):
    call = Call(answer=zipped(chat("Hello")))
    opened, (closed, body) = call.records()
    assert isinstance(closed, Closed)
    assert closed.answer is not None
    head = msgspec.structs.replace(closed.answer, headers=[("content-encoding", "gzip")])
    batch = stored([opened, (msgspec.structs.replace(closed, answer=head), body)], tmp_path)
    assert (batch.responses[0].text, batch.responses[0].body) == ("Hello", call.answer)


def test_a_format_that_is_not_read_has_status_times_sizes_and_model(tmp_path):
    call = Call(wire="openai.embeddings", path="/v1/embeddings", answer=b'{"data":[0.1]}')
    batch = stored(call.records(), tmp_path)
    (request,), (row,) = batch.requests, batch.responses
    assert (request.model, request.parse_error) == ("gpt-4o-mini", None)
    assert (row.state, row.status, row.body_bytes, row.text) == ("complete", 200, 14, "")


def test_a_large_upload_has_its_true_size(answer):
    row = answer(Call(), upload=Upload(10**9, b"1" * 16, b"2" * 16))
    assert (row.upload_bytes, row.upload_hash_in, row.upload_hash_out) == (
        10**9,
        b"1" * 16,
        b"2" * 16,
    )


def test_tool_calls_are_rows_in_order(tmp_path):
    calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": f"f{n}", "arguments": "{}"}}
        for n in range(2)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    batch = stored(Call(answer=chat("", choices=choices)).records(), tmp_path)
    assert [(row.ordinal, row.call_id, row.name, row.arguments) for row in batch.tool_calls] == [
        (0, "c0", "f0", "{}"),
        (1, "c1", "f1", "{}"),
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_request_that_cannot_be_read_is_kept_and_says_why(request_row, body):
    row = request_row(Call(body=body))
    assert row.parse_error
    assert (row.body, row.model) == (body, None)


def test_a_request_over_the_limit_is_not_read(tmp_path):
    opened, body = Call().opened()
    opened = msgspec.structs.replace(opened, body_kept="head", body_bytes=10**9)
    (row,) = stored([(opened, body)], tmp_path).requests
    assert row.parse_error == f"not read: only the first {len(body)} bytes were kept"
    assert (row.body_bytes, row.model) == (10**9, None)


def test_the_preview_is_what_was_said_last_in_one_line(request_row):
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "so?"},
        {"role": "user", "content": [{"type": "text", "text": "Fix\n  the   bug " + "x" * 500}]},
    ]
    row = request_row(Call(hints={"messages": messages}))
    assert row.preview.startswith("Fix the bug xxx")
    assert len(row.preview) == 120
    assert row.n_messages == 3


def test_what_programs_put_around_a_question_is_not_its_title(tmp_path):
    content = [
        {"type": "text", "text": "<system-reminder>Be nice.</system-reminder>"},
        {"type": "text", "text": "Why is the sky blue?"},
    ]
    call = Call(hints={"messages": [{"role": "user", "content": content}]})
    batch = stored(call.records(), tmp_path)
    assert batch.sessions[0].title == "Why is the sky blue?"
    assert batch.requests[0].preview == "Why is the sky blue?"


def test_a_question_in_a_tag_is_shown_without_it(request_row):
    content = "<session>\nWhy is the sky blue?\n</session>\nFind a title."
    row = request_row(Call(hints={"messages": [{"role": "user", "content": content}]}))
    assert row.preview == "Why is the sky blue? Find a title."


def test_messages_that_an_agent_adds_are_neither_title_nor_preview(tmp_path):
    messages = [
        {"role": "user", "content": "<environment_context>Linux</environment_context>"},
        {"role": "user", "content": "Why is the sky blue?"},
        {"role": "system", "content": "These tools are there: Bash, Read."},
    ]
    batch = stored(Call(hints={"messages": messages}).records(), tmp_path)
    assert batch.sessions[0].title == "Why is the sky blue?"
    assert batch.requests[0].preview == "Why is the sky blue?"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_stream_cut_anywhere_yields_the_text_so_far(tmp_path_factory, data):
    whole = b"".join(chat_stream("Hello", " wörld", "🙂"))
    size = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, size))
    pieces = [piece for piece in (whole[:cut], whole[cut:size]) if piece]
    call = Call(pieces=pieces, ending="server_closed")
    batch = stored(call.records(), tmp_path_factory.getbasetemp())
    (row,) = batch.responses
    assert "Hello wörld🙂".startswith(row.text)
    assert row.body == whole[:size]
    assert row.state in ("partial", "complete")
    assert row.text.startswith("".join(delta.text for delta in batch.deltas))


@pytest.fixture
def fault(monkeypatch):
    def install(module: Any, name: str) -> None:
        def fail(*args: Any, **more: Any) -> Any:
            raise RuntimeError("poison")

        monkeypatch.setattr(module, name, fail)

    return install


def test_a_request_that_upsets_its_reader_is_stored_raw(tmp_path, fault):
    fault(rows, "read_request")
    batch = stored(Call(1).records(), tmp_path)
    assert batch.requests[0].parse_error == "RuntimeError: poison"
    assert batch.responses[0].text == "answer 1"
    (event,) = batch.events
    assert (event.kind, event.request_id) == ("unreadable", batch.requests[0].id)


@pytest.mark.parametrize("method", ["__init__", "feed", "finish"])
@pytest.mark.parametrize("pieces", [None, chat_stream("Hello")])
def test_an_answer_that_upsets_its_reader_is_stored_raw(tmp_path, fault, method, pieces):
    fault(AnswerReader, method)
    call = Call(pieces=pieces)
    batch = stored(call.records(), tmp_path)
    (row,) = batch.responses
    assert (row.state, row.error_type) == ("complete", "unreadable")
    assert row.error == "the answer could not be read: RuntimeError: poison"
    assert row.body == (b"".join(pieces) if pieces else chat("answer 0"))
    assert [event.kind for event in batch.events] == ["unreadable"]


def test_counting_tokens_costs_nothing(answer):
    row = answer(Call(wire="openai.responses.input_tokens", answer=b'{"input_tokens": 9}'))
    assert (row.input_tokens, row.cost_usd, row.cost_source) == (9, 0, "not billed")


def test_a_fault_in_the_price_costs_only_the_price(tmp_path, fault):
    fault(seal, "price")
    (row,) = stored(Call().records(), tmp_path).responses
    assert (row.cost_usd, row.text) == (None, "answer 0")


def test_values_of_the_wrong_type_cost_only_what_was_read(tmp_path, monkeypatch):
    real = AnswerReader.finish
    twelve: Any = "twelve"
    monkeypatch.setattr(AnswerReader, "finish", lambda self: replace(real(self), usage=twelve))
    batch = stored(Call().records(), tmp_path)
    (row,) = batch.responses
    assert (row.error_type, row.body) == ("unreadable", chat("answer 0"))


def test_unknown_events_of_a_stream_are_told(tmp_path):
    pieces = [b'event: response.new_thing\ndata: {"type":"response.new_thing"}\n\n']
    call = Call(wire="openai.responses", pieces=pieces)
    batch = stored(call.records(), tmp_path)
    kinds = {event.kind: event.data for event in batch.events}
    assert kinds["unknown_stream_events"]["response.new_thing"] == 1


def test_a_request_that_is_repeated_is_stored_once(tmp_path):
    call = Call()
    batch = stored([call.opened(), *call.records()], tmp_path)
    assert (len(batch.requests), len(batch.responses)) == (1, 1)
    assert [event.kind for event in batch.events] == ["repeated_request"]


def test_only_the_first_choice_is_shown_while_it_streams(tmp_path):
    def chunk(index: int, text: str) -> bytes:
        choice = {"index": index, "delta": {"content": text}, "finish_reason": None}
        return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"

    call = Call(pieces=[chunk(0, "a") + chunk(1, "b") + chunk(0, "c")])
    batch = stored([call.opened(), *call.answered()], tmp_path)
    assert [delta.text for delta in batch.deltas] == ["ac"]


def test_an_answer_s_head_may_come_twice(tmp_path):
    call = Call(pieces=chat_stream("Hello"))
    again = (Answered(call.id, call.head()), b"")
    opened, *rest = call.records()
    (row,) = stored([opened, again, *rest], tmp_path).responses
    assert (row.text, row.state) == ("Hello", "complete")


def test_what_was_put_before_names_is_kept_and_both_names_are_found(tmp_path):
    called = {"id": "c", "type": "function", "function": {"name": "payfind", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [called]}
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    (opened, body), *rest = Call(answer=chat("", choices=choices)).records()
    told = msgspec.structs.replace(opened, prefix="pay", shortened={"payfi_h": "find_all"})
    batch = stored([(told, body), *rest], tmp_path)
    row = batch.requests[0]
    assert (row.namespace_prefix, row.shortened, row.left_alone) == (
        "pay",
        {"payfi_h": "find_all"},
        None,
    )
    assert batch.tool_calls[0].name == "payfind"
    assert set(hashed({b"payfind", b"find"})) <= set(batch.search[0].words)
    left = msgspec.structs.replace(opened, left_alone="signed")
    assert stored([(left, body)], tmp_path).requests[0].left_alone == "signed"
