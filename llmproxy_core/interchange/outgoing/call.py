"""A stored call, read anew from its bodies: what every format of export is made from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmproxy_core.model import Request, Response, header
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.store import detail, selection
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.selection import Selection
from llmproxy_core.withholding import unsaid

STREAMS = ("event-stream", "ndjson", "stream+json", "eventstream", "jsonlines")
MOST, MOST_BYTES = 100, 8 * 2**20
READ = ("full", unsaid.SKELETON)
"""Bodies, by `body_kept`, in which something can be read."""
CUT = ("client_closed", "server_closed", "error", "killed")


@dataclass(slots=True)
class Call:
    """`request` and `response` are empty where the bodies were not kept whole."""

    flow: Flow
    asked: RequestRow
    answered: ResponseRow | None
    request: Request
    response: Response

    @property
    def url(self) -> str:
        asked = self.asked
        default = 80 if asked.scheme == "http" else 443
        host = f"[{asked.host}]" if ":" in asked.host else asked.host
        port = "" if asked.port == default else f":{asked.port}"
        return f"{asked.scheme}://{host}{port}{asked.path}"

    @property
    def streaming(self) -> bool:
        """Did the answer come as a stream?"""
        row = self.answered
        if row is None or (row.status or 0) >= 400:
            return False
        kind = (header(row.headers, "content-type") or "").lower()
        if any(name in kind for name in STREAMS):
            return True
        return row.status == 101 or (self.request.stream and self.response.n_events > 0)

    @property
    def ending(self) -> str:
        """One of `records.Ending`."""
        told = self.answered.error_type if self.answered else None
        return told if told in CUT else "complete"


def calls(database: Database, chosen: Selection) -> Iterator[Call]:
    """The calls of a selection, oldest first. Raises StoreError."""
    for some in _together(selection.flows(database, chosen)):
        # in one transaction: retention drops nothing between rows and what they are made of
        with database.connect(transaction=True) as connection:
            rows = detail.unread(connection, [(flow.ns_id, flow.id) for flow in some])
        for flow in some:
            if found := rows.pop((flow.ns_id, flow.id), None):
                asked, answered = found
                yield Call(flow, asked, answered, _request(asked), _response(asked, answered))


def _together(flows: Iterable[Flow]) -> Iterator[list[Flow]]:
    """Flows that may be in memory at once, bodies and all."""
    some: list[Flow] = []
    size = 0
    for flow in flows:
        some.append(flow)
        size += flow.body_bytes + (flow.response_bytes or 0)
        if len(some) >= MOST or size >= MOST_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _request(asked: RequestRow) -> Request:
    if asked.body_kept not in READ:
        return Request(model=asked.model, stream=asked.stream)
    read = read_request(asked.wire, asked.path, asked.headers, asked.body)[0]
    return unsaid.request(read, asked.body_kept)


def _response(asked: RequestRow, answered: ResponseRow | None) -> Response:
    if answered is None or answered.status is None or answered.body_kept not in READ:
        return Response()
    reader = AnswerReader(asked.wire, answered.status, answered.headers, asked.path)
    reader.feed(answered.body)
    return unsaid.response(reader.finish(), answered.body_kept)
