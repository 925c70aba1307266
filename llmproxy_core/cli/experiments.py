"""`llmproxy experiments`: what is tried, how it goes, and what becomes of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import chosen, learnt_words
from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.home import actor
from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmproxy_core.experiments.experiment import Experiment
    from llmproxy_core.store.database import Database
    from llmproxy_core.store.experiments import Arm, StoredExperiment

app = typer.Typer(
    help="Experiments with conversations: list, show, start, stop, promote.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
HEADING = ("id", "name", "pattern", "status", "good/judged", "since", "so far")


class StatusOption(StrEnum):
    draft = "draft"
    running = "running"
    won = "won"
    harmful = "harmful"
    futile = "futile"
    stopped = "stopped"
    promoted = "promoted"
    rolled_back = "rolled_back"
    all = "all"


Which = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="Its name, or the start or end of its id.")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept beside it, and audited.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list", short_help="Those that run first, then the newest.")
def show_all(
    status: Annotated[
        StatusOption, typer.Option("--status", help="Those that are so.")
    ] = StatusOption.all,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What is tried or was, and how it goes: successes of judged conversations in each arm.

    \b
    Example:
      llmproxy experiments list --status running
    """
    from llmproxy_core.experiments.experiment import STATUSES
    from llmproxy_core.store import experiments

    statuses = [one for one in STATUSES if status.value in (one, "all")]
    with store("llmproxy experiments") as database, database.connect() as connection:
        found = experiments.experiments(connection, statuses, limit=limit)
    if as_json:
        print_json([_told(one) for one in found])
        return
    for line in table(found) if found else ["Nothing was tried yet."]:
        typer.echo(line)


@app.command("show", short_help="One: arms, verdict, guards, steps.")
def show(which: Which, as_json: AsJson = False) -> None:
    """One experiment: who gets what, how it goes, what it says so far, what was done with it.

    Exit code 4 if there is none, or are several.

    \b
    Example:
      llmproxy experiments show clarification-brief-3f9a01
    """
    from llmproxy_core.cli import effect_words
    from llmproxy_core.store import experiments

    with store("llmproxy experiments") as database:
        one = chosen.experiment(database, which)
        with database.connect() as connection:
            arms = experiments.arms(connection, one.ns_id, one.id)
            aim = experiments.aim(connection, one)
    if as_json:
        print_json(_told(one) | effect_words.told(one, aim) | {"arms": arms})
        return
    for line in _lines(one, arms, effect_words.lines(one, aim)):
        typer.echo(line)


@app.command("start", short_help="Start a draft, or try an approved enhancement.")
def start(
    which: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT|ENHANCEMENT",
            help="A draft's name or id; or the id of an enhancement.",
        ),
    ],
    share: Annotated[
        float, typer.Option("--share", min=0.01, max=0.99, help="Of those that get the edit.")
    ] = 0.5,
    holdout: Annotated[
        float, typer.Option("--holdout", min=0.0, max=0.5, help="Never changed, whatever wins.")
    ] = 0.05,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="For an enhancement.")] = "",
    min_effect: Annotated[
        float, typer.Option("--min-effect", help="Least difference of rates worth having.")
    ] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Start an experiment: a draft, or one for an enhancement that is approved.

    \b
    Example:
      llmproxy experiments start 3f9a01c2 --share 0.2 --holdout 0.05
    """
    from llmproxy_core.store import enhancements, experiment_changes
    from llmproxy_core.store.database import driver

    config, _ = settings()
    with store("llmproxy experiments") as database:
        with database.connect() as connection:
            ids = enhancements.find_ids(connection, which)
        if len(ids) == 1:
            with database.connect() as connection:
                begun = experiment_changes.try_out(
                    driver(connection), ids[0], actor(), name=name, share=share, holdout=holdout,
                    counting=config.learning.counting, min_effect=min_effect,
                )  # fmt: skip
        else:
            begun = _started(database, which)
        if as_json:
            print_json(_told(chosen.experiment(database, begun.id)))
            return
    typer.echo(f"{plain.line(begun.name)}: running; {begun.id}")


@app.command("stop", short_help="End one, or take back what it won.")
def stop(which: Which, why: Why = "", as_json: AsJson = False) -> None:
    """End an experiment that runs; of one that has ended, take the change back everywhere.

    Conversations that began in one that is stopped keep their change until they end. What was
    promoted, or has won, is rolled back at once, also within conversations.

    \b
    Example:
      llmproxy experiments stop clarification-brief-3f9a01 --why "the prompt has changed"
    """
    from llmproxy_core.store import experiment_changes
    from llmproxy_core.store.database import driver

    with store("llmproxy experiments") as database:
        one = chosen.experiment(database, which)
        with database.connect() as connection:
            ended = experiment_changes.stop(
                driver(connection), one.id, actor(), why or "not wanted any more"
            )
        if as_json:
            print_json(_told(chosen.experiment(database, ended.id)))
            return
    typer.echo(f"{plain.line(ended.name)}: {learnt_words.status(ended)}")


@app.command("promote", short_help="Everybody gets what has won.")
def promote(which: Which, why: Why = "", as_json: AsJson = False) -> None:
    """Let all conversations that begin get the winner, but for the holdout; it becomes a rule.

    \b
    Example:
      llmproxy experiments promote clarification-brief-3f9a01
    """
    from llmproxy_core.store import experiment_changes
    from llmproxy_core.store.database import driver

    with store("llmproxy experiments") as database:
        one = chosen.experiment(database, which)
        with database.connect() as connection:
            ended = experiment_changes.promote(driver(connection), one.id, actor(), why)
        if as_json:
            print_json(_told(chosen.experiment(database, ended.id)))
            return
    typer.echo(f"{plain.line(ended.name)}: promoted; `llmproxy transform list` has its rule")


def _started(database: Database, which: str) -> Experiment:
    from llmproxy_core.store import experiment_changes
    from llmproxy_core.store.database import driver

    one = chosen.experiment(database, which)
    with database.connect() as connection:
        return experiment_changes.start(driver(connection), one.id, actor())


def table(found: Sequence[StoredExperiment]) -> Iterator[str]:
    yield from aligned([HEADING, *map(_cells, found)])


def _told(one: StoredExperiment) -> dict[str, Any]:
    return one.one.to_json() | {
        "namespace": one.namespace,
        "pattern_name": one.pattern,
        "enhancement_id": one.enhancement_id,
        "tally": one.tally.to_json(),
        "verdict": one.verdict,
        "probation": _probation(one),
        "judged_at": one.judged_at,
        "created_at": one.created_at,
        "created_by": one.created_by,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
        "ended_why": one.ended_why,
    }


def _probation(one: StoredExperiment) -> dict[str, Any] | None:
    told = one.probation
    if told is None:
        return None
    return {"since": told.since, "tally": told.tally.to_json(), "verdict": told.verdict}


def _cells(one: StoredExperiment) -> tuple[str, ...]:
    since = f"{one.started_at.astimezone():%m-%d %H:%M}" if one.started_at else figures.NONE
    said = one.ended_why or one.verdict.get("why") or ""
    return (
        one.id.hex[-8:],
        plain.line(one.one.name, 40),
        plain.line(one.pattern, 32),
        learnt_words.status(one.one),
        learnt_words.arms(one),
        since,
        plain.line(str(said), 100),
    )


def _lines(one: StoredExperiment, arms: Mapping[str, Arm], effects: Iterable[str]) -> Iterator[str]:
    it = one.one
    yield f"{plain.line(it.name)}  {it.id}"
    yield learnt_words.field("status", learnt_words.status(it))
    yield learnt_words.field("pattern", one.pattern or it.pattern or figures.NONE)
    if it.when:
        yield learnt_words.field("when", it.when)
    yield learnt_words.field("holdout", f"{it.holdout:.0%}")
    yield learnt_words.field("counting", ", ".join(it.counting) or "all signals")
    yield from effects
    yield ""
    heading = ("arm", "share", "began", "judged", "success (95 %)", "in", "cached", "predicted")
    yield from aligned([heading, *(_arm(one, name, arms) for name in learnt_words.arm_names(it))])
    for variant in it.variants:
        yield ""
        yield f"{plain.line(variant.name)}{' (dropped)' if variant.name in it.dropped else ''}"
        yield from learnt_words.exact(variant.operations)
    if why := one.verdict.get("why"):
        yield ""
        yield plain.line(str(why), 1000)
    if one.probation is not None:
        yield f"Since it was promoted: {plain.line(str(one.probation.verdict.get('why')), 1000)}"
    yield ""
    yield from map(_step, it.steps)


def _arm(one: StoredExperiment, name: str, arms: Mapping[str, Arm]) -> tuple[str, ...]:
    from llmproxy_core.store.experiments import Arm
    from llmproxy_core.success.rate import rate_of

    counted, tally = arms.get(name, Arm()), one.tally.arm(name)
    return (
        plain.line(name),
        f"{one.one.shares[name]:.0%}",
        f"{counted.conversations:,}",
        f"{tally.judged:,}",
        learnt_words.rate(rate_of(tally.good, tally.judged)),
        figures.tokens(counted.input_tokens),
        figures.tokens(counted.cached_tokens),
        figures.tokens(counted.predicted_cached),
    )


def _step(step: Any) -> str:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(step.at, UTC).astimezone()
    said = f"{step.status.replace('_', ' ')} by {step.by}: {step.why}"
    return plain.line(f"{at:%Y-%m-%d %H:%M}  {said}", 500)
