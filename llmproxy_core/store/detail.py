"""One flow, whole: with headers, bodies as they passed, and what can be read in them.

What `providers` reads in a body is not stored beside it (`rereadable` rows): it is read again.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Integer, Table, Uuid, bindparam, func, select

from llmproxy_core.model import Headers, Response
from llmproxy_core.providers.formats import read_request
from llmproxy_core.providers.reader import AnswerReader
from llmproxy_core.store import documents, shortened
from llmproxy_core.store.archive import SPANS
from llmproxy_core.store.call_rows import RequestRow, ResponseRow, ToolCallRow
from llmproxy_core.store.call_tables import RequestTable, ResponseTable, ToolCallTable
from llmproxy_core.store.columns import USUAL
from llmproxy_core.store.documents import Key
from llmproxy_core.store.prepared import Prepared
from llmproxy_core.store.values import clean, clean_all, clean_or_none, cleaned, unpack
from llmproxy_core.withholding import unsaid

asked, called = RequestTable.__table__.c, ToolCallTable.__table__.c
NS_ID, ID = bindparam("ns_id", type_=Integer), bindparam("id", type_=Uuid)
WIRE = Prepared(select(asked.wire, asked.path).where(asked.ns_id == NS_ID, asked.id == ID))
TOOL_CALLS = Prepared(
    select(
        called.ns_id,
        called.request_id,
        called.ordinal,
        called.call_id,
        called.name,
        called.arguments_start,
    )
    .where(called.ns_id == NS_ID, called.request_id == ID)
    .order_by(called.ordinal)
)
PREVIOUS = Prepared(
    select(asked.id)
    .where(
        asked.ns_id == NS_ID,
        asked.session_id == bindparam("session", type_=Uuid),
        asked.id < ID,
    )
    .order_by(asked.id.desc())
    .limit(1)
)
HASHES = ("hash_in", "hash_out", "upload_hash_in", "upload_hash_out", "head")


def request(conn: Connection, ns_id: int, id: UUID) -> RequestRow | None:
    """Raises StoreError where the stored body is damaged."""
    values = _row(conn, RequestTable.__table__, ns_id, id)
    if values is None:
        return None
    if values["parameters"] is None:
        values["rereadable"] = True
        read, _ = read_request(values["wire"], values["path"], values["headers"], values["body"])
        values["parameters"] = cleaned(read.parameters)
        values["tool_names"] = clean_all(tool.name for tool in read.tools)
    return RequestRow(**values)


def unread(
    conn: Connection, keys: Collection[Key]
) -> dict[Key, tuple[RequestRow, ResponseRow | None]]:
    """Requests and answers with headers and bodies, for who reads these anew: `parameters`,
    `tool_names`, `text` and `reasoning` may be empty. Raises StoreError as `request`.
    """
    asked = _rows(conn, RequestTable.__table__, keys)
    told = _rows(conn, ResponseTable.__table__, keys)
    for values in asked.values():
        values["parameters"] = values["parameters"] or {}
        values["tool_names"] = values["tool_names"] or []
    for values in told.values():
        del values["tool_names"]
        values["text"], values["reasoning"] = values["text"] or "", values["reasoning"] or ""
    return {
        key: (RequestRow(**values), ResponseRow(**told[key]) if key in told else None)
        for key, values in asked.items()
    }


def response(conn: Connection, ns_id: int, id: UUID) -> ResponseRow | None:
    """The answer to a request. Raises StoreError where the stored body is damaged."""
    return answer(conn, ns_id, id)[0]


def answer(conn: Connection, ns_id: int, id: UUID) -> tuple[ResponseRow | None, list[ToolCallRow]]:
    """The answer to a request, and the tool calls in it. Raises StoreError as `response`."""
    values = _row(conn, ResponseTable.__table__, ns_id, id)
    if values is None:
        return None, []
    del values["tool_names"]
    if values["text"] is not None:
        return ResponseRow(**values), _tool_calls(conn, ns_id, id)
    read = _read(conn, values)
    values |= {"rereadable": True, "text": clean(read.text), "reasoning": clean(read.reasoning)}
    values["response_id"] = values["response_id"] or clean_or_none(read.id)
    if read.usage is not None and not values["estimated"]:
        values["usage"] = read.usage.raw
    calls = [
        ToolCallRow(
            ns_id, id, ordinal, clean_or_none(call.id), clean(call.name), clean(call.arguments)
        )
        for ordinal, call in enumerate(read.tool_calls)
    ]
    return ResponseRow(**values), calls


def _read(conn: Connection, values: Mapping[str, Any]) -> Response:
    found = WIRE.rows(conn, ns_id=values["ns_id"], id=values["id"])
    return _reread(values, *found[0]) if found else Response()


def reread(conn: Connection, ns_id: int, id: UUID) -> tuple[str, Response] | None:
    """The wire of a call and its answer as providers read it; None while there is none."""
    values = _row(conn, ResponseTable.__table__, ns_id, id)
    if values is None:
        return None
    [(wire, path)] = WIRE.rows(conn, ns_id=ns_id, id=id)
    return wire, _reread(values, wire, path)


def _reread(values: Mapping[str, Any], wire: str, path: str) -> Response:
    reader = AnswerReader(wire, values["status"] or 0, values["headers"], path)
    reader.feed(values["body"])
    return unsaid.response(reader.finish(), values["body_kept"])


def _tool_calls(conn: Connection, ns_id: int, id: UUID) -> list[ToolCallRow]:
    """Of an answer that cannot be read again; with the beginning of their arguments."""
    return [ToolCallRow(*row) for row in TOOL_CALLS.rows(conn, ns_id=ns_id, id=id)]


def previous(conn: Connection, row: RequestRow) -> UUID | None:
    """The request before it in the same session."""
    found = PREVIOUS.rows(conn, ns_id=row.ns_id, session=row.session_id, id=row.id)
    return found[0][0] if found else None


def _row(conn: Connection, table: Any, ns_id: int, id: UUID) -> dict[str, Any] | None:
    key = (ns_id, id)
    return _rows(conn, table, [key]).get(key)


def _rows(conn: Connection, table: Any, keys: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """As the row classes have them: headers and bodies whole, hashes as bytes."""
    if not keys:
        return {}
    query, names = _whole(table), table.columns.keys()
    spaces, ids = ([*dict.fromkeys(column)] for column in zip(*keys, strict=True))
    rows = query.rows(conn, spaces=spaces, ids=ids, low=min(ids), high=max(ids))
    dicts = [dict(zip(names, row, strict=True)) for row in rows]
    found = {(values["ns_id"], values["id"]): values for values in dicts}
    if table.name == "requests":
        shortened.restore(conn, found.values())
    _open_bodies(conn, table.name, found)
    return {key: _as_written(table.name, found[key]) for key in keys if key in found}


@cache
def _whole(table: Table) -> Prepared:
    low, high = bindparam("low", type_=Uuid), bindparam("high", type_=Uuid)
    return Prepared(
        select(table).where(
            table.c.ns_id == func.any(bindparam("spaces", type_=ARRAY(Integer))),
            table.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
            table.c.id.between(low, high),
        )
    )


def _as_written(table: str, values: dict[str, Any]) -> dict[str, Any]:
    for name in HASHES:
        if values.get(name) is not None:
            values[name] = values[name].bytes
    for name in ("text_start", "n_tool_calls", "base_id", "words"):
        values.pop(name, None)
    if values["hash_in"] is None:
        values["hash_in"] = values["hash_out"]
    for name, usual in USUAL[table].items():
        if values[name] is None:
            values[name] = usual
    return values


def _open_bodies(conn: Connection, table: str, found: Mapping[Key, dict[str, Any]]) -> None:
    proofs: dict[Key, bytes | None] = {}
    for key, values in found.items():
        sides = [name for name in ("headers", "trailers") if name in values]
        encoding = values.pop("body_encoding")
        if documents.is_document(encoding):
            proofs[key] = values["hash_out"].bytes if encoding == SPANS else None
            continue
        values["body"] = unpack(encoding, values["body"])
        for name in sides:
            values[name] = [(one, value) for one, value in values[name]]
    for key, document in documents.documents(conn, table, proofs).items():
        values = found[key]
        values["body"], values["headers"] = document.body, _cleaned(document.headers)
        if "trailers" in values:
            values["trailers"] = _cleaned(document.trailers)


def _cleaned(headers: Headers) -> Headers:
    return [(clean(name), clean(value)) for name, value in headers]
