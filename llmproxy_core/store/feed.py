"""A `Flow` in SQL: what each of its fields is, of a request and the answer it may have.

None of these columns is ever stored out of line, so that the feed reads no TOAST; but for names that
were shortened, and these are read for answers that call tools alone.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array

from llmproxy_core.store.call_tables import RequestTable, ResponseTable, ShortenedTable
from llmproxy_core.store.namespace_tables import NamespaceTable

NAMESPACES = NamespaceTable.__table__.alias("n")
REQUESTS = RequestTable.__table__.alias("r")
RESPONSES = ResponseTable.__table__.alias("s")

namespace, asked, answered = NAMESPACES.c, REQUESTS.c, RESPONSES.c
sets = ShortenedTable.__table__.alias("m").c

LIMIT = bindparam("limit", type_=Integer)
NO_NAMES = cast(array([]), ARRAY(Text))

SHORTENED = (
    select(sets.names)
    .where(sets.ns_id == asked.ns_id, sets.hash == asked.shortened)
    .correlate(REQUESTS)
    .scalar_subquery()
)

FLOW: dict[str, ColumnElement[Any]] = {
    "ns_id": asked.ns_id,
    "namespace": namespace.name,
    "id": asked.id,
    "session_id": asked.session_id,
    "started_at": asked.started_at,
    "state": func.coalesce(answered.state, "open"),
    "client": asked.client,
    "user_agent": asked.user_agent,
    "proxy_user": asked.proxy_user,
    "credential": asked.credential,
    "provider": asked.provider,
    "wire": asked.wire,
    "host": asked.host,
    "method": asked.method,
    "path": asked.path,
    "model": func.coalesce(answered.model, asked.model),
    "request_model": asked.model,
    "stream": asked.stream,
    "n_messages": asked.n_messages,
    "preview": asked.preview,
    "body_bytes": func.coalesce(answered.upload_bytes, asked.body_bytes),
    "request_changed": func.coalesce(
        answered.upload_hash_in != answered.upload_hash_out,
        asked.hash_in != asked.hash_out,
        false(),
    ),
    "parse_error": asked.parse_error,
    "status": answered.status,
    "finish_reasons": func.coalesce(answered.finish_reasons, NO_NAMES),
    "text_start": func.coalesce(answered.text_start, ""),
    "input_tokens": answered.input_tokens,
    "output_tokens": answered.output_tokens,
    "cached_tokens": answered.cached_tokens,
    "cache_write_tokens": answered.cache_write_tokens,
    "reasoning_tokens": answered.reasoning_tokens,
    "cost_usd": answered.cost_usd,
    "cost_confidence": answered.cost_confidence,
    "first_byte_ms": answered.first_byte_ms,
    "first_token_ms": answered.first_token_ms,
    "duration_ms": answered.duration_ms,
    "n_tool_calls": func.coalesce(answered.n_tool_calls, 0),
    "response_bytes": answered.body_bytes,
    "response_changed": func.coalesce(answered.hash_in != answered.hash_out, false()),
    "error_type": answered.error_type,
    "error": answered.error,
    "tool_names": func.coalesce(answered.tool_names, NO_NAMES),
    "estimated": func.coalesce(answered.estimated, false()),
    "namespace_prefix": asked.namespace_prefix,
    "shortened": case((and_(answered.n_tool_calls > 0, asked.shortened.is_not(None)), SHORTENED)),
    "left_alone": asked.left_alone,
}


def is_called(name: str) -> ColumnElement[bool]:
    """Is this the name of a namespace, or was it once?"""
    return or_(namespace.name == name, literal(name) == func.any(namespace.former_names))


def newest(query: Select[*tuple[Any, ...]], *order: str) -> Select[*tuple[Any, ...]]:
    """The first LIMIT rows by columns of a query that is of one namespace, of all of them.

    Each is asked by itself: then an index gives its rows in order, and few are read.
    """
    columns = query.selected_columns
    page = query.order_by(*(columns[name].desc() for name in order)).limit(LIMIT)
    each = page.correlate(NAMESPACES).lateral("page")
    rows = select(each).select_from(NAMESPACES.join(each, true()))
    return rows.order_by(*(each.c[name].desc() for name in order)).limit(LIMIT)
