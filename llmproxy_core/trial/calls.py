"""Stored calls, read anew: what was asked and answered, with the marks that stand for secrets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.texts import answer_texts, call_text, request_texts
from llmproxy_core.errors import StoreError
from llmproxy_core.model import Request, Response
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.policies.facts import About
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.store import detail, reads
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow

PAGE = 500
TOGETHER = 50
"""Calls whose bodies are read at once."""


def about(namespace: str, row: RequestRow) -> About:
    """What policies may ask of a stored call."""
    return About(
        namespace=namespace,
        provider=row.provider,
        wire=row.wire,
        host=row.host,
        method=row.method,
        path=row.path,
        at=row.started_at.timestamp(),
        client=row.client,
        user_agent=row.user_agent,
        proxy_user=row.proxy_user,
        credential=row.credential,
        session=str(row.session_id),
        model=row.model,
        body_bytes=row.body_bytes,
    )


@dataclass(slots=True)
class Call:
    """`answer` is empty while there is none. `told`: its row."""

    namespace: str
    asked: RequestRow
    told: ResponseRow | None
    request: Request
    answer: Response

    @property
    def id(self) -> UUID:
        return self.asked.id

    @property
    def has_texts(self) -> bool:
        return self.asked.body_kept != "skeleton"

    def about(self) -> About:
        return about(self.namespace, self.asked)

    def request_texts(self) -> list[Text]:
        _name_results(self.request)
        return [self._named(text) for text in request_texts(self.request)]

    def answer_texts(self) -> list[Text]:
        return [self._named(text) for text in answer_texts(self.answer)]

    def tool_calls(self) -> list[Text]:
        return [
            self._named(call_text(call.name, call.arguments)) for call in self.answer.tool_calls
        ]

    def _named(self, text: Text) -> Text:
        """With the name of the tool as the client has it."""
        names = self.asked.client_names
        return _client_named(text, names) if text.tool and names.prefix else text


def newest(database: Database, since: datetime, most: int) -> list[Flow]:
    """The last calls since a time, the oldest first; `most` at most. Raises StoreError."""
    found: list[Flow] = []
    while len(found) < most:
        limit = min(PAGE, most - len(found))
        with database.connect() as connection:
            page = reads.flows(connection, limit=limit, before=found[-1].id if found else None)
        found += (flow for flow in page if flow.started_at >= since)
        if len(page) < limit or page[-1].started_at < since:
            break
    return found[::-1]


def read(database: Database, flows: Sequence[Flow], unreadable: list[UUID]) -> Iterator[Call]:
    """The calls, in their order; of those that cannot be read again the ids. Raises StoreError."""
    for at in range(0, len(flows), TOGETHER):
        part = flows[at : at + TOGETHER]
        for flow, found in zip(part, _rows(database, part), strict=True):
            call = None if found is None else _call(flow.namespace, *found)
            if call is None:
                unreadable.append(flow.id)
            else:
                yield call


def _rows(
    database: Database, flows: Sequence[Flow]
) -> list[tuple[RequestRow, ResponseRow | None] | None]:
    keys = [(flow.ns_id, flow.id) for flow in flows]
    try:
        with database.connect() as connection:
            found = detail.unread(connection, keys)
    except StoreError:
        if len(keys) == 1:
            return [None]  # a stored body is damaged
        return [row for flow in flows for row in _rows(database, [flow])]
    return [found.get(key) for key in keys]


def _call(namespace: str, asked: RequestRow, told: ResponseRow | None) -> Call | None:
    try:
        request, _ = read_request(asked.wire, asked.path, asked.headers, asked.body)
        answer = Response()
        if told is not None:
            reader = AnswerReader(asked.wire, told.status or 0, told.headers, asked.path)
            reader.feed(told.body)
            answer = reader.finish()
    except Exception:  # noqa: BLE001  it is counted as unreadable, and the others are tried
        return None
    return Call(namespace, asked, told, request, answer)


def _client_named(text: Text, names: ClientNames) -> Text:
    return replace(text, tool=names.of(text.tool))


def _name_results(request: Request) -> None:
    """Results say which call they answer, not of which tool."""
    parts = [part for message in request.messages for part in message.parts]
    names = {part.id: part.name for part in parts if part.kind == "tool_call" and part.id}
    for part in parts:
        if part.kind == "tool_result" and not part.name:
            part.name = names.get(part.id or "")
