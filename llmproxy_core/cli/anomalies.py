"""`llmproxy anomalies`: what was found in calls, and what people say of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.anomaly_options import (
    AsJson,
    Family,
    Ids,
    Severity,
    SeverityOption,
    Since,
    Space,
    StatusIs,
    StatusOption,
    Why,
    queue,
)
from llmproxy_core.cli.anomaly_words import HEADING, cells, lines
from llmproxy_core.cli.surroundings import print_json, store, warn
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import actor
from llmproxy_core.plural import counted
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from llmproxy_core.store.database import Database
    from llmproxy_core.store.guard_rows import Anomaly, Status

app = typer.Typer(
    help="What was found in calls: list, show, ack, resolve, false-positive, export, import.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NO_SUCH_ANOMALY = 4


@app.command("list", short_help="The queue, newest at the end.")
def show_all(
    status: StatusIs = StatusOption.open,
    severity: Severity = SeverityOption.low,
    family: Family = None,
    namespace: Space = None,
    since: Since = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What was found and nobody has settled yet, by its first appearance, the newest at the end.

    \b
    Example:
      llmproxy anomalies list --severity high --since 24h
      llmproxy anomalies list --status all --json
    """
    from llmproxy_core.store import anomalies

    wanted = queue(status, severity, family, namespace, since)
    with store("llmproxy anomalies") as database, database.connect() as connection:
        found = anomalies.anomalies(connection, wanted, limit=limit)[::-1]
    if as_json:
        print_json(found)
        return
    for line in aligned([HEADING, *map(cells, found)]) if found else ["Nothing is open."]:
        typer.echo(line)


@app.command("show", short_help="One, with its evidence.")
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Or its end, or its start.")],
    as_json: Annotated[bool, typer.Option("--json", help="As an object.")] = False,
) -> None:
    """One anomaly, with what stands around its evidence. Exit code 4 if there is none by that ID.

    \b
    Example:
      llmproxy anomalies show 3f9a01c2
    """
    with store("llmproxy anomalies") as database:
        (one,) = _found(database, [id])
    if as_json:
        print_json(one)
        return
    for line in lines(one):
        typer.echo(line)


@app.command("ack", short_help="Say that somebody looks at it.")
def acknowledge(ids: Ids, why: Why = "") -> None:
    """Say that somebody has seen it and looks at it.

    \b
    Example:
      llmproxy anomalies ack 3f9a01c2
    """
    _judge(ids, "acknowledged", why)


@app.command("resolve", short_help="It was right, and is dealt with.")
def resolve(ids: Ids, why: Why = "") -> None:
    """Say that it was right and is dealt with. Policies are measured by it.

    \b
    Example:
      llmproxy anomalies resolve 3f9a01c2 --why "the key was replaced"
    """
    _judge(ids, "resolved", why)


@app.command("false-positive", short_help="It was none.")
def false_positive(ids: Ids, why: Why = "") -> None:
    """Say that there was nothing to be found. It is not told of this text again, and thresholds learn.

    \b
    Example:
      llmproxy anomalies false-positive 3f9a01c2 --why "an example of the documentation"
    """
    _judge(ids, "false_positive", why)


@app.command("reopen", short_help="Back into the queue.")
def reopen(ids: Ids, why: Why = "") -> None:
    """Put it back into the queue.

    \b
    Example:
      llmproxy anomalies reopen 3f9a01c2
    """
    _judge(ids, "detected", why)


@app.command("export", short_help="As JSON lines.")
def export(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A file; default: standard output.")
    ] = None,
    status: StatusIs = StatusOption.all,
    severity: Severity = SeverityOption.low,
    family: Family = None,
    namespace: Space = None,
    since: Since = None,
) -> None:
    """Write anomalies as JSON lines, one each, with what people said of them. Secrets are masked.

    \b
    Example:
      llmproxy anomalies export --since 30d -o anomalies.jsonl
    """
    from llmproxy_core.interchange import anomaly_lines

    wanted = queue(status, severity, family, namespace, since)
    with store("llmproxy anomalies") as database:
        if output is None:
            anomaly_lines.write(database, wanted, sys.stdout.buffer)
            return
        with output.open("wb") as file:
            number = anomaly_lines.write(database, wanted, file)
    warn(f"{counted(number, 'anomaly', 'anomalies')} written to {output}")


@app.command("import", short_help="Out of JSON lines.")
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="- is standard input.")],
) -> None:
    """Store the anomalies that a file has which `export` wrote, with what people said of them.

    What is here already is counted, and keeps its status if somebody has given it one here.

    \b
    Example:
      llmproxy anomalies import anomalies.jsonl
    """
    from contextlib import nullcontext

    from llmproxy_core.interchange import anomaly_lines

    try:
        source = nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")  # noqa: SIM115
    except OSError as exc:
        raise LlmproxyError(f"cannot read {file}: {exc.strerror or exc}") from exc
    with source as opened, store("llmproxy anomalies") as database:
        number = anomaly_lines.read(database, opened, actor())
    typer.echo(counted(number, "anomaly", "anomalies"))


def _judge(ids: list[str], status: Status, why: str) -> None:
    from llmproxy_core.store import anomaly_changes
    from llmproxy_core.store.database import driver

    with store("llmproxy anomalies") as database:
        found = _found(database, ids)
        with database.connect() as connection:
            changed = anomaly_changes.judge(
                driver(connection), [one.id for one in found], status, actor(), why
            )
    for one in found:
        already = "" if one.id in changed else " already"
        typer.echo(
            f"{one.id.hex[-8:]}: {status.replace('_', ' ')}{already}: {plain.line(one.said)}"
        )


def _found(database: Database, texts: Sequence[str]) -> list[Anomaly]:
    """The anomaly of each text. Exits where there is none, or are several."""
    from llmproxy_core.store import anomalies

    ids: list[UUID] = []
    with database.connect() as connection:
        for text in texts:
            named = anomalies.find_ids(connection, text)
            if len(named) != 1:
                warn(_unclear(text, len(named)))
                raise typer.Exit(NO_SUCH_ANOMALY)
            ids += named
        found = {one.id: one for one in anomalies.by_id(connection, ids)}
    return [found[id] for id in dict.fromkeys(ids)]


def _unclear(text: str, found: int) -> str:
    if found:
        return f"{text!r} is the end or start of {found} anomalies"
    return f"there is no anomaly {text!r}; `llmproxy anomalies list` has them"
