"""`llmproxy patterns rename` and `merge`."""

from __future__ import annotations

from typing import Annotated

import typer

from llmproxy_core.cli import chosen
from llmproxy_core.cli.pattern_list import Which, told
from llmproxy_core.cli.surroundings import print_json, store
from llmproxy_core.home import actor
from llmproxy_core.tui import plain

AsJson = Annotated[bool, typer.Option("--json", help="The pattern as it is now, as an object.")]


def rename(
    which: Which,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new one; it stays.")],
    as_json: AsJson = False,
) -> None:
    """Give a pattern a name. Expressions know it by `pattern.name`; its id stays the same.

    \b
    Example:
      llmproxy patterns rename 3f9a01c2 "support triage"
    """
    from llmproxy_core.store import pattern_changes, patterns
    from llmproxy_core.store.database import driver

    with store("llmproxy patterns") as database:
        one = chosen.pattern(database, which)
        with database.connect() as connection:
            changed = pattern_changes.rename(driver(connection), one.ns_id, one.id, name, actor())
            (after,) = patterns.by_id(connection, [one.id])
    if as_json:
        print_json(told(after))
        return
    already = "" if changed else " already"
    typer.echo(f"{one.id.hex[-8:]}: {plain.line(after.name)}{already}")


def merge(
    which: Which,
    into: Annotated[
        str, typer.Argument(metavar="INTO", help="The pattern that stays: as the first one.")
    ],
    as_json: AsJson = False,
) -> None:
    """Let the calls of a pattern, those that come and those that were, count for another one.

    \b
    Example:
      llmproxy patterns merge "triage of mails" "support triage"
    """
    from llmproxy_core.store import pattern_changes, patterns
    from llmproxy_core.store.database import driver

    with store("llmproxy patterns") as database:
        one, heir = chosen.pattern(database, which), chosen.pattern(database, into)
        if one.ns_id != heir.ns_id:
            raise typer.BadParameter(
                f"they are of two namespaces, {one.namespace} and {heir.namespace}: patterns of one "
                "can be merged"
            )
        with database.connect() as connection:
            pattern_changes.merge(driver(connection), one.ns_id, one.id, heir.id, actor())
            (after,) = patterns.by_id(connection, [heir.id])
    if as_json:
        print_json(told(after))
        return
    typer.echo(f"{plain.line(one.name)} is {plain.line(heir.name)} from now on")
