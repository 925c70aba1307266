"""`llmproxy patterns list` and `show`: what is asked again and again, and how it goes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import chosen, learnt_words
from llmproxy_core.cli.aligned import aligned
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.plural import counted
from llmproxy_core.tui import figures, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmproxy_core.store.database import Database
    from llmproxy_core.store.patterns import PatternLine

HEADING = ("id", "name", "type", "calls", "14 days", "success (95 %)", "cost", "last", "")
NONE = "Nothing was asked again and again yet: a worker finds patterns in calls."
NONE_CHOSEN = "No pattern is so. `llmproxy patterns list` without options has those of prompts."
MONTH = 30
"""Days of the sums by model."""
EXEMPLARS = 5
TEXT = 300
"""Characters of a version's text."""


class KindOption(StrEnum):
    user = "user"
    system = "system"
    tools = "tools"


class OrderOption(StrEnum):
    calls = "calls"
    newest = "newest"
    success = "success"
    cost = "cost"


Which = Annotated[
    str, typer.Argument(metavar="PATTERN", help="Its name, or the start or end of its id.")
]


def show_all(
    kind: Annotated[
        KindOption, typer.Option("--kind", help="Prompts, system prompts, or sets of tools.")
    ] = KindOption.user,
    type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="classification, code, ...")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--ns", metavar="NAME", help="Of this namespace.")
    ] = None,
    order: Annotated[
        OrderOption,
        typer.Option("--order", help="First: most calls, seen last, worst success, most cost."),
    ] = OrderOption.calls,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
) -> None:
    """The patterns with most calls, the trend of 14 days, and how often they succeed.

    \b
    Example:
      llmproxy patterns list --type extraction
      llmproxy patterns list --order success
      llmproxy patterns list --kind system --order newest --json
    """
    from llmproxy_core.store import patterns

    with store("llmproxy patterns") as database, database.connect() as connection:
        found = patterns.patterns(
            connection, [kind.value], order=order.value, namespace=namespace, type=type, limit=limit
        )
    if as_json:
        print_json([told(one) for one in found])
        return
    if not found:
        chosen_by = type or namespace or kind is not KindOption.user
        typer.echo(NONE_CHOSEN if chosen_by else NONE)
        return
    for line in aligned([HEADING, *map(_cells, found)]):
        typer.echo(line)


def show(
    which: Which,
    as_json: Annotated[bool, typer.Option("--json", help="As an object.")] = False,
) -> None:
    """One pattern: its template, models, signals, versions, history, newest calls.

    Exit code 4 if there is none, or are several.

    \b
    Example:
      llmproxy patterns show "support triage"
    """
    with store("llmproxy patterns") as database:
        one = chosen.pattern(database, which)
        about = _about(database, one)
    if as_json:
        print_json(told(one) | about)
        return
    for line in _lines(one, about):
        typer.echo(line)


def _about(database: Database, one: PatternLine) -> dict[str, Any]:
    from llmproxy_core.store import pattern_detail, patterns

    counting = settings()[0].learning.counting
    key = (one.ns_id, one.id)
    with database.connect() as connection:
        told = pattern_detail.about(connection, *key)
        models = patterns.by_model(connection, *key, patterns.first_day(MONTH))
        return {
            "pieces": told.pieces if told else [],
            "structure": told.structure if told else {},
            "models": {name: sums for name, sums in models.items()},
            "versions": pattern_detail.versions(connection, *key, counting),
            "history": pattern_detail.history(connection, *key),
            "calls_newest": pattern_detail.calls(
                connection, *key, limit=EXEMPLARS, counting=counting
            ),
            "nearest": [
                {"id": id, "name": name}
                for id, name in pattern_detail.nearest(connection, *key, one.kind)
            ],
        }


def told(one: PatternLine) -> dict[str, Any]:
    import dataclasses

    rate = one.sums.rate
    return dataclasses.asdict(one) | {"success_rate": rate.rate, "success_interval": rate.interval}


def _cells(one: PatternLine) -> tuple[str, ...]:
    waiting = f"{one.candidates} suggested" if one.candidates else ""
    return (
        one.id.hex[-8:],
        plain.line(one.name, 40),
        (one.type or figures.NONE) if one.kind == "user" else f"v{one.versions}",
        f"{one.calls:,}",
        learnt_words.trend(one.days),
        learnt_words.rate(one.sums.rate),
        figures.usd(one.sums.cost_usd),
        f"{one.last_seen.astimezone():%m-%d %H:%M}",
        waiting,
    )


def _lines(one: PatternLine, about: dict[str, Any]) -> Iterator[str]:
    yield f"{plain.line(one.name)}  {one.id}"
    unsure = f" ({one.type_confidence:.0%})" if one.type_confidence is not None else ""
    yield learnt_words.field("type", f"{one.type or one.kind}{unsure}")
    first = f"{one.first_seen.astimezone():%Y-%m-%d %H:%M}"
    last = f"{one.last_seen.astimezone():%Y-%m-%d %H:%M}"
    yield learnt_words.field("calls", f"{one.calls:,} from {first} to {last}")
    yield learnt_words.field("success", f"{learnt_words.rate(one.sums.rate)} in 14 days")
    yield learnt_words.field("trend", learnt_words.trend(one.days))
    yield ""
    yield learnt_words.template(about["pieces"])
    yield from _models(about["models"])
    yield from _versions(about["versions"])
    if about["history"]:
        yield ""
    for event in about["history"][:EXEMPLARS]:
        at = f"{event.at.astimezone():%m-%d %H:%M}"
        yield plain.line(f"{at}  {event.what} {event.other} {event.why} ({event.actor})", 500)
    if about["calls_newest"]:
        yield ""
    for call in about["calls_newest"]:
        why = ", ".join(
            f"{told.name}: {told.why}" for told in call.signals if told.name in call.bad
        )
        yield plain.line(f"{call.request_id.hex[-8:]}  {call.verdict or '-'}  {why}", 500)
    if about["nearest"]:
        yield learnt_words.field("alike", ", ".join(other["name"] for other in about["nearest"]))


def _models(models: dict[str, Any]) -> Iterator[str]:
    heading = (
        "model",
        "calls",
        "success (95 %)",
        "in",
        "out",
        "cached",
        "cost",
        "p50",
        "p95",
        "bad",
    )
    rows = [
        (
            plain.line(name),
            f"{sums.calls:,}",
            learnt_words.rate(sums.rate),
            figures.tokens(sums.input_tokens),
            figures.tokens(sums.output_tokens),
            figures.tokens(sums.cached_tokens),
            figures.usd(sums.cost_usd),
            figures.ms(sums.p50_ms),
            figures.ms(sums.p95_ms),
            ", ".join(f"{signal} {calls}" for signal, calls in sums.bad.items()),
        )
        for name, sums in models.items()
    ]
    if rows:
        yield ""
        yield from aligned([heading, *rows])


def _versions(versions: list[Any]) -> Iterator[str]:
    for one in versions:
        yield ""
        first = f"{one.first_seen.astimezone():%Y-%m-%d %H:%M}"
        bad = ", ".join(f"{signal} {calls}" for signal, calls in one.sums.bad.items())
        told = f"v{one.number}  since {first}, {counted(one.calls, 'call')}, {learnt_words.rate(one.sums.rate)}"
        yield f"{told}  {bad}".rstrip()
        yield f"  {plain.line(one.text, TEXT)}"
