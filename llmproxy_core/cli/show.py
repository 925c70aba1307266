"""`llmproxy show`: one call, readable, as JSON, or its very bytes."""

from __future__ import annotations

import queue
import sys
import time
from contextlib import closing, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli.surroundings import print_json, store, warn

if TYPE_CHECKING:
    from uuid import UUID

    from llmproxy_core.model import Headers
    from llmproxy_core.store.call_lessons import CallLessons
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.flows import FlowDetail
    from llmproxy_core.store.notify import Change

NO_SUCH_FLOW = 4
DROPPED = "the journal was at its limit, or it could not be read to be masked"
LISTED = 10
LISTEN_SECONDS = 1.6
"""The worker looks once a second whether anybody listens."""


class Side(StrEnum):
    request = "request"
    response = "response"


def show(
    flow_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Whole, or so much of its end or start as is unique."),
    ],
    raw: Annotated[
        Side | None, typer.Option("--raw", help="Write exactly the stored bytes of this body.")
    ] = None,
    decoded: Annotated[
        bool, typer.Option("--decoded", help="With --raw: undo gzip, deflate, br, zstd.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything; bodies in base64.")] = False,
) -> None:
    """Show one call. Exit code 4 if there is none, or several, by that ID.

    \b
    Example:
      llmproxy show 3f9a01c2
      llmproxy show 3f9a01c2 --raw response --decoded | head
    """
    if decoded and raw is None:
        raise typer.BadParameter("--decoded goes with --raw request or --raw response")
    with store("llmproxy show") as database:
        detail = _detail(database, flow_id)
        if detail.flow.state == "open" and not detail.live:
            detail = _while_watched(database, detail)
        learnt = None if raw or as_json else _learnt(database, detail)
    if raw:
        _write_raw(detail, raw, decoded)
    elif learnt is None:
        print_json(detail)
    else:
        from llmproxy_core.cli.description import describe

        sys.stdout.write(describe(detail, learnt))


def _detail(database: Database, flow_id: str) -> FlowDetail:
    from llmproxy_core.store import reads

    with database.connect() as connection:
        ids = reads.find_ids(connection, flow_id.strip())
        detail = reads.flow(connection, ids[0]) if len(ids) == 1 else None
    if detail is None:
        warn(_unclear(flow_id, ids))
        raise typer.Exit(NO_SUCH_FLOW)
    return detail


def _learnt(database: Database, detail: FlowDetail) -> CallLessons:
    from llmproxy_core.store import call_lessons

    with database.connect() as connection:
        return call_lessons.of_call(connection, detail.flow.id)


def _while_watched(database: Database, detail: FlowDetail) -> FlowDetail:
    """The worker writes down the text of an open answer only while somebody listens."""
    from llmproxy_core.store import reads
    from llmproxy_core.store.notify import Listener

    heard: queue.SimpleQueue[Change] = queue.SimpleQueue()
    listener = Listener(database, heard.put)
    deadline = time.monotonic() + LISTEN_SECONDS
    with suppress(queue.Empty), closing(listener):
        while True:
            change = heard.get(timeout=max(0.0, deadline - time.monotonic()))
            if detail.flow.id in (*change.streamed, *change.ended):
                break
    with database.connect() as connection:
        return reads.flow(connection, detail.flow.id) or detail


def _unclear(flow_id: str, ids: list[UUID]) -> str:
    if not ids:
        return f"there is no flow {flow_id!r}; `llmproxy flows` lists them"
    listed = ", ".join(str(found) for found in ids[:LISTED])
    more = ", …" if len(ids) > LISTED else ""
    return f"{flow_id!r} is the start or end of {len(ids)} ids: {listed}{more}"


def _write_raw(detail: FlowDetail, side: Side, decoded: bool) -> None:
    row: Any = detail.request if side is Side.request else detail.response
    if row is None:
        warn("there is no answer yet")
        raise typer.Exit(NO_SUCH_FLOW)
    body = row.body
    if row.body_kept == "skeleton":
        warn("texts are not kept (capture = metadata): blanks stand for them")
    elif row.body_kept != "full":
        why = "capture.max_body" if row.body_kept == "head" else DROPPED
        warn(f"only the first {len(body)} of {row.body_bytes} bytes were kept ({why})")
    if masked := _masked(row.headers, body):
        warn(f"{masked} secrets are masked in it")
    if decoded:
        from llmproxy_core.providers.encoding import decode_body

        body, problem = decode_body(row.headers, body)
        if problem:
            warn(problem)
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


def _masked(headers: Headers, body: bytes) -> int:
    """Marks in a body."""
    from llmproxy_core.anomaly.marks import MARK
    from llmproxy_core.providers.encoding import decode_body

    plain = decode_body(headers, body)[0]
    return len(MARK.findall(plain.decode("utf-8", "replace"))) if b":fp_" in plain else 0
