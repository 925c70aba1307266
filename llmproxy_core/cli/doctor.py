"""`llmproxy doctor`: what works on this machine, what does not, and what to do about it."""

from typing import Annotated

import typer

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
) -> None:
    """Check ports, CA trust of every runtime found, database, backlog, versions.

    Trust is tried by really connecting to a provider through the proxy, without a key. Exit
    code 1 if anything has failed; warnings do not count.

    \b
    Example:
      llmproxy doctor
      llmproxy doctor --json | jq '.[] | select(.state != "ok")'
    """
    from llmproxy_core.cli.surroundings import print_json
    from llmproxy_core.clients.check import Check
    from llmproxy_core.clients.doctor import examine

    checks: list[Check] = []
    for check in examine():
        checks.append(check)
        if not as_json:
            _print(check.name, check.state, check.what, check.todo)
    if as_json:
        print_json(checks)
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(1)


def _print(name: str, state: str, what: str, todo: str) -> None:
    from llmproxy_core.tui import plain

    mark, colour = MARKS[state]
    typer.echo(f"{typer.style(mark, fg=colour)} {name:<22} {plain.block(what)}")
    if todo:
        typer.echo(f"  {'':<22} → {todo}")
