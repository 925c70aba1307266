"""Anomalies in words, made safe to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmproxy_core.plural import counted
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from llmproxy_core.store.guard_rows import Anomaly

HEADING = ("id", "time", "severity", "score", "family", "status", "times", "call", "found")


def cells(one: Anomaly) -> tuple[str, ...]:
    return (
        one.id.hex[-8:],
        f"{one.at.astimezone():%m-%d %H:%M:%S}",
        one.severity,
        f"{one.score:.2f}",
        plain.line(one.family),
        one.status.replace("_", " "),
        f"{one.times:,}",
        one.last_request_id.hex[-8:],
        plain.line(one.said, 100),
    )


def lines(one: Anomaly) -> list[str]:
    seen = f"{one.at.astimezone():%Y-%m-%d %H:%M:%S} in the call {one.request_id.hex[-8:]}"
    if one.times > 1:
        last = f"{one.last_at.astimezone():%Y-%m-%d %H:%M:%S}"
        seen += f", in {counted(one.times, 'call')}, the last at {last} in {one.last_request_id.hex[-8:]}"
    place = f"{one.kind} of {one.author}" + (f", tool {one.tool}" if one.tool else "")
    where = f"{one.side}: {place}, namespace {one.namespace}"
    told = [
        f"{one.said}",
        f"{one.severity} {one.family}, by {one.detector}, score {one.score:.2f}  {one.id}",
        f"seen: {seen}",
        f"where: {where}",
        f"status: {_status(one)}",
    ]
    shown = one.excerpt
    if shown:
        before, after = shown[: one.mark_start], shown[one.mark_end :]
        told.append(f"text: {before}>>>{one.evidence}<<<{after}")
    return [plain.line(line, 2000) for line in told]


def _status(one: Anomaly) -> str:
    said = one.status.replace("_", " ")
    if one.status_at is None:
        return said
    why = f": {one.status_why}" if one.status_why else ""
    return f"{said} by {one.status_by}, {one.status_at.astimezone():%Y-%m-%d %H:%M:%S}{why}"
