"""One thing of the store by what a person calls it: a name, or the start or end of an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from llmproxy_core.cli.surroundings import warn
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from llmproxy_core.store.database import Database
    from llmproxy_core.store.enhancements import StoredEnhancement
    from llmproxy_core.store.experiments import StoredExperiment
    from llmproxy_core.store.patterns import PatternLine

NO_SUCH_THING = 4
LONGEST = 120
"""Characters of what was asked for, where it is told again."""
LISTED = 10


def pattern(database: Database, text: str) -> PatternLine:
    """Exits with code 4 where there is none, or are several; so do the others."""
    from llmproxy_core.store import patterns

    with database.connect() as connection:
        ids = patterns.find_ids(connection, text)
        found = patterns.by_id(connection, ids)
    if len(found) == 1:
        return found[0]
    raise unclear("pattern", text, [f"{one.id} {one.name}" for one in found], "patterns")


def enhancement(database: Database, text: str) -> StoredEnhancement:
    from llmproxy_core.store import enhancements

    with database.connect() as connection:
        found = enhancements.by_id(connection, enhancements.find_ids(connection, text))
    if len(found) == 1:
        return found[0]
    raise unclear("enhancement", text, [str(one.id) for one in found], "enhancements")


def experiment(database: Database, text: str) -> StoredExperiment:
    from llmproxy_core.store import experiments

    with database.connect() as connection:
        ids = experiments.find_ids(connection, text)
        found = experiments.by_id(connection, ids)
    named = [one for one in found if one.one.name == text]
    found = named if len(named) == 1 else found
    if len(found) == 1:
        return found[0]
    listed = [f"{one.id} {one.one.name}" for one in found]
    raise unclear("experiment", text, listed, "experiments")


def flow(database: Database, text: str) -> UUID:
    from llmproxy_core.store import reads

    with database.connect() as connection:
        return one_flow(reads.find_ids(connection, text), text)


def one_flow(ids: Sequence[UUID], text: str) -> UUID:
    """Of the calls that are called so."""
    if len(ids) == 1:
        return ids[0]
    raise unclear("call", text, list(map(str, ids)), "flows")


def unclear(what: str, text: str, found: Sequence[str], command: str) -> typer.Exit:
    """Says why nothing is chosen; to be raised."""
    command = "flows" if command == "flows" else f"{command} list"
    text = plain.line(text, LONGEST)
    if found:
        more = ", …" if len(found) > LISTED else ""
        listed = ", ".join(found[:LISTED])
        warn(f"{text!r} can be {len(found)} {what}s: {listed}{more}")
    else:
        warn(f"there is no {what} {text!r}; `llmproxy {command}` has them")
    return typer.Exit(NO_SUCH_THING)
