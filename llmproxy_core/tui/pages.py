"""Bodies, headers and differences as lines for a `TextPane`. Pure work, done in a thread."""

import difflib
from collections.abc import Iterator

import orjson

from llmproxy_core.model import Headers, Message, Part, header
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.store.rows import FlowDetail
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.reading import Reading, same
from llmproxy_core.tui.widgets.text_pane import Line

SHOWN_BYTES = 2_000_000
DIFF_LINES = 20_000


def _title(text: str) -> Line:
    return Line(plain.line(text), "strong")


def _note(text: str) -> Line:
    return Line(plain.line(text), "dim")


def request_page(detail: FlowDetail) -> list[Line]:
    row = detail.request
    lines = [_title(f"{row.method} {row.scheme}://{row.host}:{row.port}{row.path}")]
    changed = row.hash_in != row.hash_out
    fate = "changed on its way" if changed else "sent on as it came"
    lines += [_note(f"{figures.size(row.body_bytes)}, {row.http_version}, {fate}")]
    if row.parse_error:
        lines.append(Line(plain.line(row.parse_error), "warn"))
    return [*lines, Line(""), *body_lines(row.body, row.headers, row.body_kept)]


def response_page(detail: FlowDetail) -> list[Line]:
    row = detail.response
    if row is None:
        return [_note("No answer yet.")]
    lines = [_title(f"{row.status or 'no answer'} {row.reason or ''}")]
    fate = "changed on its way" if row.hash_in != row.hash_out else "passed on as it came"
    lines.append(_note(f"{figures.size(row.body_bytes)}, {row.http_version or ''}, {fate}"))
    if row.error:
        lines.append(Line(plain.line(f"{row.error_type or 'error'}: {row.error}", 2000), "bad"))
    return [*lines, Line(""), *body_lines(row.body, row.headers, row.body_kept)]


def headers_page(detail: FlowDetail) -> list[Line]:
    lines = [_title("Request"), *_fields(detail.request.headers)]
    if (row := detail.response) is not None:
        lines += [Line(""), _title(f"Response {row.status or ''}"), *_fields(row.headers)]
        if row.trailers:
            lines += [Line(""), _title("Trailers"), *_fields(row.trailers)]
    return lines


def _fields(headers: Headers) -> list[Line]:
    return [Line(plain.line(f"{name}: {value}", 8000), "field") for name, value in headers]


def body_lines(body: bytes, headers: Headers, kept: str) -> list[Line]:
    """A body, decoded and laid out: JSON indented, streams by the event, anything else as text."""
    if not body:
        return [_note("no body")]
    data, problem = decode_body(headers, body)
    lines: list[Line] = []
    if kept == "head":
        lines.append(Line("only the first bytes are stored: the body was too large", "warn"))
    if problem:
        lines.append(Line(plain.line(problem), "warn"))
    if len(data) > SHOWN_BYTES:
        size, shown = figures.size(len(data)), figures.size(SHOWN_BYTES)
        lines.append(Line(f"the first {shown} of {size}; o saves all of it", "warn"))
    kind = (header(headers, "content-type") or "").lower()
    if "event-stream" in kind or data[:6] in (b"event:", b"data: "):
        return lines + list(_events(data[:SHOWN_BYTES]))
    if len(data) <= SHOWN_BYTES and (laid_out := pretty(data)) is not None:
        return lines + [Line(text, "json") for text in laid_out]
    return lines + list(_text(data[:SHOWN_BYTES]))


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


def _events(data: bytes) -> Iterator[Line]:
    for text in plain.block(data.decode("utf-8", "replace")).split("\n"):
        name, _, value = text.partition(":")
        if name == "data":
            yield Line(value.strip(), "json")
        else:
            yield Line(text, "busy" if name == "event" else "dim")


def _text(data: bytes) -> Iterator[Line]:
    text = data.decode("utf-8", "replace")
    if text.count("\ufffd") > len(text) // 20:
        for start in range(0, min(len(data), 65536), 16):
            row = data[start : start + 16]
            shown = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
            yield Line(f"{start:08x}  {row.hex(' '):<47}  {shown}", "dim")
        return
    for part in plain.block(text).split("\n"):
        yield Line(part, "json" if part.lstrip().startswith(("{", "[")) else "text")


def diff_page(now: Reading, before: Reading | None) -> list[Line]:
    """What this turn says that the one before it did not."""
    if before is None:
        return [
            _note("This is the first turn of its session: there is nothing to compare it with.")
        ]
    old, new = before.request.messages, now.request.messages
    kept = 0
    while kept < min(len(old), len(new)) and same(old[kept], new[kept]):
        kept += 1
    lines = [_title(_summary(kept, len(old) - kept, len(new) - kept)), Line("")]
    for name, was, is_now in _settings(before, now):
        if was != is_now:
            lines += [_title(name), *_unified(was, is_now), Line("")]
    return lines + _unified(_told(old[kept:]), _told(new[kept:]))


def _summary(kept: int, gone: int, added: int) -> str:
    parts = [f"{kept} message{'s' * (kept != 1)} as before"]
    if gone:
        parts.append(f"{gone} gone or changed")
    return ", ".join([*parts, f"{added} added"])


def _settings(before: Reading, now: Reading) -> Iterator[tuple[str, list[str], list[str]]]:
    one, other = before.request, now.request
    yield "Model", [str(one.model)], [str(other.model)]
    yield "System", list(_parts(one.system)), list(_parts(other.system))
    yield "Tools", [tool.name for tool in one.tools], [tool.name for tool in other.tools]
    yield (
        "Parameters",
        [f"{key} = {value}" for key, value in sorted(one.parameters.items())],
        [f"{key} = {value}" for key, value in sorted(other.parameters.items())],
    )


def _told(messages: list[Message]) -> list[str]:
    lines: list[str] = []
    for message in messages:
        lines += [f"── {message.role}", *_parts(message.parts)]
    return lines


def _parts(parts: list[Part]) -> Iterator[str]:
    for part in parts:
        if part.kind != "text":
            yield f"[{part.kind}{' ' + part.name if part.name else ''}]"
        yield from part.text.split("\n")


def _unified(old: list[str], new: list[str]) -> list[Line]:
    if len(old) + len(new) > DIFF_LINES:
        return [Line(f"too large to compare: {len(old)} and {len(new)} lines", "warn")]
    lines: list[Line] = []
    for text in list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]:
        text = plain.block(text)
        if text.startswith("@@"):
            lines.append(Line(text, "dim"))
        elif text.startswith("+"):
            lines.append(Line(text, "added"))
        else:
            lines.append(Line(text, "removed" if text.startswith("-") else "text"))
    return lines
