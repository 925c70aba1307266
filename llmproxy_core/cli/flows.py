"""`llmproxy flows`: the calls as a table or as JSON lines."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import print_json, store

if TYPE_CHECKING:
    from llmproxy_core.store.flows import Flow

PIPE_WIDTH = 240


def flows(
    expression: Annotated[
        str | None,
        typer.Option(
            "--filter", "-f", metavar="EXPR", help="As in the TUI: model:opus status:>=400 text"
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="The last so many.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on, with every call that ends, until Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """List the last calls, the newest last. `llmproxy show ID` tells more of one of them.

    \b
    Example:
      llmproxy flows --limit 50 --filter 'provider:anthropic cost:>0.05'
      llmproxy flows --follow --json | jq .model
    """
    from llmproxy_core.store import filters, reads

    where = filters.parse(expression) if expression else None
    with store("llmproxy flows") as database:
        with database.connect() as connection:
            found = reads.flows(connection, limit=limit, where=where) if limit else []
        output = Output(as_json)
        for flow in reversed(found):
            output.write(flow)
        if follow:
            from llmproxy_core.cli.follow import Follower

            output.flush()
            for flow in Follower(database, where, found).ended():
                output.write(flow)
                output.flush()


class Output:
    """A table with its heading, or NDJSON, on stdout."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.terminal = sys.stdout.isatty()
        self.begun = as_json

    def write(self, flow: Flow) -> None:
        if self.as_json:
            print_json(flow, indent=False)
            return
        from llmproxy_core.cli import columns

        if not self.begun:
            typer.secho(columns.heading(), bold=True)
            self.begun = True
        width = shutil.get_terminal_size().columns if self.terminal else PIPE_WIDTH
        typer.secho(columns.line(flow, width), fg=columns.STATE_COLOURS.get(flow.state))

    def flush(self) -> None:
        sys.stdout.flush()
