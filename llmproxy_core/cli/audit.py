"""`llmproxy audit`: what was done to the traffic, the store and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import print_json, store, warn
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from llmproxy_core.store.audit import Verdict

app = typer.Typer(
    help="The audit: list, verify.", invoke_without_command=True, rich_markup_mode=None
)

BROKEN = 1

Space = Annotated[
    str | None, typer.Option("--ns", metavar="NAME", help="One namespace; default: all.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As a list of objects.")]


@app.callback()
def audit(context: typer.Context) -> None:
    """What was done to the traffic, the store and the settings; `list` if no command is named."""
    if context.invoked_subcommand is None:
        show()


@app.command("list")
def show(
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many.")] = 50,
    namespace: Space = None,
    as_json: AsJson = False,
) -> None:
    """The newest events, oldest first.

    \b
    Example:
      llmproxy audit list -n 10
    """
    from llmproxy_core.store import audit as events

    with store("llmproxy audit") as database, database.raw() as connection:
        found = events.newest(connection, namespace=namespace, limit=limit)[::-1]
    if as_json:
        print_json(
            [
                {
                    "namespace": name, "seq": event.seq, "at": event.at, "actor": event.actor,
                    "action": event.action, "target": event.target, "detail": event.detail,
                    "hash": event.hash.hex(),
                }
                for name, event in found
            ]
        )  # fmt: skip
        return
    for name, event in found:
        at = event.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        place = plain.line(f"{name} {event.seq}")
        deed = plain.line(f"{event.actor}: {event.action} {event.target}")
        typer.echo(f"{at}  {place}  {deed}  {plain.line(_short(event.detail))}".rstrip())


@app.command()
def verify(
    namespace: Space = None,
    noted: Annotated[
        str | None,
        typer.Option("--noted", metavar="SEQ:HASH", help="A head noted earlier; needs --ns."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every event's hash and order. Exit code 1 names the first that is not as it was.

    Note the head elsewhere: with it, `--noted` proves later that nothing was cut off since.

    \b
    Example:
      llmproxy audit verify
      llmproxy audit verify --ns default --noted 12:9f86d081...
    """
    from llmproxy_core.store import audit as events

    if noted and not namespace:
        raise typer.BadParameter("--noted goes with --ns")
    with store("llmproxy audit") as database, database.raw() as connection:
        verdicts = events.verify(connection, namespace)
        missing = bool(noted) and not events.contains(connection, namespace or "", noted or "")
    if namespace and not verdicts:
        warn(f"there is no namespace {namespace!r}")
        raise typer.Exit(BROKEN)
    if as_json:
        print_json(verdicts)
    else:
        for verdict in verdicts:
            typer.echo(_sentence(verdict))
    if missing:
        warn(f"{noted} is not in the chain of {namespace}: events were changed or cut off since")
    if missing or any(verdict.broken_at is not None for verdict in verdicts):
        raise typer.Exit(BROKEN)


def _sentence(verdict: Verdict) -> str:
    if verdict.broken_at is not None:
        return f"{verdict.namespace}: BROKEN at event {verdict.broken_at}: {verdict.reason}"
    if not verdict.events:
        return f"{verdict.namespace}: no events"
    return f"{verdict.namespace}: {verdict.events} events in order; head {verdict.head}"


def _short(text: str, length: int = 120) -> str:
    if text == "{}":
        return ""
    return text if len(text) <= length else text[: length - 1] + "…"
