"""The end of an exchange: the row of its answer, its tool calls, and what its session gains."""

from dataclasses import dataclass
from decimal import Decimal

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Cost, Response, Usage, header
from llmproxy_core.pricing import NO_PRICES, OwnPrices, estimated, price
from llmproxy_core.providers.catalogue import UNBILLED
from llmproxy_core.records import BodyKept, Closed, Ending
from llmproxy_core.store.call_rows import FlowState, ResponseRow, SessionDelta, ToolCallRow
from llmproxy_core.withholding.unsaid import SKELETON
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.moments import EPOCH, milliseconds, moment
from llmproxy_core.worker.naming import address

CUT: dict[Ending, str] = {
    "client_closed": "the client hung up",
    "server_closed": "the provider closed the connection",
    "error": "the connection failed",
    "killed": "the proxy was stopped",
}


@dataclass(slots=True)
class Sealed:
    response: ResponseRow
    tool_calls: list[ToolCallRow]
    session: SessionDelta
    answer: Response


def warm_up() -> None:
    """The first price takes 0.2 s: better now than when there is a call to wait for."""
    price("openai", "gpt-4o", Usage(1, 1), EPOCH)


def killed(exchange: Exchange) -> Closed:
    """The end of an exchange whose proxy died: at the last that is known of it."""
    body = exchange.body
    digest = content_hash(body)
    return Closed(
        id=exchange.opened.id,
        at=exchange.last_at or exchange.opened.at,
        ending="killed",
        error=None,
        answer=None,
        first_at=exchange.first_at,
        marks=[],
        body_bytes=len(body),
        body_kept=_kept_of_killed(exchange),
        hash_in=digest,
        hash_out=digest,
        trailers=[],
    )


def _kept_of_killed(exchange: Exchange) -> BodyKept:
    if exchange.opened.body_kept == SKELETON:
        return SKELETON
    return "dropped" if exchange.cut else "full"


def seal(
    exchange: Exchange, closed: Closed, response: Response, prices: OwnPrices = NO_PRICES
) -> Sealed:
    """`response`: what was read of the answer. The price is that of the day of the request."""
    row = _row(exchange, closed, response)
    row.state = _state(exchange, closed, response)
    usage = _usage(exchange, response, row)
    row.error_type, row.error = _error(exchange, closed, response, row.state)
    _price(exchange, usage, row, prices)
    calls = [
        ToolCallRow(row.ns_id, row.id, ordinal, call.id, call.name, call.arguments)
        for ordinal, call in enumerate(response.tool_calls)
    ]
    return Sealed(row, calls, _session(exchange, row), response)


def _row(exchange: Exchange, closed: Closed, response: Response) -> ResponseRow:
    begin, usage = exchange.opened.at, response.usage or Usage()
    row = ResponseRow(
        ns_id=exchange.ns_id,
        id=exchange.id,
        state="complete",
        ended_at=moment(closed.at),
        trailers=closed.trailers,
        first_byte_ms=_after(begin, exchange.first_at),
        first_token_ms=_after(begin, exchange.first_token_at),
        duration_ms=milliseconds(begin, closed.at),
        model=response.model,
        response_id=response.id or _request_id(exchange),
        finish_reasons=response.finish_reasons,
        text=response.text,
        reasoning=response.reasoning,
        refusal=response.refusal,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        usage=usage.raw,
        n_events=response.n_events,
        body=exchange.body,
        body_bytes=closed.body_bytes,
        body_kept=_kept(exchange, closed),
        hash_in=closed.hash_in,
        hash_out=closed.hash_out,
        rereadable=exchange.answer is not None and exchange.unreadable is None,
    )
    if answer := exchange.answer:
        row.status, row.reason = answer.status, answer.reason
        row.http_version, row.headers = answer.http_version, answer.headers
        row.head_ms = milliseconds(begin, answer.at)
    if upload := closed.upload:
        row.upload_bytes = upload.body_bytes
        row.upload_hash_in, row.upload_hash_out = upload.hash_in, upload.hash_out
    return row


def _request_id(exchange: Exchange) -> str | None:
    """The name that Bedrock gives an answer; its Converse API has none within."""
    return header(exchange.answer.headers, "x-amzn-requestid") if exchange.answer else None


def _kept(exchange: Exchange, closed: Closed) -> BodyKept:
    """A record of a piece may have been lost; the end knows how long the body was."""
    written = closed.body_bytes if closed.kept_bytes < 0 else closed.kept_bytes
    whole = closed.body_kept != "full" or len(exchange.body) == written
    return closed.body_kept if whole else "dropped"


def _state(exchange: Exchange, closed: Closed, response: Response) -> FlowState:
    """A stream that said its last word is complete, whoever hung up then."""
    whole = closed.ending == "complete"
    if exchange.answer is None or exchange.answer.status >= 400 or _refused(response):
        return "failed"
    if _kept(exchange, closed) not in ("full", SKELETON) or exchange.unreadable is not None:
        return "complete" if whole else "partial"
    if response.incomplete:
        return "partial"
    if response.error is not None:
        return "failed"
    return "complete" if whole or response.n_events else "partial"


def _refused(response: Response) -> bool:
    """Did the provider say that it failed?"""
    return response.error is not None and response.error.type != "unreadable"


def _error(
    exchange: Exchange, closed: Closed, response: Response, state: FlowState
) -> tuple[str | None, str | None]:
    """Type and text; in the provider's words where it has any."""
    told, answer = response.error, exchange.answer
    if told is not None and _refused(response):
        return told.type, told.message
    if answer is not None and answer.status >= 400:
        return f"http_{answer.status}", f"HTTP {answer.status} {answer.reason}".rstrip()
    if exchange.unreadable is not None:
        return "unreadable", f"the answer could not be read: {exchange.unreadable}"
    if state == "complete":
        return None, None
    if closed.ending != "complete":
        return closed.ending, _cut(closed, answered=answer is not None)
    if told is not None:
        return told.type, told.message
    return "stream_incomplete", "the stream ended without its closing event"


def _cut(closed: Closed, *, answered: bool) -> str:
    when = f"after {closed.body_bytes:,} bytes of the answer" if answered else "before an answer"
    return f"{CUT[closed.ending]} {when}" + (f": {closed.error}" if closed.error else "")


def _usage(exchange: Exchange, response: Response, row: ResponseRow) -> Usage | None:
    """What the answer took; where the provider had no chance to tell, an estimate, marked so."""
    usage = response.usage
    if row.state in ("complete", "partial") and exchange.unreadable is None:
        try:
            usage = estimated(exchange.request, response) or usage
        except Exception:  # noqa: BLE001 - without an estimate the tokens are unknown
            return usage
    row.estimated = usage is not response.usage
    if row.estimated and usage is not None:
        row.input_tokens, row.output_tokens = usage.input_tokens, usage.output_tokens
    return usage


def _price(exchange: Exchange, usage: Usage | None, row: ResponseRow, prices: OwnPrices) -> None:
    opened = exchange.opened
    model = row.model or exchange.request.model
    try:
        if opened.wire in UNBILLED:
            cost = Cost(Decimal(0), "not billed", "exact")
        else:
            cost = price(opened.provider, model, usage, moment(opened.at), prices)
    except Exception:  # noqa: BLE001 - a call without a price is better than none
        cost = Cost(None, "", "unknown")
    row.cost_usd, row.cost_source, row.cost_confidence = cost.usd, cost.source, cost.confidence


def _session(exchange: Exchange, row: ResponseRow) -> SessionDelta:
    opened = exchange.opened
    return SessionDelta(
        ns_id=row.ns_id,
        id=exchange.session_id,
        external_id=None,
        source="",
        client=address(opened.client),
        user_agent=header(opened.headers, "user-agent"),
        provider=opened.provider,
        model=row.model,
        title="",
        at=row.ended_at,
        responses=1,
        errors=int(row.state == "failed"),
        input_tokens=row.input_tokens or 0,
        output_tokens=row.output_tokens or 0,
        cached_tokens=row.cached_tokens or 0,
        cost_usd=row.cost_usd or Decimal(0),
        flow=row.id,
    )


def _after(begin: int, at: int) -> float | None:
    return milliseconds(begin, at) if at else None
