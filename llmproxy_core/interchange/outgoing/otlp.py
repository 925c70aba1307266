"""OpenTelemetry spans in OTLP's JSON, one ExportTraceServiceRequest a line, as a collector's
`otlpjsonfile` receiver and `/v1/traces` take them.

A session is a trace, a call is a span, the request that it continues is its parent. Attributes are
those of the GenAI conventions: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
Mapping of JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import batched
from typing import Any

from llmproxy_core.interchange.outgoing.call import Call
from llmproxy_core.interchange.outgoing.texts import dumps
from llmproxy_core.providers.operation import operation as operation_of

PER_LINE = 100
CLIENT = 3
OK, ERROR = 1, 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "watsonx": "ibm.watsonx.ai",
}
"""Names that the conventions spell in their own way; the others are ours."""
PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
    "stop": "stop_sequences",
    "stop_sequences": "stop_sequences",
    "generationConfig.temperature": "temperature",
    "generationConfig.topP": "top_p",
    "generationConfig.topK": "top_k",
    "generationConfig.maxOutputTokens": "max_tokens",
    "inferenceConfig.temperature": "temperature",
    "inferenceConfig.topP": "top_p",
    "inferenceConfig.maxTokens": "max_tokens",
}
FLOATS = {"temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty"}
COUNTERS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "cache_read.input_tokens",
    "cache_write_tokens": "cache_creation.input_tokens",
    "reasoning_tokens": "reasoning.output_tokens",
}


def lines(calls: Iterable[Call]) -> Iterator[bytes]:
    for group in batched(calls, PER_LINE):
        yield dumps(request(group)) + b"\n"


def request(calls: Iterable[Call]) -> dict[str, Any]:
    """An ExportTraceServiceRequest."""
    scope = {"name": "llmproxy", "version": version("llmproxy")}
    spans = {"scope": scope, "spans": [span(call) for call in calls]}
    resource = {"attributes": [_attribute("service.name", "llmproxy")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [spans]}]}


def span(call: Call) -> dict[str, Any]:
    flow, row = call.flow, call.answered
    begin = _ns(flow.started_at)
    end = max(begin, _ns(row.ended_at)) if row else begin
    operation = operation_of(call.asked.wire)
    told = {
        "traceId": flow.session_id.hex,
        "spanId": flow.id.hex[16:],
        "name": f"{operation} {call.request.model or flow.model or ''}".strip(),
        "kind": CLIENT,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(end),
        "attributes": [_attribute(name, value) for name, value in _attributes(call, operation)],
        "status": _status(call),
    }
    if call.asked.parent_id is not None:
        told["parentSpanId"] = call.asked.parent_id.hex[16:]
    return told


def _attributes(call: Call, operation: str) -> Iterator[tuple[str, Any]]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDERS.get(call.asked.provider, call.asked.provider),
        "gen_ai.request.model": call.request.model,
        "gen_ai.response.model": call.response.model,
        "gen_ai.response.id": call.response.id,
        "gen_ai.response.finish_reasons": call.response.finish_reasons,
        "gen_ai.conversation.id": str(call.flow.session_id),
        "server.address": call.asked.host,
        "server.port": call.asked.port,
        "http.request.method": call.asked.method,
        "http.response.status_code": call.flow.status,
        "error.type": _error_type(call),
        "llmproxy.id": str(call.flow.id),
        "llmproxy.external_id": call.asked.external_id,
        "llmproxy.namespace": call.flow.namespace,
        "llmproxy.namespace_prefix": call.flow.namespace_prefix,
        "llmproxy.left_alone": call.flow.left_alone,
        "llmproxy.tool_names": call.flow.tool_names,
        "llmproxy.client_tool_names": call.flow.client_tool_names,
        "llmproxy.wire": call.asked.wire,
        "llmproxy.relation": call.asked.relation,
        "llmproxy.first_token_ms": call.flow.first_token_ms,
        "llmproxy.cost_usd": None if call.flow.cost_usd is None else float(call.flow.cost_usd),
    }
    told |= {f"gen_ai.usage.{ours}": getattr(call.flow, field) for field, ours in COUNTERS.items()}
    told |= _parameters(call)
    return ((name, value) for name, value in told.items() if value not in (None, []))


def _parameters(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in call.request.parameters.items():
        if ours := PARAMETERS.get(name):
            if ours == "stop_sequences" and isinstance(value, str):
                value = [value]
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            found[f"gen_ai.request.{ours}"] = (
                float(value) if ours in FLOATS and is_number else value  # type: ignore[arg-type]
            )
    return found


def _error_type(call: Call) -> str | None:
    if call.flow.state in ("complete", "open"):
        return None
    return call.flow.error_type or "_OTHER"


def _status(call: Call) -> dict[str, Any]:
    if _error_type(call) is None:
        return {"code": OK} if call.answered else {}
    return {"code": ERROR, "message": call.flow.error or ""}


def _attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": _value(value)}


def _value(value: Any) -> dict[str, Any]:
    """An AnyValue: 64-bit integers are strings in JSON."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}


def _ns(when: datetime) -> int:
    return (when - EPOCH) // timedelta(microseconds=1) * 1000
