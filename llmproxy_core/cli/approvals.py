"""`llmproxy approvals`: calls that wait for a person."""

from __future__ import annotations

import queue
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.home import actor
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from llmproxy_core.store.approvals import Said
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.guard_rows import Approval
    from llmproxy_core.store.notify import Change

app = typer.Typer(
    help="Calls that wait for a person: list, approve, deny.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NO_SUCH_CALL = 4
HEADING = ("call", "asked", "left", "state", "policy", "namespace", "why it waits")

Id = Annotated[
    str, typer.Argument(metavar="ID", help="Of the call: whole, or its end, or its start.")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept beside it, for the audit.")]


@app.command("list", short_help="Those that wait, the most urgent first.")
def show(
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were decided, too, the newest first.")
    ] = False,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="With --all: how many.")] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then each that comes to wait, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="As a list of objects; with --follow, one a line.")
    ] = False,
) -> None:
    """Calls that wait for a person, the one with the least time first.

    \b
    Example:
      llmproxy approvals list
      llmproxy approvals list --follow
    """
    from llmproxy_core.store import approvals

    if follow and everything:
        raise typer.BadParameter("--follow goes without --all")
    with store("llmproxy approvals") as database:
        if follow:
            _follow(database, as_json=as_json)
            return
        with database.connect() as connection:
            found = (
                approvals.newest(connection, limit=limit)
                if everything
                else approvals.waiting(connection)
            )
    if as_json:
        print_json(found)
        return
    for line in aligned([HEADING, *map(_cells, found)]) if found else ["Nothing waits."]:
        typer.echo(line)


@app.command("approve", short_help="Let a call go on.")
def approve(id: Id, why: Why = "") -> None:
    """Let a call that waits go on. Exit code 4 if none waits by that ID.

    \b
    Example:
      llmproxy approvals approve 3f9a01c2
    """
    _decide(id, "approved", why)


@app.command("deny", short_help="Have it refused.")
def deny(id: Id, why: Why = "") -> None:
    """Have a call that waits refused; the program is told, with the reason.

    \b
    Example:
      llmproxy approvals deny 3f9a01c2 --why "not on this machine"
    """
    _decide(id, "denied", why)


def _decide(text: str, said: Said, why: str) -> None:
    from llmproxy_core.store import approvals
    from llmproxy_core.store.database import driver
    from llmproxy_core.worker.lock import worker_runs

    with store("llmproxy approvals") as database, database.connect() as connection:
        id = _waiting(database, text)
        approvals.decide(driver(connection), id, said, actor(), why)
    typer.echo(f"{id.hex[-8:]}: {said}")
    if not worker_runs(settings()[1]):
        warn("no worker runs in this home: the proxy does not hear of it before one does")


def _waiting(database: Database, text: str) -> UUID:
    """The call that waits by this id. Exits where there is none, or are several."""
    from llmproxy_core.store import approvals

    digits = text.strip().replace("-", "").lower()
    with database.connect() as connection:
        found = approvals.newest(connection, limit=1000)
    known = [
        one
        for one in found
        if digits and (one.request_id.hex.endswith(digits) or one.request_id.hex.startswith(digits))
    ]
    waiting = {one.request_id for one in known if one.state == "waiting"}
    waiting = waiting or {one.request_id for one in known}
    if len(waiting) != 1:
        many = f"{text!r} is the end or start of {len(waiting)} calls"
        warn(many if waiting else f"no call {text!r} waits; see `llmproxy approvals list`")
        raise typer.Exit(NO_SUCH_CALL)
    return waiting.pop()


def _follow(database: Database, *, as_json: bool) -> None:
    for one in _coming(database):
        if as_json:
            print_json(one, indent=False)
        else:
            typer.echo("  ".join(_cells(one)))
        sys.stdout.flush()  # a pipe's reader wants it now


def _coming(database: Database) -> Iterator[Approval]:
    """Each call that waits, once. Goes on for ever; Ctrl-C ends it."""
    from llmproxy_core.errors import DatabaseUnavailable
    from llmproxy_core.store import approvals
    from llmproxy_core.store.notify import Listener

    changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
    told: set[UUID] = set()
    listener = Listener(database, changes.put)
    try:
        while True:
            change = changes.get()
            if not change.overflow and not change.approvals:
                continue
            try:
                with database.connect() as connection:
                    found = approvals.waiting(connection)
            except DatabaseUnavailable:
                continue  # the listener connects again, too, and then reports an overflow
            yield from (one for one in found if one.request_id not in told)
            told = {one.request_id for one in found}
    finally:
        listener.close()


def _cells(one: Approval) -> tuple[str, ...]:
    left = (one.expires_at - datetime.now(UTC)).total_seconds()
    tool = f"{one.tool}: " if one.tool else ""
    state = f"{one.state} by {one.decided_by}" if one.decided_by else one.state
    return (
        one.request_id.hex[-8:],
        f"{one.asked_at.astimezone():%m-%d %H:%M:%S}",
        f"{left:.0f} s" if one.state == "waiting" else "",
        plain.line(state),
        plain.line(one.policy),
        plain.line(one.namespace),
        plain.line(f"{tool}{one.said}"),
    )
