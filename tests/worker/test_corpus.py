"""All recorded exchanges, through the spool and the worker into Postgres: the rows are the truth."""

import random
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Headers
from llmproxy_core.records import Answer, Answered, Closed, Opened, Piece
from llmproxy_core.store import reads
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.worker.identity import dated
from llmproxy_core.worker.intake import Intake
from tests.unit.providers.corpus import (
    Exchange,
    body,
    exchanges,
    headers,
    needs_corpus,
    path_of,
    readable,
    wire_of,
)
from tests.unit.providers.test_wire_corpus import EXPLAINED
from tests.worker.traffic import MS, NOON, SECOND, Recorded, append

pytestmark = [pytest.mark.system, needs_corpus]


def id_of(exchange: Exchange) -> UUID:
    return dated(NOON, exchange["id"])


def recorded(exchange: Exchange, number: int) -> list[Recorded]:
    at = NOON + number * SECOND
    asked, answered = body(exchange, "request"), body(exchange, "response")
    head = Answer(at + MS, exchange["status"], "", "HTTP/1.1", headers(exchange, "response"))
    id = id_of(exchange).bytes
    pieces = _cut(answered, number) if exchange["streaming"] else []
    rest = b"" if pieces else answered
    opened = Opened(
        id=id,
        at=at,
        namespace="default",
        client="127.0.0.1:1",
        proxy_user=None,
        credential=None,
        provider=exchange["provider"],
        wire=wire_of(exchange),
        scheme="https",
        host=exchange["provider_host"],
        port=443,
        method=exchange["method"],
        path=path_of(exchange),
        http_version="HTTP/1.1",
        headers=headers(exchange, "request"),
        body_bytes=len(asked),
        body_kept="full",
        hash_in=content_hash(asked),
        hash_out=content_hash(asked),
    )
    closed = Closed(
        id=id,
        at=at + SECOND,
        ending="complete",
        error=None,
        answer=None if pieces else head,
        first_at=at + 2 * MS if answered else 0,
        marks=[(len(rest), 0)],
        body_bytes=len(answered),
        body_kept="full",
        hash_in=content_hash(answered),
        hash_out=content_hash(answered),
        trailers=[],
    )
    middle: list[Recorded] = [(Answered(id, head), b"")] if pieces else []
    middle += [(Piece(id, at + 2 * MS, [(len(piece), 0)]), piece) for piece in pieces]
    return [(opened, asked), *middle, (closed, rest)]


def _cut(stream: bytes, seed: int) -> list[bytes]:
    dice = random.Random(seed)
    pieces, at = [], 0
    while at < len(stream):
        size = dice.choice([1, 7, 100, 5000])
        pieces.append(stream[at : at + size])
        at += size
    return pieces


@pytest.fixture
def rows(storage, database, home, journal) -> dict[UUID, FlowDetail]:
    for number, exchange in enumerate(exchanges()):
        append(journal, recorded(exchange, number))
    intake = Intake(home.spool, storage)
    while intake.collect() or intake.waiting:
        intake.commit()
    with database.connect() as connection:
        ids = [id_of(exchange) for exchange in exchanges()]
        return {id: found for id in ids if (found := reads.flow(connection, id))}


def test_every_exchange_is_a_row_that_says_what_was_said(rows):
    assert len(rows) == len(exchanges())
    wrong = [
        f"{exchange['id']} {exchange['wire']} {field}: {theirs!r} != {ours!r}"
        for exchange in readable()
        for field, theirs, ours in _comparisons(exchange, rows[id_of(exchange)])
        if theirs != ours and (exchange["id"], field) not in EXPLAINED
    ]
    assert wrong == [], "\n".join(wrong)
    for exchange in exchanges():
        detail = rows[id_of(exchange)]
        request, row = detail.request, detail.response
        assert row.status == exchange["status"]
        assert row.state == "failed" if row.status >= 400 else row.state != "open"
        assert (request.headers, request.body) == _sent(exchange, "request")
        assert (row.headers, row.body) == _sent(exchange, "response")
        assert row.hash_out == content_hash(body(exchange, "response"))


def _sent(exchange: Exchange, side: str) -> tuple[Headers, bytes]:
    return headers(exchange, side), body(exchange, side)


def _comparisons(exchange: Exchange, detail: FlowDetail) -> list[tuple[str, Any, Any]]:
    truth, request, row = exchange["expected"], detail.request, detail.response
    assert row is not None
    ours = {
        "request_model": request.model,
        "n_messages": request.n_messages,
        "request_stream": request.stream,
        "model": row.model or "",
        "response_id": row.response_id or "",
        "text": row.text,
        "n_events": row.n_events,
        "usage_raw": row.usage,
    }
    told = truth | {"request_model": truth.get("request_model", "").removeprefix("models/")}
    found = [(field, told[field], value) for field, value in ours.items() if field in truth]
    if "tool_calls" in truth:
        calls = [call for call in truth["tool_calls"] if call["name"] or call["id"]]
        found.append(("tool_calls", len(calls), len(detail.tool_calls)))
    return found
