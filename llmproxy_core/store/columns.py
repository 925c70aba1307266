"""How rows become columns: for each table the names and types for COPY, and the values of a row."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmproxy_core.store.archive import Stored
from llmproxy_core.store.call_rows import EventRow, RequestRow, ResponseRow, ToolCallRow
from llmproxy_core.store.shortened import set_id
from llmproxy_core.store.values import (
    START_LENGTH,
    clean,
    clean_all,
    clean_or_none,
    dump_json,
    dump_jsonb,
    hash_id,
    hash_id_or_none,
    one_line,
)

type Values = tuple[Any, ...]
type Columns = dict[str, str]
"""Name -> type, in the order of the values."""

KEPT_BODY = 2**20

REQUESTS: Columns = {
    "ns_id": "int4",
    "id": "uuid",
    "session_id": "uuid",
    "started_at": "timestamptz",
    "client": "text",
    "user_agent": "text",
    "proxy_user": "text",
    "credential": "text",
    "provider": "text",
    "wire": "text",
    "scheme": "text",
    "host": "text",
    "port": "int4",
    "method": "text",
    "path": "text",
    "http_version": "text",
    "model": "text",
    "stream": "bool",
    "n_messages": "int4",
    "tool_names": "text[]",
    "preview": "text",
    "body_bytes": "int8",
    "body_kept": "text",
    "hash_in": "uuid",
    "hash_out": "uuid",
    "parse_error": "text",
    "parameters": "jsonb",
    "body_encoding": "text",
    "body": "bytea",
    "base_id": "uuid",
    "external_id": "text",
    "parent_id": "uuid",
    "relation": "text",
    "parent_call": "text",
    "head": "uuid",
    "namespace_prefix": "text",
    "shortened": "uuid",
    "left_alone": "text",
}

RESPONSES: Columns = {
    "ns_id": "int4",
    "id": "uuid",
    "state": "text",
    "ended_at": "timestamptz",
    "status": "int4",
    "reason": "text",
    "http_version": "text",
    "head_ms": "float8",
    "first_byte_ms": "float8",
    "first_token_ms": "float8",
    "duration_ms": "float8",
    "model": "text",
    "response_id": "text",
    "finish_reasons": "text[]",
    "text_start": "text",
    "n_tool_calls": "int4",
    "tool_names": "text[]",
    "input_tokens": "int8",
    "output_tokens": "int8",
    "cached_tokens": "int8",
    "cache_write_tokens": "int8",
    "reasoning_tokens": "int8",
    "cost_usd": "numeric",
    "cost_source": "text",
    "cost_confidence": "text",
    "error_type": "text",
    "error": "text",
    "n_events": "int4",
    "body_bytes": "int8",
    "body_kept": "text",
    "hash_in": "uuid",
    "hash_out": "uuid",
    "upload_bytes": "int8",
    "upload_hash_in": "uuid",
    "upload_hash_out": "uuid",
    "usage": "json",
    "text": "text",
    "reasoning": "text",
    "refusal": "text",
    "body_encoding": "text",
    "body": "bytea",
    "base_id": "uuid",
    "estimated": "bool",
    "words": "bytea",
}

USUAL: dict[str, dict[str, Any]] = {
    "requests": {
        "scheme": "https",
        "port": 443,
        "http_version": "HTTP/1.1",
        "body_kept": "full",
    },
    "responses": {"body_kept": "full"},
}
"""What most rows have alike is stored as NULL, and so is a `hash_in` that is the `hash_out`."""

TOOL_CALLS: Columns = {
    "ns_id": "int4",
    "request_id": "uuid",
    "ordinal": "int4",
    "call_id": "text",
    "name": "text",
    "arguments_start": "text",
}

EVENTS: Columns = {
    "ns_id": "int4",
    "id": "uuid",
    "at": "timestamptz",
    "kind": "text",
    "request_id": "uuid",
    "data": "jsonb",
}


def request_values(row: RequestRow, stored: Stored) -> Values:
    """`stored`: its headers and body."""
    return (
        row.ns_id,
        row.id,
        row.session_id,
        row.started_at,
        clean(row.client),
        clean_or_none(row.user_agent),
        clean_or_none(row.proxy_user),
        clean_or_none(row.credential),
        row.provider,
        row.wire,
        _unusual("scheme", row.scheme),
        clean(row.host),
        _unusual("port", row.port),
        clean(row.method),
        clean(row.path),
        _unusual("http_version", row.http_version),
        clean_or_none(row.model),
        row.stream,
        row.n_messages,
        None if row.rereadable else clean_all(row.tool_names),
        clean(row.preview),
        row.body_bytes,
        _unusual("body_kept", row.body_kept),
        hash_id(row.hash_in) if row.hash_in != row.hash_out else None,
        hash_id(row.hash_out),
        clean_or_none(row.parse_error),
        None if row.rereadable else dump_jsonb(row.parameters),
        *stored,
        clean_or_none(row.external_id),
        row.parent_id,
        row.relation,
        clean_or_none(row.parent_call),
        hash_id_or_none(row.head),
        clean_or_none(row.namespace_prefix),
        set_id(row.shortened),
        row.left_alone,
    )


def response_values(row: ResponseRow, tools: Sequence[str], stored: Stored) -> Values:
    """`tools`: the names of the answer's tool calls. `stored`: its headers and body."""
    text = clean(row.text)
    return (
        row.ns_id,
        row.id,
        row.state,
        row.ended_at,
        row.status,
        clean_or_none(row.reason),
        row.http_version,
        row.head_ms,
        row.first_byte_ms,
        row.first_token_ms,
        row.duration_ms,
        clean_or_none(row.model),
        clean_or_none(row.response_id),
        clean_all(row.finish_reasons),
        one_line(text or clean(row.refusal or "")),
        len(tools),
        clean_all(tools),
        row.input_tokens,
        row.output_tokens,
        row.cached_tokens,
        row.cache_write_tokens,
        row.reasoning_tokens,
        row.cost_usd,
        clean_or_none(row.cost_source),
        row.cost_confidence,
        clean_or_none(row.error_type),
        clean_or_none(row.error),
        row.n_events,
        row.body_bytes,
        _unusual("body_kept", row.body_kept),
        hash_id(row.hash_in) if row.hash_in != row.hash_out else None,
        hash_id(row.hash_out),
        row.upload_bytes,
        hash_id_or_none(row.upload_hash_in),
        hash_id_or_none(row.upload_hash_out),
        _usage(row),
        None if row.rereadable else text,
        None if row.rereadable else clean(row.reasoning),
        clean_or_none(row.refusal),
        *stored,
        row.estimated,
        row.words,
    )


def _unusual[Value](name: str, value: Value) -> Value | None:
    return None if value == USUAL["requests"][name] else value


def _usage(row: ResponseRow) -> bytes | None:
    """What cannot be read again: nothing tells what was estimated."""
    if row.usage is None or (row.rereadable and not row.estimated):
        return None
    return dump_json(row.usage)


def tool_call_values(row: ToolCallRow) -> Values:
    return (
        row.ns_id,
        row.request_id,
        row.ordinal,
        clean_or_none(row.call_id),
        clean(row.name),
        clean(row.arguments[:START_LENGTH]),
    )


def event_values(row: EventRow) -> Values:
    return (row.ns_id, row.id, row.at, clean(row.kind), row.request_id, dump_jsonb(row.data))


def plain_request(row: RequestRow, reason: str) -> RequestRow:
    """The part of a request that Postgres takes for certain: what was read out of it is left out."""
    return replace(
        row,
        model=None,
        n_messages=0,
        tool_names=[],
        parameters={},
        rereadable=False,
        shortened=None,
        preview="",
        body=row.body[:KEPT_BODY],
        body_kept=row.body_kept if len(row.body) <= KEPT_BODY else "head",
        parse_error=f"not stored whole: {reason}",
    )


def plain_response(row: ResponseRow, reason: str) -> ResponseRow:
    """As `plain_request`."""
    return ResponseRow(
        row.ns_id,
        row.id,
        row.state,
        row.ended_at,
        status=row.status,
        duration_ms=row.duration_ms,
        error_type=row.error_type,
        error=row.error or f"not stored whole: {reason}",
        body=row.body[:KEPT_BODY],
        body_bytes=row.body_bytes,
        body_kept=row.body_kept if len(row.body) <= KEPT_BODY else "head",
        hash_in=row.hash_in,
        hash_out=row.hash_out,
        words=row.words,
    )
