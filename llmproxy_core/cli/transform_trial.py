"""`llmproxy transform test`: the exact difference that a transformation makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import chosen
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.cli.transform_options import Name, checked
from llmproxy_core.errors import StoreError
from llmproxy_core.plural import counted
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmproxy_core.config import Config, TransformationConfig
    from llmproxy_core.store.database import Database
    from llmproxy_core.trial.edits import Tried

LONGEST = 1000
DIFFERENCE = 10_000
"""Characters of a line of the difference."""


def try_out(
    name: Name,
    flow: Annotated[
        str | None, typer.Option("--flow", metavar="ID", help="On this call; else the newest.")
    ] = None,
    when: Annotated[
        str | None, typer.Option("--when", metavar="EXPR", help="Try this expression instead.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Calls, the newest it is for.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
) -> None:
    """What a transformation would change in calls that are stored. Nothing is sent.

    Stored requests are as they were sent, with marks for secrets: the difference is to that.
    With --flow it is told why it is not for a call, or changes nothing of it.

    \b
    Example:
      llmproxy transform test brief --flow 3f9a01c2
      llmproxy transform test brief --when 'model == "gpt-5"'
    """
    from llmproxy_core.trial import edits, reasons

    config, _ = settings()
    with store("llmproxy transform") as database:
        rule = _rule(database, config, name)
        if when is not None:
            told = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            rule = checked(told | {"when": when})
        if flow is None:
            found = edits.of_rule(database, rule, most)
        else:
            id = chosen.flow(database, flow)
            one = edits.on_call(database, id, rule.logic)
            if one is None:
                raise StoreError(f"The call {id} cannot be read; see `llmproxy show {id}`.")
            found = [one]
        trials = [
            Trial(
                one,
                reasons.unfit(database, rule, one.flow.id) if flow is not None else [],
                reasons.before(database, name, one.flow.id),
                reasons.idle(rule.logic) if not one.left and not one.changes else [],
            )
            for one in found
        ]
    if as_json:
        print_json([_told(one) for one in trials])
        return
    if not rule.active:
        typer.echo(f"{plain.line(name)} is off; this is what it would do")
    if not found:
        typer.echo(
            f"None of the {counted(edits.MOST, 'newest call')} is one that {name} is for: "
            f"{plain.line(rule.when)}\nWhy not of one of them: llmproxy transform test {name} --flow ID"
        )
    for trial in trials:
        for line in _lines(trial):
            typer.echo(line)


@dataclass(frozen=True, slots=True)
class Trial:
    """`unfit`: why the rule is not for the call; `before`: what it did to it when it was sent;
    `idle`: why each operation changes nothing, where none does."""

    tried: Tried
    unfit: list[str]
    before: str
    idle: list[str]


def _rule(database: Database, config: Config, name: str) -> TransformationConfig:
    """That of the file, which comes first, or of the table."""
    from llmproxy_core.store import transformation_changes, transformations
    from llmproxy_core.store.database import driver

    written = next((one for one in config.transformations if one.name == name), None)
    if written is not None:
        return written
    with database.connect() as connection:
        stored = transformation_changes.existing(driver(connection), name)
    return transformations.checked(stored.table(), f"transformation {name}")


def _told(one: Trial) -> dict[str, Any]:
    tried = one.tried
    return {
        "flow": tried.flow.id,
        "applies": not one.unfit,
        "not_for_it": one.unfit,
        "changes": [
            {"place": change.place, "before": change.before, "after": change.after}
            for change in tried.changes
        ],
        "left": tried.left,
        "nothing_to_do": one.idle,
        "when_it_was_sent": one.before,
        "kept": tried.kept,
    }


def _lines(one: Trial) -> Iterator[str]:
    tried = one.tried
    yield f"{tried.flow.id.hex[-8:]}  {plain.line(tried.flow.model or '-')}  {tried.flow.wire}"
    for why in one.unfit:
        yield f"  not for this call: {plain.line(why, LONGEST)}"
    if one.before:
        yield f"  {plain.line(one.before, LONGEST)}"
    if tried.left:
        yield f"  left as it is: {plain.line(tried.left, LONGEST)}"
    for why in one.idle:
        yield f"  nothing changes: {plain.line(why, LONGEST)}"
    if one.unfit and tried.changes:
        yield "  what it would change if it were for it:"
    for line in tried.lines:
        yield f"  {plain.block(line[:DIFFERENCE])}"
    if tried.changes and tried.kept < 1:
        yield f"  {tried.kept:.0%} of what the provider caches comes before the first change"
