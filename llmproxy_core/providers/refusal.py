"""Refusals of ours in the words of each provider, so that its SDKs raise their usual exceptions.

Sources: platform.openai.com/docs/guides/error-codes; docs.anthropic.com/en/api/errors;
google.rpc.Status and cloud.google.com/apis/design/errors; API_runtime_Converse and CommonErrors of
Amazon Bedrock; docs.cohere.com/reference/errors; github.com/ollama/ollama, docs/api.md. What nobody
knows is refused as OpenAI does it: most of the others speak that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Literal

from llmproxy_core.model import Headers, Json
from llmproxy_core.providers.parsing import dumps

type Kind = Literal[
    "bad_request", "unauthorized", "forbidden", "too_large", "rate_limited", "unavailable"
]
STATUSES: dict[Kind, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "too_large": 413,
    "rate_limited": 429,
    "unavailable": 503,
}
PATIENCE = 60
"""Seconds of Retry-After that the SDKs of OpenAI and Anthropic wait; longer ones they ignore."""

OPENAI: dict[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("request_forbidden", None),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("requests", "rate_limit_exceeded"),
}
ANTHROPIC = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
GOOGLE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
AWS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    413: "RequestEntityTooLargeException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer: `headers` without those that HTTP itself needs, such as Content-Length."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class _Fault:
    status: int
    message: str
    wait: int | None = None
    id: str = ""


def refusal(
    wire: str, kind: Kind, message: str, retry_after: float | None = None, id: str = ""
) -> Refusal:
    """`message` is what the program's exception says. `retry_after` in seconds.

    `id` is shown as the request's id by the SDKs that show one.
    """
    family = _family(wire)
    wait = None if retry_after is None else max(1, ceil(retry_after))
    fault = _Fault(STATUSES[kind], message, wait, id)
    headers = [("Content-Type", family.content_type)]
    if wait is not None:
        headers.append(("Retry-After", str(wait)))
        if wait > PATIENCE and family.retries:
            headers.append(("x-should-retry", "false"))
    if id:
        headers.append((family.id_header, id))
    if family is BEDROCK:
        headers.append(("x-amzn-ErrorType", AWS[fault.status]))
    return Refusal(fault.status, headers, dumps(family.body(fault)).encode("utf-8", "replace"))


def error_body(wire: str, status: int, message: str, id: str = "") -> dict[str, Json]:
    """The JSON of an error with any status, as the provider words it."""
    return _family(wire).body(_Fault(status, message, id=id))


def refusal_frame(wire: str, kind: Kind, message: str, id: str = "") -> str | None:
    """The text of a WebSocket message that refuses a turn.

    None for protocols that have no words for it (Gemini's): there the connection is to be closed
    with code 1008 and the message as its reason.
    """
    if not wire.startswith("openai."):
        return None
    status = STATUSES[kind]
    frame: dict[str, Json] = {"type": "error", **_openai(_Fault(status, message))}
    if wire == "openai.realtime":
        frame["event_id"] = id or "event_refused"
    else:
        frame["status"] = status
    return dumps(frame)


def _openai(fault: _Fault) -> dict[str, Json]:
    other = "invalid_request_error" if fault.status < 500 else "server_error"
    kind, code = OPENAI.get(fault.status, (other, None))
    return {"error": {"message": fault.message, "type": kind, "param": None, "code": code}}


def _anthropic(fault: _Fault) -> dict[str, Json]:
    other = "invalid_request_error" if fault.status < 500 else "api_error"
    error: Json = {"type": ANTHROPIC.get(fault.status, other), "message": fault.message}
    return {"type": "error", "error": error, "request_id": fault.id or None}


def _google(fault: _Fault) -> dict[str, Json]:
    """The time to wait stands in the body, too: Google's own programs read it there."""
    other = "INVALID_ARGUMENT" if fault.status < 500 else "INTERNAL"
    word = GOOGLE.get(fault.status, other)
    error: dict[str, Json] = {"code": fault.status, "message": fault.message, "status": word}
    if fault.wait is not None:
        error["details"] = [{"@type": RETRY_INFO, "retryDelay": f"{fault.wait}s"}]
    return {"error": error}


def _bare(fault: _Fault) -> dict[str, Json]:
    return {"message": fault.message}


def _ollama(fault: _Fault) -> dict[str, Json]:
    return {"error": fault.message}


@dataclass(frozen=True, slots=True)
class _Family:
    """`retries`: its SDKs try again by themselves, unless `x-should-retry` says no."""

    body: Callable[[_Fault], dict[str, Json]]
    id_header: str = "x-request-id"
    content_type: str = "application/json"
    retries: bool = False


OPENAI_LIKE = _Family(_openai, retries=True)
GEMINI = _Family(_google, content_type="application/json; charset=UTF-8")
BEDROCK = _Family(_bare, "x-amzn-RequestId")
FAMILIES = {
    "anthropic": _Family(_anthropic, "request-id", retries=True),
    "gemini": GEMINI,
    "vertex": GEMINI,
    "bedrock": BEDROCK,
    "cohere": _Family(_bare),
    "ollama": _Family(_ollama),
}
"""By the first word of a wire format's name; others: as OpenAI."""


def _family(wire: str) -> _Family:
    return FAMILIES.get(wire.partition(".")[0], OPENAI_LIKE)
