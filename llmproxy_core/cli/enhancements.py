"""`llmproxy enhancements`: what is suggested for patterns, and what people say of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from llmproxy_core.cli import chosen, learnt_words
from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.surroundings import print_json, settings, store, warn
from llmproxy_core.home import actor
from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmproxy_core.store.enhancements import StoredEnhancement
    from llmproxy_core.store.experiments import StoredExperiment

app = typer.Typer(
    help="Suggestions for patterns: list, show, approve, reject, reconsider, ask.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
HEADING = ("id", "pattern", "type", "for", "sure", "status", "did", "from", "edit")
POLL_SECONDS = 0.5


class StatusOption(StrEnum):
    open = "open"
    candidate = "candidate"
    approved = "approved"
    rejected = "rejected"
    experimenting = "experimenting"
    promoted = "promoted"
    rolled_back = "rolled_back"
    all = "all"


Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the start or end of it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept beside it, and audited.")]


@app.command("list", short_help="Those that wait for a person, and those under way.")
def show_all(
    status: Annotated[
        StatusOption, typer.Option("--status", help="open: it may still become something.")
    ] = StatusOption.open,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What is suggested, the newest first.

    \b
    Example:
      llmproxy enhancements list
      llmproxy enhancements list --status all --json
    """
    from llmproxy_core.store import enhancements

    known = enhancements.OPEN if status is StatusOption.open else enhancements.STATUSES
    statuses = [one for one in known if status.value in (one, "open", "all")]
    with store("llmproxy enhancements") as database, database.connect() as connection:
        found = enhancements.enhancements(connection, statuses, limit=limit)
    if as_json:
        print_json([_told(one) for one in found])
        return
    for line in aligned([HEADING, *map(_cells, found)]) if found else ["Nothing is suggested."]:
        typer.echo(line)


@app.command("show", short_help="One: its exact edit, why, and what became of it.")
def show(id: Id, as_json: AsJson = False) -> None:
    """One suggestion. Exit code 4 if there is none by that ID, or are several.

    \b
    Example:
      llmproxy enhancements show 3f9a01c2
    """
    from llmproxy_core.cli import effect_words
    from llmproxy_core.store import experiments

    with store("llmproxy enhancements") as database:
        one = chosen.enhancement(database, id)
        tried = [UUID(one.one.experiment_id)] if one.one.experiment_id else []
        with database.connect() as connection:
            trials = experiments.by_id(connection, tried)
    if as_json:
        effects = [effect_words.told(trial, one.one.aim) for trial in trials]
        print_json(_told(one) | (effects[0] if effects else {}))
        return
    for line in _lines(one, [*trials]):
        typer.echo(line)


@app.command("approve", short_help="Have it tried.")
def approve(id: Id, why: Why = "", as_json: AsJson = False) -> None:
    """Have a suggestion tried: half of its pattern's conversations get the edit from now on.

    It is promoted only if it is proven better, and rolled back by itself if it harms.

    \b
    Example:
      llmproxy enhancements approve 3f9a01c2
    """
    from llmproxy_core.store import experiment_changes
    from llmproxy_core.store.database import driver

    config, _ = settings()
    with store("llmproxy enhancements") as database:
        one = chosen.enhancement(database, id)
        with database.connect() as connection:
            begun = experiment_changes.approve(
                driver(connection), one.id, actor(), why, config.learning.counting
            )
        if as_json:
            print_json(_told(chosen.enhancement(database, str(one.id))))
            return
    if begun is None:
        typer.echo("approved; another experiment of its pattern is running, and goes first")
    else:
        typer.echo(f"approved; experiment {plain.line(begun.name)} has begun")


@app.command("reject", short_help="It is not to be tried.")
def reject(
    id: Id,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The advisor is told.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say that a suggestion is not to be tried. The same edit is not suggested again.

    \b
    Example:
      llmproxy enhancements reject 3f9a01c2 --why "too short for our customers"
    """
    from llmproxy_core.store import enhancement_changes
    from llmproxy_core.store.database import driver

    with store("llmproxy enhancements") as database:
        one = chosen.enhancement(database, id)
        with database.connect() as connection:
            enhancement_changes.reject(driver(connection), one.id, actor(), why or "not wanted")
        if as_json:
            print_json(_told(chosen.enhancement(database, str(one.id))))
            return
    typer.echo(f"{one.id.hex[-8:]}: rejected")


@app.command("reconsider", short_help="Think about it again.")
def reconsider(id: Id, why: Why = "", as_json: AsJson = False) -> None:
    """Make a candidate again of what was rejected or rolled back.

    \b
    Example:
      llmproxy enhancements reconsider 3f9a01c2
    """
    from llmproxy_core.store import enhancement_changes
    from llmproxy_core.store.database import driver

    with store("llmproxy enhancements") as database:
        one = chosen.enhancement(database, id)
        with database.connect() as connection:
            enhancement_changes.reconsider(
                driver(connection), one.id, actor(), why or "wanted after all"
            )
        if as_json:
            print_json(_told(chosen.enhancement(database, str(one.id))))
            return
    typer.echo(f"{one.id.hex[-8:]}: a candidate again")


@app.command("ask", short_help="Ask the advisor about a pattern.")
def ask(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="Its name or id.")],
    seconds: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="For what comes of it.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Let a worker ask the advisor what could be better in a pattern, whatever its rate of success.

    \b
    Example:
      llmproxy enhancements ask "support triage"
    """
    from llmproxy_core.store import pattern_changes
    from llmproxy_core.store.database import driver

    config, home = settings()
    if not config.advisor.enabled:
        raise typer.BadParameter(
            f"nobody is asked: advisor.enabled is not set in {config.source or home.path / 'mitm.toml'}; "
            "see docs/advisor.md"
        )
    begun = datetime.now(UTC)
    with store("llmproxy enhancements") as database:
        one = chosen.pattern(database, pattern)
        with database.connect() as connection:
            pattern_changes.want_advice(driver(connection), one.ns_id, one.id, actor())
        deadline = time.monotonic() + seconds
        said = None
        while said is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            with database.connect() as connection:
                said = pattern_changes.advice_since(driver(connection), one.ns_id, one.id, begun)
    if as_json:
        print_json({"pattern": one.id, "said": said})
        return
    if said is not None:
        typer.echo(plain.block(said) or "asked; `llmproxy enhancements list` has what came of it")
        return
    from llmproxy_core.cli.ns_rules import when

    warn(f"no answer yet. {when(home)}" if seconds else f"it will be asked. {when(home)}")


def _told(one: StoredEnhancement) -> dict[str, Any]:
    from llmproxy_core.enhancements import record

    told = record.to_json(one.one)
    return told | {
        "namespace": one.namespace,
        "pattern": one.pattern,
        "created_at": one.created_at,
    }


def _cells(one: StoredEnhancement) -> tuple[str, ...]:
    it = one.one
    did = f"{it.effectiveness_score:+.2f}" if it.effectiveness_score is not None else figures.NONE
    return (
        one.id.hex[-8:],
        plain.line(one.pattern, 32),
        it.type,
        it.aim,
        f"{it.confidence:.2f}",
        it.status.replace("_", " "),
        did,
        plain.line(it.source_engine, 32),
        learnt_words.operations(it.edit),
    )


def _lines(one: StoredEnhancement, trials: Sequence[StoredExperiment]) -> Iterator[str]:
    from llmproxy_core.cli import effect_words

    it = one.one
    yield f"{it.type} for {plain.line(one.pattern or it.pattern_id)}  {it.id}"
    yield learnt_words.field("status", it.status.replace("_", " "))
    yield learnt_words.field("from", f"{it.source_engine}, confidence {it.confidence:.2f}")
    if it.saving_usd_per_day is not None:
        yield learnt_words.field("saves", f"${it.saving_usd_per_day:,.2f} a day, estimated")
    if it.effectiveness_score is not None:
        yield learnt_words.field("effectiveness", f"{it.effectiveness_score:+.2f} of -1 to 1")
    if it.wires:
        yield learnt_words.field("wires", ", ".join(it.wires))
    if it.experiment_id:
        yield learnt_words.field("experiment", it.experiment_id)
    for trial in trials:
        yield from effect_words.lines(trial, it.aim)
    yield plain.block(it.reasoning)
    yield from learnt_words.exact(it.edit)
    for change in it.history:
        told = f"{change.after.replace('_', ' ')} by {change.who}: {change.why}"
        yield plain.line(f"{change.at.astimezone():%Y-%m-%d %H:%M}  {told}", 500)
