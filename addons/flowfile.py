"""Flow files, as `mitmdump -w` writes them, for `llmproxy import`: a process of its own.

    python -m addons.flowfile < FILE

The core never imports mitmproxy; so this reads the file (mitmproxy brings older versions up to
date) and writes each flow to standard output: its size (4 bytes, big-endian), then a msgpack map.
The reader is `interchange/incoming/flowfile.py`. The last map says how it ended: {"end": "ok"}, or
{"end": what is wrong}. Not an addon: mitmproxy is not running.
"""

import struct
import sys
from typing import Any

import msgspec
from mitmproxy import exceptions, flow, http
from mitmproxy.io import FlowReader

from addons import bridge

SIZE = struct.Struct(">I")
LONGEST = 2**31
_encode = msgspec.msgpack.Encoder().encode


def main() -> int:
    try:
        for one in FlowReader(sys.stdin.buffer).stream():
            _write(_told(one))
        _write({"end": "ok"})
    except exceptions.FlowReadException as exc:
        _write({"end": str(exc) or "it cannot be read"})
    except BrokenPipeError:
        return 1
    except Exception as exc:  # noqa: BLE001 - mitmproxy trusts its files; whatever it raises is told
        _write({"end": f"{type(exc).__name__}: {exc}"})
    return 0


def _write(told: dict[str, Any]) -> None:
    data = _encode(told)
    if len(data) >= LONGEST:
        data = _encode({"kind": "flow of over 2 GiB"})
    sys.stdout.buffer.write(SIZE.pack(len(data)) + data)
    sys.stdout.buffer.flush()


def _told(one: flow.Flow) -> dict[str, Any]:
    if not isinstance(one, http.HTTPFlow):
        return {"kind": one.type}
    told = {"kind": "http", "id": one.id, "client": _client(one)} | _asked(one)
    if one.response is not None:
        told |= _answered(one.response)
    if one.error is not None:
        told |= {"error": one.error.msg, "ending": _ending(one.error.msg)}
    if one.websocket is not None:
        messages = one.websocket.messages
        told["frames"] = [(m.from_client, m.is_text, m.content, m.timestamp) for m in messages]
    return told


def _asked(one: http.HTTPFlow) -> dict[str, Any]:
    request = one.request
    hosts = [request.host] + ([one.client_conn.sni] if one.client_conn.sni else [])
    return {
        "url": _url(request),
        "hosts": hosts,
        "method": request.method,
        "http_version": request.http_version,
        "request_headers": bridge.headers(request.headers),
        "request_body": request.raw_content,
        "started_at": request.timestamp_start,
    }


def _answered(response: http.Response) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "reason": response.reason,
        "response_headers": bridge.headers(response.headers),
        "response_body": response.raw_content,
        "trailers": bridge.headers(response.trailers) if response.trailers else [],
        "first_at": response.timestamp_start,
        "ended_at": response.timestamp_end,
    }


def _ending(message: str) -> str:
    """Who ended it, as far as the words tell: in a file, every connection is closed by now."""
    words = message.lower()
    if "client disconnect" in words or words.startswith("stream reset by client"):
        return "client_closed"
    return "server_closed" if "server" in words else "error"


def _url(request: http.Request) -> str:
    host = request.pretty_host
    place = f"[{host}]" if ":" in host else host
    path = request.data.path.decode("utf-8", "backslashreplace")
    return f"{request.scheme}://{place}:{request.port}{path}"


def _client(one: http.HTTPFlow) -> str:
    return bridge.address(one.client_conn) if one.client_conn.peername else ""


if __name__ == "__main__":
    sys.exit(main())
