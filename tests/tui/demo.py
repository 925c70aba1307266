"""Realistic rows at fixed times, the same in every run: for screenshots and for behaviour."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from llmproxy_core.store.call_rows import (
    EventRow,
    RequestRow,
    ResponseRow,
    StreamDelta,
    ToolCallRow,
)
from llmproxy_core.store.flows import Flow, FlowDetail, Session
from tests.tui.memory import MemorySource

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
OPENAI = ("openai", "openai.chat", "api.openai.com", "/v1/chat/completions")
ANTHROPIC = ("anthropic", "anthropic.messages", "api.anthropic.com", "/v1/messages")
GEMINI = (
    "google",
    "gemini",
    "generativelanguage.googleapis.com",
    "/v1beta/models/x:generateContent",
)
CLAUDE_CODE = "claude-cli/2.1.4 (external, cli)"
CODEX = "codex_cli_rs/0.63.0"
PYTHON = "OpenAI/Python 2.8.1"


def uuid(number: int, at: datetime = NOW) -> UUID:
    """A uuidv7 of that time that is the same every time."""
    ms = int(at.timestamp() * 1000)
    return UUID(int=ms << 80 | 0x7 << 76 | 0b10 << 62 | number * 0x9E3779B1 % 2**40)


def flow(number: int, age: float = 0.0, **values: Any) -> Flow:
    """A call that began `age` seconds ago; complete unless `state` says something else."""
    at = NOW - timedelta(seconds=age)
    provider, wire, host, path = values.pop("api", OPENAI)
    known: dict[str, Any] = {
        "ns_id": 1,
        "namespace": "default",
        "id": uuid(number, at),
        "session_id": uuid(7, NOW - timedelta(hours=1)),
        "started_at": at,
        "state": "complete",
        "client": f"127.0.0.1:{50000 + number}",
        "user_agent": PYTHON,
        "proxy_user": None,
        "credential": "fp_4c1a90de77b2",
        "provider": provider,
        "wire": wire,
        "host": host,
        "method": "POST",
        "path": path,
        "model": "gpt-5.1-mini",
        "request_model": "gpt-5.1-mini",
        "stream": True,
        "n_messages": 3,
        "preview": "What is the capital of France?",
        "body_bytes": 2048,
        "request_changed": False,
        "parse_error": None,
    }
    if values.get("state", "complete") == "complete":
        known |= {
            "status": 200,
            "text_start": "Paris.",
            "finish_reasons": ["stop"],
            "input_tokens": 1280,
            "output_tokens": 96,
            "cached_tokens": 1024,
            "cost_usd": Decimal("0.00042"),
            "cost_confidence": "exact",
            "first_byte_ms": 310.0,
            "first_token_ms": 342.0,
            "duration_ms": 1840.0,
            "response_bytes": 9000,
        }
    return Flow(**(known | values))


def flows() -> list[Flow]:
    """A minute in the life of a developer with two agents and a script."""
    agent, review, script = uuid(1, NOW), uuid(2, NOW), uuid(3, NOW)
    opus = {
        "api": ANTHROPIC, "user_agent": CLAUDE_CODE, "model": "claude-opus-4-5-20251101",
        "request_model": "claude-opus-4-5", "session_id": agent, "finish_reasons": ["tool_use"],
    }  # fmt: skip
    codex = {
        "api": ("openai", "openai.responses", "api.openai.com", "/v1/responses"),
        "user_agent": CODEX, "model": "gpt-5.1-codex", "session_id": review,
    }  # fmt: skip
    gemini = {
        "api": GEMINI,
        "user_agent": "google-genai-sdk/1.52.0 gl-python/3.12",
        "session_id": script,
    }
    rows: list[dict[str, Any]] = [
        opus | {"state": "open", "status": 200, "age": 4.2, "preview": "Now run the tests and fix what fails"},
        codex | {"state": "open", "age": 1.1, "preview": "Review the diff for races"},
        opus | {"age": 19, "input_tokens": 48_210, "cached_tokens": 47_104, "output_tokens": 612,
                "cost_usd": Decimal("0.0443"), "duration_ms": 11_420.0, "first_token_ms": 1_205.0,
                "n_tool_calls": 2, "preview": "[tool_result] 3 failed, 118 passed in 4.21s",
                "text_start": "Three tests fail for the same reason: the clock is"},
        {"age": 24, "model": "gpt-5.1-mini", "session_id": script, "preview": "Classify this ticket: I cannot log in",
         "text_start": '{"category": "account", "urgency": 2}', "stream": False, "first_token_ms": None,
         "cached_tokens": 0, "input_tokens": 412, "output_tokens": 18},
        {"age": 25, "state": "failed", "status": 429, "model": "gpt-5.1-mini", "session_id": script,
         "error_type": "rate_limit_error", "error": "Rate limit reached for gpt-5.1-mini: 500 requests per min",
         "duration_ms": 212.0, "stream": False, "preview": "Classify this ticket: refund please"},
        gemini | {"age": 31, "model": "gemini-3-flash", "input_tokens": 8_120, "output_tokens": 1_420,
                  "cached_tokens": None, "cost_usd": Decimal("0.0061"), "duration_ms": 6_310.0,
                  "first_token_ms": 488.0, "preview": "Summarise these minutes in five bullet points",
                  "text_start": "- The release moves to Thursday"},
        codex | {"age": 38, "input_tokens": 131_400, "cached_tokens": 120_832, "output_tokens": 9_812,
                 "cost_usd": Decimal("0.1271"), "duration_ms": 74_300.0, "first_token_ms": 8_700.0,
                 "n_tool_calls": 4, "preview": "Read every module under src/ and list data races",
                 "text_start": "I found two places where state is shared"},
        opus | {"age": 45, "state": "partial", "status": 200, "duration_ms": 3_100.0, "first_token_ms": 990.0,
                "preview": "Explain the retry logic", "text_start": "The retry logic starts in", "output_tokens": None,
                "input_tokens": 21_004, "cached_tokens": 20_992},
        {"age": 47, "api": ("ollama", "ollama.chat", "localhost", "/api/chat"), "model": "qwen3:8b",
         "session_id": script, "cost_usd": Decimal(0), "preview": "你好世界 🌍 translate this",
         "text_start": "Hello, world 🌍", "user_agent": "curl/8.14.1", "input_tokens": 42, "output_tokens": 9,
         "cached_tokens": None},
        opus | {"age": 52, "model": "claude-haiku-4-5", "request_model": "claude-haiku-4-5", "input_tokens": 310, "output_tokens": 12,
                "cached_tokens": 0, "cost_usd": Decimal("0.00037"), "duration_ms": 640.0,
                "first_token_ms": 402.0, "preview": "Write a title for this conversation",
                "text_start": "Fixing the flaky clock tests"},
        {"age": 58, "state": "failed", "status": 401, "model": "gpt-5.1", "error_type": "invalid_request_error",
         "error": "Incorrect API key provided: fp_4c1a90de77b2", "duration_ms": 96.0, "stream": False,
         "preview": "ping"},
    ]  # fmt: skip
    return [flow(100 - n, row.pop("age"), **row) for n, row in enumerate(rows)]


def sessions() -> list[Session]:
    rows = [
        (uuid(1, NOW), "Fix the flaky clock tests", CLAUDE_CODE, "anthropic", "claude-opus-4-5", 2, 42, 1, "1.8212"),
        (uuid(2, NOW), "Review src/ for data races", CODEX, "openai", "gpt-5.1-codex", 8, 9, 0, "0.6120"),
        (uuid(3, NOW), "Classify this ticket: I cannot log in", PYTHON, "openai", "gpt-5.1-mini", 22, 311, 4, "0.1304"),
        (uuid(4, NOW), "Summarise these minutes in five bullet points", "google-genai-sdk/1.52.0", "google", "gemini-3-flash", 900, 3, 0, "0.0184"),
    ]  # fmt: skip
    return [
        Session(
            ns_id=1, namespace="default", id=id, external_id=None, source="gap", client="127.0.0.1",
            user_agent=agent, provider=provider, model=model, title=title,
            started_at=NOW - timedelta(hours=1), last_at=NOW - timedelta(seconds=age), requests=turns,
            responses=turns, errors=errors, input_tokens=turns * 21_000, output_tokens=turns * 410,
            cached_tokens=turns * 18_000, cost_usd=Decimal(cost),
        )
        for id, title, agent, provider, model, age, turns, errors, cost in rows
    ]  # fmt: skip


def event(number: int, kind: str, age: float, **data: Any) -> EventRow:
    at = NOW - timedelta(seconds=age)
    return EventRow(1, uuid(number, at), at, kind, None, data)


def events() -> list[EventRow]:
    return [
        event(
            1,
            "fault",
            640,
            where="capture.request",
            error="KeyError: 'messages'",
            place="capture.py:81",
        ),
        event(
            2,
            "tls_failed",
            1500,
            client="127.0.0.1:41002",
            host="api.openai.com",
            program="python3.12",
            distrusts_ca=True,
        ),
        event(3, "gap", 5000, records=12, bytes=482_113),
        event(4, "proxy_started", 7200, address="127.0.0.1:8080"),
        event(5, "proxy_stopped", 90_000),
    ]


SYSTEM = "You are an assistant that answers in Markdown. " * 20
ANSWER = """Three tests fail for **one** reason: the clock is read twice.

1. `now()` is taken before the lock
2. and again after it

```python
def elapsed(clock: Clock) -> float:
    with clock.lock:
        return clock.now() - clock.started
```

| test | before | after |
|---|---|---|
| `test_elapsed` | 0.99 s | 1.00 s |

I will change `elapsed` and run them again."""


def messages(turns: int = 2) -> list[dict[str, Any]]:
    """An Anthropic conversation with a tool call a turn."""
    said: list[dict[str, Any]] = []
    for n in range(turns):
        said += [
            {"role": "user", "content": f"Turn {n + 1}: please run the tests.\nThen fix what fails. <system-reminder>be brief</system-reminder>"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "I should look at the clock first.", "signature": "x"},
                {"type": "text", "text": "I run them **now**."},
                {"type": "tool_use", "id": f"toolu_{n}", "name": "Bash", "input": {"command": "pytest -q"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": "3 failed, 118 passed in 4.21s"}
            ]},
            {"role": "assistant", "content": "Some fail."},
        ]  # fmt: skip
    return said


def detail(
    of: Flow, *, turns: int = 1, ask: str = "Why do they fail?", previous: UUID | None = None
) -> FlowDetail:
    """The whole of an Anthropic call."""
    said = [*messages(turns), {"role": "user", "content": ask}]
    body = json.dumps(
        {
            "model": of.request_model,
            "max_tokens": 1024,
            "stream": False,
            "system": SYSTEM,
            "messages": said,
        }
    ).encode()
    request = RequestRow(
        ns_id=1, id=of.id, session_id=of.session_id, started_at=of.started_at, client=of.client,
        user_agent=of.user_agent, proxy_user=None, credential=of.credential, provider="anthropic",
        wire="anthropic.messages", scheme="https", host="api.anthropic.com", port=443, method="POST",
        path="/v1/messages", http_version="HTTP/2.0",
        headers=[("content-type", "application/json"), ("x-api-key", "fp_4c1a90de77b2"), ("user-agent", CLAUDE_CODE)],
        model=of.request_model, stream=of.stream, n_messages=len(said), tool_names=["Bash"], parameters={},
        preview=ask, body=body, body_bytes=len(body), body_kept="full", hash_in=b"1" * 16, hash_out=b"1" * 16,
    )  # fmt: skip
    response = None if of.state == "open" else _answer(of)
    calls = (
        [ToolCallRow(1, of.id, 0, "toolu_9", "Edit", '{"path": "clock.py"}')] if response else []
    )
    return FlowDetail(of, request, response, calls, previous, [])


def _answer(of: Flow) -> ResponseRow:
    body = json.dumps(
        {
            "id": "msg_01", "type": "message", "role": "assistant", "model": of.model, "stop_reason": "tool_use",
            "content": [
                {"type": "text", "text": ANSWER},
                {"type": "tool_use", "id": "toolu_9", "name": "Edit", "input": {"path": "clock.py"}},
            ],
            "usage": {"input_tokens": 1106, "cache_read_input_tokens": 47104, "output_tokens": 612},
        }
    ).encode()  # fmt: skip
    return ResponseRow(
        ns_id=1, id=of.id, state=of.state, ended_at=of.started_at, status=of.status, reason="OK",
        http_version="HTTP/2.0", headers=[("content-type", "application/json"), ("request-id", "req_011")],
        head_ms=820.0, first_byte_ms=860.0, first_token_ms=of.first_token_ms, duration_ms=of.duration_ms,
        model=of.model, finish_reasons=["tool_use"], text=ANSWER, input_tokens=of.input_tokens,
        output_tokens=of.output_tokens, body=body, body_bytes=len(body), error=of.error, error_type=of.error_type,
    )  # fmt: skip


def delta(of: Flow, seq: int, text: str, kind: str = "text") -> StreamDelta:
    return StreamDelta(1, of.id, seq, kind, text)


def source() -> MemorySource:
    """Everything above, in a source."""
    made = MemorySource()
    for one in flows():
        made.kept[one.id] = one
        made.details[one.id] = detail(one)
    made.session_list = sessions()
    made.event_list = events()
    running = flows()[0]
    made.deltas_of[running.id] = [delta(running, 0, "I run the tests first. " * 30)]
    return made
