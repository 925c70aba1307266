"""Bodies as lines for a `TextPane`, whatever they are: JSON, streams of events, frames, bytes."""

from collections.abc import Callable, Iterator

import orjson

from llmproxy_core.model import Headers, header, mapping
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.eventstream import MessageReader, begins_eventstream
from llmproxy_core.providers.frames import payload
from llmproxy_core.providers.parsing import parse
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.widgets.text_pane import Line

SHOWN_BYTES = 2_000_000
HEX_BYTES = 65_536
ROW = 16
FRAME = (b'{"from":', b'{"from": ')
NOT_KEPT = {
    "head": "only the first bytes are stored: the body was larger than capture.max_body",
    "dropped": "the body is not stored: the journal was at its limit (spool.max_bytes, "
    "spool.min_free_bytes), the disk was full, or the imported file did not have it",
    "skeleton": "texts are not kept (capture = metadata): blanks stand for them",
}
"""Why a body is not stored in full, by `body_kept`."""


def body_lines(body: bytes, headers: Headers, kept: str, *, as_hex: bool = False) -> list[Line]:
    """Decoded and laid out; with `as_hex`, the bytes as they passed."""
    lines = [Line(NOT_KEPT[kept], "warn")] if kept in NOT_KEPT else []
    if not body:
        return lines or [Line("no body", "dim")]
    if as_hex:
        return [*lines, Line("as it passed; h shows what it means", "dim"), *hex_lines(body)]
    data, problem = decode_body(headers, body)
    if problem:
        lines.append(Line(plain.line(problem), "warn"))
    if len(data) > SHOWN_BYTES:
        size, shown = figures.size(len(data)), figures.size(SHOWN_BYTES)
        lines.append(Line(f"the first {shown} of {size}; o saves all of it", "warn"))
    kind = (header(headers, "content-type") or "").lower()
    return lines + list(_layout(data, kind)(data[:SHOWN_BYTES]))


def _layout(data: bytes, kind: str) -> Callable[[bytes], Iterator[Line]]:
    """How to show it: the first bytes tell, for announced types lie."""
    if begins_eventstream(data[:SHOWN_BYTES]):
        return _messages
    if data.startswith(FRAME):
        return _frames
    if "event-stream" in kind or data[:6] in (b"event:", b"data: "):
        return _events
    return _json_or_text


def pretty(data: bytes) -> list[str] | None:
    """JSON, indented; None: it is not JSON."""
    if data.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return plain.block(
            orjson.dumps(orjson.loads(data), None, orjson.OPT_INDENT_2).decode()
        ).split("\n")
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None  # not JSON, or nested too deeply to be laid out


def hex_lines(data: bytes) -> Iterator[Line]:
    for start in range(0, min(len(data), HEX_BYTES), ROW):
        row = data[start : start + ROW]
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield Line(f"{start:08x}  {row.hex(' '):<47}  {shown}", "dim")
    if len(data) > HEX_BYTES:
        shown = figures.size(HEX_BYTES)
        yield Line(f"the first {shown} of {figures.size(len(data))}; o saves all of it", "warn")


def _json_or_text(data: bytes) -> Iterator[Line]:
    laid_out = pretty(data)
    return _text(data) if laid_out is None else (Line(text, "json") for text in laid_out)


def _said(data: bytes) -> Iterator[Line]:
    """What one event, message or frame says."""
    for text in pretty(data) or plain.block(data.decode("utf-8", "replace")).split("\n"):
        yield Line(text, "json")


def _events(data: bytes) -> Iterator[Line]:
    for text in plain.block(data.decode("utf-8", "replace")).split("\n"):
        name, _, value = text.partition(":")
        if name == "data":
            yield Line(value.strip(), "json")
        else:
            yield Line(text, "busy" if name == "event" else "dim")


def _messages(data: bytes) -> Iterator[Line]:
    """AWS eventstream: the name and the payload of each message."""
    reader = MessageReader()
    yield Line("an AWS eventstream; h shows its bytes", "dim")
    for message in reader.feed(data):
        name = plain.line(f"{message.kind}: {message.name}")
        yield Line(name, "busy" if message.kind == "event" else "bad")
        yield from _said(_unwrapped(message.payload))
    if reader.problem:
        yield Line(plain.line(reader.problem), "warn")


def _unwrapped(data: bytes) -> bytes:
    """Models on Bedrock put their own event as base64 into `bytes`."""
    fields = mapping(parse(data)[0])
    return payload({"type": "binary", "data": fields.get("bytes")}) or data


def _frames(data: bytes) -> Iterator[Line]:
    """Frames of a WebSocket: who sent it, and what it says."""
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        frame = mapping(parse(line)[0])
        arrow = "→ client" if frame.get("from") == "client" else "← server"
        again = ", of an earlier turn" if frame.get("carried") else ""
        kind = plain.line(str(frame.get("type")), 20)
        yield Line(f"{arrow}, {kind}{again}", "busy" if arrow[0] == "→" else "good")
        said = payload(frame)
        if said or "data" in frame:
            yield from _json_or_text(said)
        else:
            yield from _said(line)


def _text(data: bytes) -> Iterator[Line]:
    text = data.decode("utf-8", "replace")
    if text.count("\ufffd") > len(text) // 20:
        yield from hex_lines(data)
        return
    for part in plain.block(text).split("\n"):
        yield Line(part, "json" if part.lstrip().startswith(("{", "[")) else "text")
