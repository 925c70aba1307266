"""JSON lines: one object a call. docs/export.md has all fields."""

from collections.abc import Iterable, Iterator
from typing import Any

from llmproxy_core.interchange.outgoing.call import Call
from llmproxy_core.interchange.outgoing.texts import arguments, base64_of, dumps, moment
from llmproxy_core.interchange.wires import exported
from llmproxy_core.model import Headers, Usage
from llmproxy_core.store.call_rows import ResponseRow
from llmproxy_core.store.flows import Flow

COUNTERS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


def lines(calls: Iterable[Call], bodies: bool) -> Iterator[bytes]:
    for call in calls:
        yield dumps(fields(call, bodies)) + b"\n"


def fields(call: Call, bodies: bool) -> dict[str, Any]:
    told = _place(call) | _asked(call) | _answered(call) | _numbers(call)
    return told | (_bodies(call) if bodies else {})


def _place(call: Call) -> dict[str, Any]:
    flow, asked = call.flow, call.asked
    return {
        "id": str(flow.id),
        "external_id": asked.external_id,
        "namespace": flow.namespace,
        "session_id": str(flow.session_id),
        "parent_id": str(asked.parent_id) if asked.parent_id else None,
        "relation": asked.relation,
        "parent_call": asked.parent_call,
        "wire": exported(asked.wire, asked.path),
        "provider": asked.provider,
        "method": asked.method,
        "url": call.url,
        "status": flow.status,
        "state": flow.state,
        "ending": call.ending,
        "streaming": call.streaming,
        "client": asked.client,
        "user_agent": asked.user_agent,
        "proxy_user": asked.proxy_user,
        "credential": asked.credential,
        "namespace_prefix": asked.namespace_prefix,
        "shortened": asked.shortened,
        "left_alone": asked.left_alone,
    }


def _asked(call: Call) -> dict[str, Any]:
    request = call.request
    tools = [tool.name for tool in request.tools if not tool.hosted]
    return {
        "request_model": request.model,
        "request_stream": request.stream,
        "n_messages": len(request.messages) if request.messages else call.asked.n_messages,
        "request_tool_names": tools,
        "request_client_tool_names": call.asked.client_names.all(tools),
        "request_hosted_tools": [tool.name for tool in request.tools if tool.hosted],
        "parse_error": call.asked.parse_error,
        "body_kept": call.asked.body_kept,
    }


def _answered(call: Call) -> dict[str, Any]:
    response, names = call.response, call.asked.client_names
    return {
        "model": response.model or (call.answered.model if call.answered else None),
        "response_id": response.id,
        "text": response.text,
        "texts": response.texts,
        "tool_calls": [
            {
                "id": one.id,
                "name": one.name,
                "client_name": names.of(one.name),
                "arguments": arguments(one.arguments),
            }
            for one in response.tool_calls
        ],
        "server_tool_calls": response.server_tool_calls,
        "finish_reasons": response.finish_reasons,
        "reasoning": response.reasoning,
        "refusal": response.refusal,
        "n_events": response.n_events,
        "unknown_events": response.unknown_events,
        "error": _error(call),
    }


def _error(call: Call) -> dict[str, Any] | None:
    """What the provider said, in its own object if it sent one; else why there is no answer."""
    if told := call.response.error:
        return told.raw or {"type": told.type, "message": told.message}
    row = call.answered
    if row is None or row.error is None or row.error_type == "stream_incomplete":
        return None
    return {"type": row.error_type, "message": row.error}


def _numbers(call: Call) -> dict[str, Any]:
    flow, row = call.flow, call.answered
    usage = call.response.usage
    estimated = bool(row and row.estimated)
    return {
        "usage": _counters(usage),
        "usage_estimated": _counters(flow) if estimated else None,
        "usage_raw": usage.raw if usage else (row.usage if row else None),
        "estimated": estimated,
        "cost_usd": None if flow.cost_usd is None else float(flow.cost_usd),
        "cost_exact": None if flow.cost_usd is None else str(flow.cost_usd),
        "cost_source": row.cost_source if row else None,
        "cost_confidence": flow.cost_confidence,
        "started_at": moment(flow.started_at),
        "ended_at": moment(row.ended_at) if row else None,
        "first_byte_ms": flow.first_byte_ms,
        "first_token_ms": flow.first_token_ms,
        "duration_ms": flow.duration_ms,
        "request_body_bytes": flow.body_bytes,
        "response_body_bytes": flow.response_bytes,
    }


def _counters(told: Usage | Flow | None) -> dict[str, int | None] | None:
    counted = {name: getattr(told, name, None) for name in COUNTERS}
    return counted if any(value is not None for value in counted.values()) else None


def _bodies(call: Call) -> dict[str, Any]:
    """As they passed: content-encoding and all."""
    asked = call.asked
    told = {
        "http_version": asked.http_version,
        "request_headers": _pairs(asked.headers),
        "request_body": base64_of(asked.body),
        "request_body_encoding": "base64",
        "reason": None,
        "response_headers": [],
        "response_trailers": [],
        "response_body": None,
        "response_body_encoding": "base64",
    }
    return told if call.answered is None else told | _response_bodies(call.answered)


def _response_bodies(row: ResponseRow) -> dict[str, Any]:
    return {
        "reason": row.reason,
        "response_headers": _pairs(row.headers),
        "response_trailers": _pairs(row.trailers),
        "response_body": base64_of(row.body),
    }


def _pairs(headers: Headers) -> list[list[str]]:
    return [[name, value] for name, value in headers]
