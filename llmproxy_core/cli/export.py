"""`llmproxy export`: calls out of the store, for other programs."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from llmproxy_core.cli import chosen
from llmproxy_core.cli.surroundings import settings, store, warn
from llmproxy_core.plural import counted

if TYPE_CHECKING:
    from llmproxy_core.store.database import Database

NO_SUCH_FLOW = 4


class FileFormat(StrEnum):
    jsonl = "jsonl"
    har = "har"
    openai_ft = "openai-ft"
    otlp_json = "otlp-json"


def export(
    session: Annotated[
        UUID | None, typer.Option("--session", help="Of this session.", show_default=False)
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            "--id", metavar="ID", help="This call; several are possible.", show_default=False
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="7d (ago), 2026-11-01, or an ISO time.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before it.")] = None,
    expression: Annotated[
        str | None, typer.Option("--filter", "-f", metavar="EXPR", help="As in the TUI.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--ns", metavar="NAME", help="Of this namespace.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option("--pattern", metavar="NAME", help="Of this pattern, or its id.")
    ] = None,
    good: Annotated[
        bool, typer.Option("--good", help="Only calls that signals call a success.")
    ] = False,
    bodies: Annotated[
        bool, typer.Option("--bodies", help="jsonl: headers, and bodies in base64, too.")
    ] = False,
    kind: Annotated[FileFormat, typer.Option("--format", help="See docs/export.md.")] = (
        FileFormat.jsonl
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: stdout.")
    ] = None,
) -> None:
    """Write calls, the oldest first: all of them, or those that all options choose.

    What goes to a file is readable by you alone. Exit code 4 if --id names no call.

    \b
    Example:
      llmproxy export --since 7d --bodies -o week.jsonl
      llmproxy export --format har --filter 'provider:anthropic is:error' -o errors.har
      llmproxy export --format openai-ft --pattern "support triage" --good > examples.jsonl
    """
    from llmproxy_core.interchange.outgoing import exporting, moments
    from llmproxy_core.store import filters
    from llmproxy_core.store.selection import Selection

    if bodies and kind is not FileFormat.jsonl:
        raise typer.BadParameter("--bodies goes with --format jsonl")
    now = datetime.now(UTC)
    with store("llmproxy export") as database:
        selection = Selection(
            since=moments.read(since, now) if since else None,
            until=moments.read(until, now) if until else None,
            session=session,
            ids=_whole(database, ids) if ids else (),
            namespace=namespace,
            where=filters.parse(expression) if expression else None,
            pattern=chosen.pattern(database, pattern).id if pattern else None,
            good=good,
            counting=frozenset(settings()[0].learning.counting),
        )
        form = exporting.Format(kind.value)
        written = exporting.export(database, selection, form, output, bodies=bodies)
    if output is not None or written.left_out:
        warn(f"{counted(written.calls, 'call')} written")
    for reason, number in written.left_out.most_common():
        warn(f"{number} left out: {reason}")


def _whole(database: "Database", ids: list[str]) -> tuple[UUID, ...]:
    from llmproxy_core.store import reads

    whole = []
    with database.connect() as connection:
        for text in ids:
            found = reads.find_ids(connection, text)
            if len(found) != 1:
                number = "no" if not found else "not the only"
                warn(f"{text[:64]!r} is {number} call; see `llmproxy flows`")
                raise typer.Exit(NO_SUCH_FLOW)
            whole += found
    return tuple(whole)
