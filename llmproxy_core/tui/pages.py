"""Requests, answers, headers and differences as lines for a `TextPane`. Pure work, done in a thread."""

import difflib
from collections.abc import Iterator

from llmproxy_core.model import Headers, Message, Part
from llmproxy_core.store.flows import FlowDetail
from llmproxy_core.tui import figures, plain
from llmproxy_core.tui.body_lines import body_lines
from llmproxy_core.tui.reading import Reading, same
from llmproxy_core.tui.widgets.text_pane import Line

DIFF_LINES = 20_000


def _title(text: str) -> Line:
    return Line(plain.line(text), "strong")


def _note(text: str) -> Line:
    return Line(plain.line(text), "dim")


def request_page(detail: FlowDetail, *, as_hex: bool = False) -> list[Line]:
    row = detail.request
    lines = [_title(f"{row.method} {row.scheme}://{row.host}:{row.port}{row.path}")]
    changed = row.hash_in != row.hash_out
    fate = "changed on its way" if changed else "sent on as it came"
    lines += [_note(f"{figures.size(row.body_bytes)}, {row.http_version}, {fate}")]
    if row.parse_error:
        lines.append(Line(plain.line(row.parse_error), "warn"))
    return [*lines, Line(""), *body_lines(row.body, row.headers, row.body_kept, as_hex=as_hex)]


def response_page(detail: FlowDetail, *, as_hex: bool = False) -> list[Line]:
    row = detail.response
    if row is None:
        return [_note("No answer yet.")]
    lines = [_title(f"{row.status or 'no answer'} {row.reason or ''}")]
    fate = "changed on its way" if row.hash_in != row.hash_out else "passed on as it came"
    lines.append(_note(f"{figures.size(row.body_bytes)}, {row.http_version or ''}, {fate}"))
    if row.error:
        lines.append(Line(plain.line(f"{row.error_type or 'error'}: {row.error}", 2000), "bad"))
    return [*lines, Line(""), *body_lines(row.body, row.headers, row.body_kept, as_hex=as_hex)]


def headers_page(detail: FlowDetail) -> list[Line]:
    lines = [_title("Request"), *_fields(detail.request.headers)]
    if (row := detail.response) is not None:
        lines += [Line(""), _title(f"Response {row.status or ''}"), *_fields(row.headers)]
        if row.trailers:
            lines += [Line(""), _title("Trailers"), *_fields(row.trailers)]
    return lines


def _fields(headers: Headers) -> list[Line]:
    return [Line(plain.line(f"{name}: {value}", 8000), "field") for name, value in headers]


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
            lines += [_title(name), *unified(was, is_now), Line("")]
    return lines + unified(_told(old[kept:]), _told(new[kept:]))


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


def unified(old: list[str], new: list[str]) -> list[Line]:
    """The lines that differ, with three around them."""
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
