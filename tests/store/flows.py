"""Rows for the tests of the store, with defaults for what a test does not care about."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat

from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import (
    EventRow,
    RequestRow,
    ResponseRow,
    SessionDelta,
    ToolCallRow,
)
from llmproxy_core.store.guard_rows import AnomalyRow, ApprovalRow, DecisionRow

SESSION = UUID("0199aaaa-0000-7000-8000-000000000001")
HASH = bytes(range(16))
AT = datetime(2026, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)

new_id: Callable[[], UUID] = uuid_utils.compat.uuid7


def a_request(**changes: Any) -> RequestRow:
    values: dict[str, Any] = {
        "ns_id": 1,
        "id": new_id(),
        "session_id": SESSION,
        "started_at": AT,
        "client": "127.0.0.1:53124",
        "user_agent": "python",
        "proxy_user": None,
        "credential": "fp_0123456789ab",
        "provider": "openai",
        "wire": "openai.chat",
        "scheme": "https",
        "host": "api.openai.com",
        "port": 443,
        "method": "POST",
        "path": "/v1/chat/completions",
        "http_version": "HTTP/1.1",
        "headers": [("Host", "api.openai.com"), ("X-Twice", "1"), ("x-twice", "2")],
        "model": "gpt-4o",
        "stream": False,
        "n_messages": 1,
        "tool_names": ["search"],
        "parameters": {"temperature": 0.5},
        "preview": "Hello",
        "body": b'{"model": "gpt-4o"}',
        "body_bytes": 19,
        "body_kept": "full",
        "hash_in": HASH,
        "hash_out": HASH,
    }
    return RequestRow(**values | changes)


def a_response(request: RequestRow, **changes: Any) -> ResponseRow:
    values: dict[str, Any] = {
        "ns_id": request.ns_id,
        "id": request.id,
        "state": "complete",
        "ended_at": AT,
        "status": 200,
        "model": "gpt-4o-2024-11-20",
        "text": "Hi there",
        "finish_reasons": ["stop"],
        "input_tokens": 10,
        "output_tokens": 5,
        "duration_ms": 812.5,
        "body": b"{}",
        "body_bytes": 2,
        "hash_in": HASH,
        "hash_out": HASH,
    }
    return ResponseRow(**values | changes)


def a_call(request: RequestRow, ordinal: int = 0, **changes: Any) -> ToolCallRow:
    values: dict[str, Any] = {"call_id": "call_1", "name": "search", "arguments": '{"q": 1}'}
    return ToolCallRow(request.ns_id, request.id, ordinal, **values | changes)


def an_event(**changes: Any) -> EventRow:
    values: dict[str, Any] = {
        "ns_id": 1,
        "id": new_id(),
        "at": AT,
        "kind": "gap",
        "request_id": None,
        "data": {"records": 3},
    }
    return EventRow(**values | changes)


def a_session(**changes: Any) -> SessionDelta:
    values: dict[str, Any] = {
        "ns_id": 1,
        "id": SESSION,
        "external_id": "abc",
        "source": "x-session-id",
        "client": "127.0.0.1",
        "user_agent": "python",
        "provider": "openai",
        "model": "gpt-4o",
        "title": "Hello",
        "at": AT,
    }
    return SessionDelta(**values | changes)


def an_anomaly(request: RequestRow, **changes: Any) -> AnomalyRow:
    values: dict[str, Any] = {
        "ns_id": request.ns_id,
        "id": new_id(),
        "request_id": request.id,
        "side": "request",
        "at": AT,
        "detector": "secrets",
        "family": "secret",
        "score": 0.9,
        "severity": "high",
        "author": "user",
        "kind": "text",
        "tool": "",
        "said": "A key of AWS",
        "excerpt": "my key is [secret:aws:fp_0123] ok",
        "mark_start": 10,
        "mark_end": 30,
        "text_hash": HASH,
    }
    return AnomalyRow(**values | changes)


def a_decision(request: RequestRow, **changes: Any) -> DecisionRow:
    values: dict[str, Any] = {
        "ns_id": request.ns_id,
        "id": new_id(),
        "policy": "no-keys",
        "request_id": request.id,
        "at": AT,
        "mode": "active",
        "action": "block",
        "outcome": "blocked",
        "why": "a key of AWS",
    }
    return DecisionRow(**values | changes)


def an_approval(request: RequestRow, **changes: Any) -> ApprovalRow:
    """One that waits for another minute."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "ns_id": request.ns_id,
        "request_id": request.id,
        "policy": "ask-first",
        "asked_at": now,
        "expires_at": now + timedelta(minutes=1),
        "said": "A command that deletes",
    }
    return ApprovalRow(**values | changes)


def whole(request: RequestRow, **changes: Any) -> Batch:
    """A request and its answer in one batch."""
    return Batch(requests=[request], responses=[a_response(request, **changes)])
