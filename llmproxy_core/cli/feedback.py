"""`llmproxy feedback`: what a person says of an answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli import chosen
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.home import actor

if TYPE_CHECKING:
    from uuid import UUID

    from llmproxy_core.store.database import Database


class Word(StrEnum):
    up = "up"
    down = "down"


def feedback(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Of a call, its start or end; or of its answer.")
    ],
    word: Annotated[Word, typer.Argument(metavar="up|down", help="Was the answer good?")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept beside it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As an object.")] = False,
) -> None:
    """Say whether an answer was good. It outweighs what else is seen of it; the last word holds.

    Exit code 4 if there is no such call, or are several. Programs can say so in a header of a later request: x-llmproxy-feedback: ID=up.

    \b
    Example:
      llmproxy feedback 3f9a01c2 down --why "it made up a law"
    """
    from llmproxy_core.store import feedback as said
    from llmproxy_core.store.database import driver
    from llmproxy_core.success.feedback import VERDICTS
    from llmproxy_core.tui import plain

    config, _ = settings()
    with store("llmproxy feedback") as database:
        call = _call(database, id)
        with database.connect() as connection:
            late = said.give(
                driver(connection), call, VERDICTS[word.value], actor(), why,
                config.learning.counting,
            )  # fmt: skip
    if as_json:
        print_json({"flow": call, "feedback": word.value, "why": why, "too_late_for": late})
        return
    typer.echo(f"{call.hex[-8:]}: {word.value}")
    for name in late:
        typer.echo(f"It is too late for the experiment {plain.line(name)}, which is decided.")


def _call(database: Database, id: str) -> UUID:
    from llmproxy_core.store import answers, reads

    with database.connect() as connection:
        ids = reads.find_ids(connection, id)
        if not ids and (found := answers.call_of(connection, id)) is not None:
            return found
    return chosen.one_flow(ids, id)
