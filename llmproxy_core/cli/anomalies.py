"""`llmproxy anomalies`: what was found in calls, and what people say of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.since import moment
from llmproxy_core.cli.surroundings import print_json, store, warn
from llmproxy_core.home import actor
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from llmproxy_core.store.anomalies import Queue
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.guard_rows import Anomaly, Status

app = typer.Typer(
    help="What was found in calls: list, show, ack, resolve, false-positive, export, import.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NO_SUCH_ANOMALY = 4
HEADING = ("id", "time", "severity", "score", "family", "status", "times", "call", "found")


class StatusOption(StrEnum):
    open = "open"
    detected = "detected"
    acknowledged = "acknowledged"
    resolved = "resolved"
    false_positive = "false_positive"
    all = "all"


class SeverityOption(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class FamilyOption(StrEnum):
    secret = "secret"  # noqa: S105  the name of a family
    pii = "pii"
    injection = "injection"
    indirect_injection = "indirect_injection"
    jailbreak = "jailbreak"
    exfiltration = "exfiltration"
    hidden_text = "hidden_text"
    dangerous_tool = "dangerous_tool"
    unusual_use = "unusual_use"


Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Whole, or so much of the end or start as is unique."),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept beside it, for the audit.")]
StatusIs = Annotated[StatusOption, typer.Option("--status", help="open: nobody has settled it.")]
Severity = Annotated[
    SeverityOption, typer.Option("--severity", help="This one, and those that are worse.")
]
Family = Annotated[
    list[FamilyOption] | None, typer.Option("--family", help="May be given several times.")
]
Space = Annotated[str | None, typer.Option("--ns", metavar="NAME", help="Of one namespace.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help="24h, 7d, 2w, or a date: 2026-05-17.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As a list of objects.")]


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

    wanted = _queue(status, severity, family, namespace, since)
    with store("llmproxy anomalies") as database, database.connect() as connection:
        found = anomalies.anomalies(connection, wanted, limit=limit)[::-1]
    if as_json:
        print_json(found)
        return
    for line in aligned([HEADING, *map(_cells, found)]) if found else ["Nothing is open."]:
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
    for line in _lines(one):
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

    wanted = _queue(status, severity, family, namespace, since)
    with store("llmproxy anomalies") as database:
        if output is None:
            anomaly_lines.write(database, wanted, sys.stdout.buffer)
            return
        with output.open("wb") as file:
            number = anomaly_lines.write(database, wanted, file)
    warn(f"{number:,} anomalies written to {output}")


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

    lines = nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")  # noqa: SIM115
    with lines as opened, store("llmproxy anomalies") as database:
        number = anomaly_lines.read(database, opened, actor())
    typer.echo(f"{number:,} anomalies")


def _queue(
    status: StatusOption,
    severity: SeverityOption,
    family: list[FamilyOption] | None,
    namespace: str | None,
    since: str | None,
) -> Queue:
    from llmproxy_core.store.anomalies import Queue
    from llmproxy_core.store.guard_rows import OPEN, SEVERITIES, STATUSES

    several: dict[StatusOption, tuple[Status, ...]] = {
        StatusOption.open: OPEN,
        StatusOption.all: STATUSES,
    }
    chosen = several.get(status) or tuple(one for one in STATUSES if one == status.value)
    worse = SEVERITIES[[str(one) for one in SEVERITIES].index(severity.value) :]
    begin = moment(since, datetime.now(UTC)) if since else None
    return Queue(chosen, worse, [one.value for one in family or ()], namespace, begin)


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


def _cells(one: Anomaly) -> tuple[str, ...]:
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


def _lines(one: Anomaly) -> list[str]:
    seen = f"{one.at.astimezone():%Y-%m-%d %H:%M:%S} in the call {one.request_id.hex[-8:]}"
    if one.times > 1:
        last = f"{one.last_at.astimezone():%Y-%m-%d %H:%M:%S}"
        seen += f", in {one.times:,} calls, the last at {last} in {one.last_request_id.hex[-8:]}"
    place = f"{one.kind} of {one.author}" + (f", tool {one.tool}" if one.tool else "")
    where = f"{one.side}: {place}, namespace {one.namespace}"
    lines = [
        f"{one.said}",
        f"{one.severity} {one.family}, by {one.detector}, score {one.score:.2f}  {one.id}",
        f"seen: {seen}",
        f"where: {where}",
        f"status: {_status(one)}",
    ]
    shown = one.excerpt
    if shown:
        before, after = shown[: one.mark_start], shown[one.mark_end :]
        lines.append(f"text: {before}>>>{one.evidence}<<<{after}")
    return [plain.line(line, 2000) for line in lines]


def _status(one: Anomaly) -> str:
    said = one.status.replace("_", " ")
    if one.status_at is None:
        return said
    why = f": {one.status_why}" if one.status_why else ""
    return f"{said} by {one.status_by}, {one.status_at.astimezone():%Y-%m-%d %H:%M:%S}{why}"
