"""Events as rows: those that proxies tell, and those that reading a journal leads to."""

from uuid import UUID

from llmproxy_core.model import Json
from llmproxy_core.records import Closed, Event, Opened
from llmproxy_core.store.call_rows import EventRow
from llmproxy_core.worker.identity import dated
from llmproxy_core.worker.moments import moment

DEFAULT_NAMESPACE = 1


def event_row(record: Event) -> EventRow:
    data: dict[str, Json] = dict(record.data)
    return EventRow(
        DEFAULT_NAMESPACE, UUID(bytes=record.id), moment(record.at), record.kind, None, data
    )


def told(
    record: Opened | Closed, kind: str, data: dict[str, Json], ns_id: int = DEFAULT_NAMESPACE
) -> EventRow:
    """An event about an exchange; the same one has the same id, however often it is read."""
    id = dated(record.at, record.id.hex(), kind)
    return EventRow(ns_id, id, moment(record.at), kind, UUID(bytes=record.id), data)


def facts(record: Closed) -> dict[str, Json]:
    status = record.answer.status if record.answer else None
    return {"ending": record.ending, "status": status, "body_bytes": record.body_bytes}
