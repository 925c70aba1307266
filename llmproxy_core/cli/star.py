"""`llmproxy star`, `llmproxy unstar`: sessions that survive any retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli.surroundings import store, warn
from llmproxy_core.home import actor

if TYPE_CHECKING:
    from uuid import UUID

    from llmproxy_core.store.database import Database

NO_SUCH_SESSION = 4

Session = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="Its id or the client's own, or the id of one of its calls; the end or start will do.",
    ),
]


def star(session: Session) -> None:
    """Keep a session for good, whatever the retention says. Exit code 4 if there is none.

    \b
    Example:
      llmproxy star 3f9a01c2
    """
    _set(session, starred=True)


def unstar(session: Session) -> None:
    """Take the star of a session away.

    \b
    Example:
      llmproxy unstar 3f9a01c2
    """
    _set(session, starred=False)


def _set(text: str, *, starred: bool) -> None:
    from llmproxy_core.store import stars

    with store("llmproxy star") as database:
        session = _session(database, text)
        with database.raw() as connection:
            changed = stars.star(connection, session, actor(), starred=starred)
    word = "starred" if starred else "not starred"
    typer.echo(f"session {session}: {word}{'' if changed else ' already'}")


def _session(database: Database, text: str) -> UUID:
    from llmproxy_core.store import reads, stars

    with database.raw() as connection:
        found = stars.find(connection, text)
        if not found:
            with database.connect() as other:
                calls = reads.find_ids(other, text)
            sessions = {stars.session_of(connection, call) for call in calls}
            found = [session for session in sessions if session is not None]
    if len(found) != 1:
        warn(
            f"{text!r} is the start or end of {len(found)} sessions"
            if found
            else f"there is no session {text!r}"
        )
        raise typer.Exit(NO_SUCH_SESSION)
    return found[0]
