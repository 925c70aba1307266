"""HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/

Bodies are decoded, as HAR wants them; what is not text is in base64 (also of requests, where
`encoding` is our addition). Calls that were answered by nobody have status 0, as browsers write it.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl

from llmproxy_core.interchange.outgoing.call import Call
from llmproxy_core.interchange.outgoing.texts import base64_of, dumps, moment
from llmproxy_core.model import Headers, header
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.store.call_rows import ResponseRow

NOT_TOLD = -1


def document(calls: Iterable[Call]) -> Iterator[bytes]:
    """The pieces of the document."""
    creator = {"name": "llmproxy", "version": version("llmproxy")}
    yield b'{"log":{"version":"1.2","creator":' + dumps(creator) + b',"entries":['
    separator = b"\n"
    for call in calls:
        yield separator + dumps(entry(call))
        separator = b",\n"
    yield b"\n]}}\n"


def entry(call: Call) -> dict[str, Any]:
    timings = _timings(call.answered)
    return {
        "_id": str(call.flow.id),
        "_session": str(call.flow.session_id),
        **_names(call),
        "startedDateTime": moment(call.flow.started_at),
        "time": sum(part for part in timings.values() if part > 0),
        "request": _request(call),
        "response": _response(call),
        "cache": {},
        "timings": timings,
    }


def _names(call: Call) -> dict[str, Any]:
    """Whose it is, and the tools that the answer calls, where their names are not the client's."""
    flow, asked = call.flow, call.asked
    told: dict[str, Any] = {"_namespace": flow.namespace}
    if asked.left_alone:
        told["_left_alone"] = asked.left_alone
    if asked.namespace_prefix:
        told |= {"_namespace_prefix": asked.namespace_prefix, "_shortened": asked.shortened or {}}
        told |= {"_tool_names": flow.tool_names, "_client_tool_names": flow.client_tool_names}
    return told


def _timings(row: ResponseRow | None) -> dict[str, float]:
    """send: not told apart from wait; the parts add up to the whole duration."""
    whole = row.duration_ms if row and row.duration_ms is not None else 0.0
    wait = row.first_byte_ms if row and row.first_byte_ms is not None else whole
    return {"send": 0.0, "wait": wait, "receive": max(0.0, whole - wait)}


def _request(call: Call) -> dict[str, Any]:
    asked = call.asked
    told: dict[str, Any] = {
        "method": asked.method,
        "url": call.url,
        "httpVersion": asked.http_version,
        "cookies": [],
        "headers": _pairs(asked.headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(asked.path.partition("?")[2], keep_blank_values=True)
        ],
        "headersSize": NOT_TOLD,
        "bodySize": asked.body_bytes,
    }
    if asked.body:
        text, encoding = _text(asked.headers, asked.body)
        kind = header(asked.headers, "content-type") or "application/octet-stream"
        told["postData"] = {"mimeType": kind, "text": text} | encoding
    return told


def _response(call: Call) -> dict[str, Any]:
    row = call.answered
    headers, body = (row.headers, row.body) if row else ([], b"")
    text, encoding = _text(headers, body)
    content = {
        "size": len(decode_body(headers, body)[0]),
        "mimeType": header(headers, "content-type") or "",
        "text": text,
    }
    return {
        "status": (row.status if row else None) or 0,
        "statusText": (row.reason if row else None) or "",
        "httpVersion": (row.http_version if row else None) or "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": content | encoding,
        "redirectURL": header(headers, "location") or "",
        "headersSize": NOT_TOLD,
        "bodySize": row.body_bytes if row else NOT_TOLD,
    }


def _text(headers: Headers, body: bytes) -> tuple[str, dict[str, str]]:
    decoded, problem = decode_body(headers, body)
    data = body if problem else decoded
    try:
        return data.decode(), {}
    except UnicodeDecodeError:
        return base64_of(data), {"encoding": "base64"}


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
