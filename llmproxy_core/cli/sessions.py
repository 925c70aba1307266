"""`llmproxy sessions`: conversations as trees, with what they cost and where caches were missed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli.surroundings import print_json, store, warn
from llmproxy_core.errors import StoreError

if TYPE_CHECKING:
    from uuid import UUID

    from llmproxy_core.conversations.cache import Miss
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.flows import Session
    from llmproxy_core.store.tree import TreeNode

NO_SUCH_SESSION = 4
LISTED = 10
EXPLAINED = 200
"""Requests, the latest, whose prompts are compared with those before them."""

app = typer.Typer(help="Conversations: list them, show one.", no_args_is_help=True)


@app.command("list")
def list_sessions(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The last so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """List the sessions, the one that was active last at the end.

    \b
    Example:
      llmproxy sessions list --limit 5
    """
    from llmproxy_core.cli import trees
    from llmproxy_core.store import reads

    with store("llmproxy sessions") as database, database.connect() as connection:
        found = reads.sessions(connection, limit=limit)
    for session in reversed(found):
        if as_json:
            print_json(session, indent=False)
        else:
            typer.echo(trees.session_line(session))


@app.command("show")
def show_session(
    session_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Whole, or the start or end of it; also of the client's."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one object.")] = False,
) -> None:
    """Show a session as a tree: turns, branches, sub-agents, missed prompt caches.

    Exit code 4 if there is no session, or several, by that ID.

    \b
    Example:
      llmproxy sessions show 3f9a01c2
    """
    from llmproxy_core.cli import trees
    from llmproxy_core.store import tree

    with store("llmproxy sessions") as database:
        session = _session(database, session_id)
        with database.connect() as connection:
            nodes = tree.tree(connection, session.ns_id, session.id)
        misses = _misses(database, session.ns_id, nodes)
    branches = tree.branches(nodes)
    if as_json:
        print_json(_whole(session, nodes, branches, misses))
    else:
        sys.stdout.write(trees.describe(session, nodes, branches, misses))


def _session(database: Database, id: str) -> Session:
    from llmproxy_core.store import reads, tree

    with database.connect() as connection:
        found = tree.find_sessions(connection, id.strip())
        session = reads.session(connection, found[0]) if len(found) == 1 else None
    if session is None:
        warn(_unclear(id, found))
        raise typer.Exit(NO_SUCH_SESSION)
    return session


def _unclear(id: str, found: list[UUID]) -> str:
    if not found:
        return f"there is no session {id!r}; `llmproxy sessions list` lists them"
    listed = ", ".join(map(str, found[:LISTED]))
    return f"{id!r} is the start or end of {len(found)} sessions: {listed}"


def _misses(database: Database, ns_id: int, nodes: list[TreeNode]) -> dict[UUID, Miss]:
    """Of those that may have missed a cache: they read less than the call before them sent."""
    from llmproxy_core.store import tree

    found: dict[UUID, Miss] = {}
    with database.connect() as connection:
        for node in [node for node in nodes if tree.may_miss(node)][-EXPLAINED:]:
            try:
                miss = tree.miss(connection, ns_id, node.id)
            except StoreError as exc:
                warn(f"{node.id}: its prompt cannot be compared: {exc}")
                continue
            if miss is not None:
                found[node.id] = miss
    return found


def _whole(
    session: Session, nodes: list[TreeNode], branches: list[Any], misses: dict[UUID, Miss]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "session": session,
        "branches": branches,
        "nodes": nodes,
        "misses": [
            {"id": id, "lost": miss.lost, "sentence": miss.sentence, **asdict(miss)}
            for id, miss in misses.items()
        ],
    }
