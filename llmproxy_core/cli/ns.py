"""`llmproxy ns`: namespaces, their rules, and whose a call would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import ns_calls, ns_rules
from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.home import actor
from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from llmproxy_core.config import Config
    from llmproxy_core.store.namespaces import Space, Use

app = typer.Typer(
    help="Namespaces: list, add, set, remove, rename, who, test.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
HEADING = ("name", "prefix", "calls", "last call", "rule from", "rule")

AsJson = Annotated[bool, typer.Option("--json", help="As a list of objects.")]


@app.command("list", short_help="All, with their rules and their use.")
def show(as_json: AsJson = False) -> None:
    """All namespaces, in the order in which their rules are tried, and how much they are used.

    \b
    Example:
      llmproxy ns list
    """
    from llmproxy_core.store.database import driver
    from llmproxy_core.store.namespaces import spaces, uses

    with store("llmproxy ns") as database, database.connect() as connection:
        found, used = spaces(driver(connection)), uses(driver(connection))
    rows = [_row(space, used.get(space.ns_id)) for space in found]
    if as_json:
        print_json(rows)
        return
    lines = [HEADING, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    _tell_of_file(settings()[0], found)


def remove(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Take the rule of a namespace away. Its calls stay, and new ones go elsewhere.

    \b
    Example:
      llmproxy ns remove payments
    """
    from llmproxy_core.store import namespace_changes
    from llmproxy_core.store.database import driver

    config, home = settings()
    if any(written.name == name for written in config.namespaces):
        raise typer.BadParameter(f"{config.source} has the rule for {name}: take it out there")
    with store("llmproxy ns") as database, database.connect() as connection:
        namespace_changes.remove(driver(connection), name, actor())
    typer.echo(f"{name} has no rule any more. {ns_rules.when(home)}")


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD")],
    new: Annotated[str, typer.Argument(metavar="NEW")],
) -> None:
    """Call a namespace something else. Its calls and its rule stay with it.

    What still has the old name, a proxy or a journal that waits, goes on writing into it.

    \b
    Example:
      llmproxy ns rename payments treasury
    """
    from llmproxy_core.cli.rule_words import checked
    from llmproxy_core.store import namespace_changes
    from llmproxy_core.store.database import driver

    checked({"name": new})
    config, _ = settings()
    if any(written.name == new for written in config.namespaces):
        raise typer.BadParameter(f"{config.source} has a namespace {new} already")
    with store("llmproxy ns") as database, database.connect() as connection:
        namespace_changes.rename(driver(connection), old, new, actor())
    typer.echo(f"{old} is now {new}")
    if any(written.name == old for written in config.namespaces):
        warn(f"{config.source} still says {old}; its calls are in {new} all the same")


def _row(space: Space, use: Use | None) -> dict[str, Any]:
    from llmproxy_core.cli.rule_words import words

    return {
        "name": space.name,
        "prefix": space.prefix or "",
        "rule": words(space.rule) if space.source or space.name == "default" else "",
        "match": space.match or {},
        "reserved": space.reserved or [],
        "on_too_long": space.on_too_long,
        "plain_text": bool(space.plain_text),
        "capture": space.capture or "full",
        "source": space.source,
        "home": space.home,
        "former_names": space.former_names,
        "calls": use.calls if use else 0,
        "last_at": use.last_at if use else None,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    last = row["last_at"]
    return (
        plain.line(row["name"]),
        plain.line(row["prefix"]) or figures.NONE,
        str(row["calls"]),
        f"{last.astimezone():%Y-%m-%d %H:%M}" if last else figures.NONE,
        row["source"] or figures.NONE,
        plain.line(row["rule"]),
    )


def _tell_of_file(config: Config, found: list[Space]) -> None:
    """The worker brings rules of the file into the table."""
    shown = [space for space in found if space.source == "mitm.toml"]
    missing = [
        written.name
        for written in config.namespaces
        if not any(space.is_called(written.name) for space in shown)
    ]
    if missing:
        warn(
            f"{config.source} has rules for {', '.join(missing)}, too; they are listed here as "
            "soon as a worker has seen them"
        )


app.command("add", short_help="Give a namespace a rule.")(ns_rules.add)
app.command("set", short_help="Change the rule of a namespace.")(ns_rules.change)
app.command("remove", short_help="Take its rule away; its calls stay.")(remove)
app.command("rename", short_help="Call it something else.")(rename)
app.command("who", short_help="In which one such a call would be.")(ns_calls.who)
app.command("test", short_help="How calls would be sent, and come back.")(ns_calls.try_out)
