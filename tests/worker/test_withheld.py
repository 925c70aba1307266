"""Calls whose texts are not written: their rows say what those of the whole would say."""

import json
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from llmproxy_core.pipeline import Exchange, Head
from llmproxy_core.providers.formats import read_request
from llmproxy_core.records import Closed, Found, Judgement, Opened, Piece, Verdict
from llmproxy_core.store import reads
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.withholding.withheld import Withheld
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.sessions import Placed, Sessions
from tests.unit.providers.corpus import body, needs_corpus, readable
from tests.worker.ledger import Ledger
from tests.worker.test_corpus import id_of, recorded
from tests.worker.traffic import NOON, SECOND, Call, Recorded, append

EVERY = 9
"""Of the recorded calls, one in so many."""
LIKE = [
    "state",
    "status",
    "stream",
    "model",
    "request_model",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost_usd",
    "cost_confidence",
    "error_type",
    "body_bytes",
    "response_bytes",
]


def withheld(records: list[Recorded]) -> list[Recorded]:
    """As a proxy writes them that keeps no text."""
    keeper: Any = None
    written: list[Recorded] = []
    for record, data in records:
        if isinstance(record, Opened):
            keeper = Withheld(record.wire)
            kept = keeper.request(record.headers, data)
            record = msgspec.structs.replace(record, body_kept="skeleton", kept_bytes=len(kept))
        else:
            if answer := getattr(record, "answer", None):
                keeper.answer(answer.status, answer.headers)
            kept = keeper.feed(data) if data else b""
            if isinstance(record, Closed):
                kept += keeper.finish(complete=True)
                record = msgspec.structs.replace(record, body_kept="skeleton", marks=[])
        written.append((record, kept))
    return written


def stored(storage: Any, home: Any) -> None:
    intake = Intake(home.spool, storage)
    while intake.collect() or intake.waiting:
        intake.commit()


def twin(records: list[Recorded], number: int) -> list[Recorded]:
    """The same call once more, with an id of its own."""
    opened = records[0][0]
    assert isinstance(opened, Opened)
    id = Call(number, opened.at + 7).id
    return [(msgspec.structs.replace(record, id=id), data) for record, data in records]


@needs_corpus
def test_rows_of_recorded_calls_are_alike(storage, database, home, journal):
    taken = [one for one in readable() if one["id"]][::EVERY]
    pairs = {}
    for number, exchange in enumerate(taken):
        whole = recorded(exchange, number)
        bare = withheld(twin(whole, number))
        append(journal, whole)
        append(journal, bare)
        pairs[id_of(exchange)] = bare[0][0].id
    stored(storage, home)
    with database.connect() as connection:
        for exchange in taken:
            full = reads.flow(connection, id_of(exchange))
            less = reads.flow(connection, UUID(bytes=pairs[id_of(exchange)]))
            assert full, exchange["id"]
            assert less, exchange["id"]
            _alike(exchange, full, less)


def _alike(exchange: Any, full: FlowDetail, less: FlowDetail) -> None:
    about = (exchange["id"], exchange["wire"])
    assert full.response
    assert less.response
    for name in LIKE:
        theirs, ours = getattr(full.flow, name), getattr(less.flow, name)
        if name in ("input_tokens", "output_tokens", "cost_usd") and full.response.estimated:
            assert (theirs is None) == (ours is None), (*about, name)
            continue
        assert ours == theirs, (*about, name, theirs, ours)
    assert less.request.n_messages == full.request.n_messages, about
    assert less.request.tool_names == full.request.tool_names, about
    assert less.request.preview == "", about
    assert (less.response.text, less.response.reasoning) == ("", ""), about
    assert [one.name for one in less.tool_calls] == [one.name for one in full.tool_calls], about
    assert less.response.finish_reasons == full.response.finish_reasons, about
    assert less.response.body_bytes == len(body(exchange, "response")), about


def place(sessions: Sessions, call: Call) -> Placed:
    opened, data = call.opened()
    kept = Withheld(call.wire).request([], data)
    opened = msgspec.structs.replace(opened, body_kept="skeleton")
    request, _ = read_request(call.wire, call.path, [], kept)
    placed = sessions.place(1, opened, request, kept)
    sessions.began(placed)
    return placed


def test_messages_without_texts_lead_to_no_other_call() -> None:
    """They are all alike."""
    sessions = Sessions(Ledger())
    said = [{"role": "user", "content": "one"}]
    more = [*said, {"role": "assistant", "content": "x"}, {"role": "user", "content": "two"}]
    first = place(sessions, Call(1, NOON, hints={"messages": said}))
    other = place(sessions, Call(2, NOON + SECOND, hints={"messages": more}, client="10.0.0.9:1"))
    assert other.found.link.parent is None
    assert other.id != first.id
    again = place(sessions, Call(3, NOON + 2 * SECOND, hints={"messages": more}))
    assert again.id == first.id  # of the same program, soon after
    assert again.source == "gap"


def test_ids_of_clients_still_tell_sessions() -> None:
    sessions = Sessions(Ledger())
    headers = [("session-id", "s-1")]
    first = place(sessions, Call(1, NOON, headers=headers))
    assert place(sessions, Call(2, NOON + 900 * SECOND, headers=headers)).id == first.id


def test_a_verdict_becomes_rows_of_its_call(storage, database, home, journal):
    found = Found(
        "secrets", "secret", 0.9, "high", "This looks like a key.", "assistant", "text", "",
        b"h" * 16, "", 0, 0,
    )  # fmt: skip
    records = withheld(Call().records())
    id = records[0][0].id
    other = msgspec.structs.replace(found, text_hash=b"o" * 16)
    told = Verdict(id, NOON + SECOND, "default", Judgement([found]), Judgement([other]))
    append(journal, [*records, (told, b"")])
    stored(storage, home)
    with database.connect() as connection:
        rows = connection.execute(text("SELECT side, said, excerpt FROM anomalies ORDER BY side"))
        assert [tuple(row) for row in rows] == [
            ("request", "This looks like a key.", ""),
            ("response", "This looks like a key.", ""),
        ]


def test_what_is_left_of_a_killed_proxy_is_a_skeleton(storage, database, home, journal):
    call = Call(pieces=[b'data: {"choices":[{"delta":{"content":"word"}}]}\n\n'])
    opened, _, piece = withheld(call.records()[:3])
    append(journal, [opened, (call.answered()[0]), piece])
    journal.close()
    stored(storage, home)
    with database.connect() as connection:
        [row] = connection.execute(text("SELECT body_kept, state FROM responses"))
        assert tuple(row) == ("skeleton", "partial")


def test_an_exchange_writes_a_skeleton_with_the_times_of_its_events() -> None:
    """So that the first token is told as ever."""
    head = Head(
        "127.0.0.1:1", None, None, "openai", "openai.chat", "https", "api.openai.com", 443, "POST",
        "/v1/chat/completions", "HTTP/1.1", [("x-title", "a plan"), ("host", "api.openai.com")],
    )  # fmt: skip
    exchange = Exchange(head, 1000)
    exchange.keeper = Withheld("openai.chat")
    opened, kept = exchange.open(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}', b"")
    assert opened.headers[0] == ("x-title", "")
    assert json.loads(kept[0])["messages"] == [{"role": "user", "content": " "}]
    exchange.answered(Call(pieces=[]).head())
    for delta in ({"role": "assistant"}, {"content": "word"}):
        event = {"choices": [{"index": 0, "delta": delta}]}
        exchange.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    [_, (piece, chunks)] = exchange.pieces()
    assert isinstance(piece, Piece)
    assert [size for size, _ in piece.marks] == [len(chunk) for chunk in chunks]
    assert len(chunks) == 2
    closed, _ = exchange.close("complete")
    assert closed.kept_bytes == sum(map(len, chunks))
