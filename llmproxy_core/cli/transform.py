"""`llmproxy transform`: what is changed in requests before they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmproxy_core.cli import learnt_words, table_options, transform_options, transform_trial
from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.ns_rules import when
from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.cli.transform_options import Name
from llmproxy_core.home import actor
from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from llmproxy_core.store.transformations import StoredTransformation

app = typer.Typer(
    help="Changes of requests: list, show, add, set, remove, on, off, test.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
HEADING = ("name", "order", "on", "used", "last", "from", "does", "when")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list", short_help="All, in their order, and how often they were used.")
def show_all(as_json: AsJson = False) -> None:
    """All transformations in the order in which they are done, and how often proxies did them.

    \b
    Example:
      llmproxy transform list
    """
    from llmproxy_core.store import transformations
    from llmproxy_core.store.database import driver

    config, _ = settings()
    with store("llmproxy transform") as database, database.connect() as connection:
        found = transformations.transformations(driver(connection))
    if as_json:
        print_json([transform_options.told(one) for one in found])
        return
    if found:
        for line in aligned([HEADING, *map(_cells, found)]):
            typer.echo(line)
    else:
        typer.echo(
            "There is no transformation. See `llmproxy transform add --help` and "
            "docs/transformations.md."
        )
    table_options.tell_of_file(
        config.source,
        config.transformations,
        {one.name for one in found if one.origin == "mitm.toml"},
        "transformation",
    )


@app.command("show", short_help="One, and where it can be done.")
def show(name: Name, as_json: AsJson = False) -> None:
    """One transformation: what it does, to which requests, and in which wire formats it can.

    \b
    Example:
      llmproxy transform show brief-triage
    """
    from llmproxy_core.store import transformation_changes
    from llmproxy_core.store.database import driver

    with store("llmproxy transform") as database, database.connect() as connection:
        one = transformation_changes.existing(driver(connection), name)
    wires = _wires(one)
    if as_json:
        print_json(transform_options.told(one) | {"wires": wires})
        return
    for key, value in transform_options.told(one).items():
        if key != "logic" and value not in (None, ""):
            typer.echo(learnt_words.field(key, value))
    for line in learnt_words.exact(one.logic):
        typer.echo(line)
    for wire, why in wires.items():
        typer.echo(learnt_words.field(wire, why or "can be done"))


@app.command("on", short_help="Switch one on.")
def on(name: Name, as_json: AsJson = False) -> None:
    """Let a transformation be done, also one that an experiment has won.

    \b
    Example:
      llmproxy transform on brief-triage
    """
    _switch(name, active=True, as_json=as_json)


@app.command("off", short_help="Switch one off.")
def off(name: Name, as_json: AsJson = False) -> None:
    """Let a transformation wait: requests go as they come.

    \b
    Example:
      llmproxy transform off brief-triage
    """
    _switch(name, active=False, as_json=as_json)


@app.command("remove", short_help="Take one away.")
def remove(name: Name, as_json: AsJson = False) -> None:
    """Take a transformation away. What it was done to stays on record.

    \b
    Example:
      llmproxy transform remove brief-triage
    """
    from llmproxy_core.store import transformation_changes
    from llmproxy_core.store.database import driver

    config, home = settings()
    transform_options.not_in_file(config, name)
    with store("llmproxy transform") as database, database.connect() as connection:
        gone = transformation_changes.remove(driver(connection), name, actor())
    if as_json:
        print_json(transform_options.told(gone))
        return
    typer.echo(f"{plain.line(name)} is no transformation any more. {when(home)}")


def _switch(name: str, *, active: bool, as_json: bool) -> None:
    from llmproxy_core.store import transformation_changes
    from llmproxy_core.store.database import driver

    config, home = settings()
    transform_options.not_in_file(config, name)
    with store("llmproxy transform") as database, database.connect() as connection:
        changed = transformation_changes.set_active(
            driver(connection), name, actor(), active=active
        )
        one = transformation_changes.existing(driver(connection), name)
    if as_json:
        print_json(transform_options.told(one))
        return
    word = f"{'on' if active else 'off'}{'' if changed else ' already'}"
    typer.echo(f"{plain.line(name)}: {word}. {when(home)}")


def _wires(one: StoredTransformation) -> dict[str, str]:
    """Why it cannot be done in each format; empty: it can."""
    from llmproxy_core.errors import LlmproxyError
    from llmproxy_core.store import transformations
    from llmproxy_core.transformations.transformation import checked

    try:
        return checked(transformations.checked(one.table(), one.name))
    except LlmproxyError as exc:
        warn(str(exc))
        return {}


def _cells(one: StoredTransformation) -> tuple[str, ...]:
    last = f"{one.last_used.astimezone():%m-%d %H:%M}" if one.last_used else figures.NONE
    return (
        plain.line(one.name),
        str(one.order),
        "on" if one.active else "off",
        f"{one.usage_count:,}",
        last,
        "experiment" if one.experiment else one.origin,
        learnt_words.operations(one.logic)[:60],
        plain.line(one.expression, 80),
    )


app.command("add", short_help="Add one.")(transform_options.add)
app.command("set", short_help="Change one.")(transform_options.change)
app.command("test", short_help="What one would change in stored calls.")(transform_trial.try_out)
