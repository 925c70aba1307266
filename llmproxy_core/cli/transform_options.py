"""`llmproxy transform add` and `set`: the transformations that the table holds."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmproxy_core.cli import learnt_words, table_options
from llmproxy_core.cli.ns_rules import when as in_force
from llmproxy_core.cli.surroundings import print_json, settings, store
from llmproxy_core.home import actor
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from llmproxy_core.config import Config, TransformationConfig
    from llmproxy_core.store.transformations import StoredTransformation

Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, `.`, `_` and `-`.")]
WHEN = "The expression that says which requests; default: all."
When = Annotated[str | None, typer.Option("--when", metavar="EXPR", help=WHEN)]
Op = Annotated[
    list[str] | None,
    typer.Option(
        "--op", metavar="TABLE", help='{op = "...", ...}, or as JSON. May be repeated, in order.'
    ),
]
LogicFile = Annotated[
    str | None,
    typer.Option(
        "--logic", metavar="FILE", help="All of them: TOML with `logic = [...]`, or a list of JSON."
    ),
]
Order = Annotated[
    int | None, typer.Option("--order", metavar="N", help="Lower is first; default: 0.")
]
Active = Annotated[bool | None, typer.Option("--on/--off", help="Default: on.")]
AsJson = Annotated[bool, typer.Option("--json", help="It as it is now, as an object.")]
LONGEST = 2000
"""Characters of an expression that are shown, or of the name of a file."""
SHOWN = 120
"""Characters of what cannot be read."""


def add(
    name: Name,
    when: When = None,
    op: Op = None,
    logic: LogicFile = None,
    order: Order = None,
    active: Active = None,
    as_json: AsJson = False,
) -> None:
    """Add a transformation. Try it first: --off, then `llmproxy transform test`.

    Operations are told of in docs/transformations.md, expressions in docs/expressions.md.

    \b
    Example:
      llmproxy transform add brief --when 'pattern.name == "support triage"' \\
        --op '{op = "append_system", text = "Answer in one sentence."}' \\
        --op '{op = "clamp", parameter = "max_tokens", max = 1000}'
    """
    from llmproxy_core.store import transformation_changes
    from llmproxy_core.store.database import driver

    given = table_options.given(when=when, logic=_logic(op, logic), order=order, active=active)
    if "logic" not in given:
        raise typer.BadParameter("give an operation, --op, or a file of them, --logic")
    one = checked({"name": name} | given)
    config, home = settings()
    not_in_file(config, name)
    with store("llmproxy transform") as database, database.connect() as connection:
        transformation_changes.add(driver(connection), one, actor())
        stored = transformation_changes.existing(driver(connection), name)
    _done(stored, in_force(home), as_json=as_json)


def change(
    name: Name,
    when: When = None,
    op: Op = None,
    logic: LogicFile = None,
    order: Order = None,
    active: Active = None,
    as_json: AsJson = False,
) -> None:
    """Change a transformation: what is given replaces what was, the rest stays.

    \b
    Example:
      llmproxy transform set brief --order 5
      llmproxy transform set brief --logic brief.toml
    """
    from llmproxy_core.store import transformation_changes
    from llmproxy_core.store.database import driver

    given = table_options.given(when=when, logic=_logic(op, logic), order=order, active=active)
    config, home = settings()
    not_in_file(config, name)
    with store("llmproxy transform") as database, database.connect() as connection:
        before = transformation_changes.own(driver(connection), name).table()
        transformation_changes.change(driver(connection), checked(before | given), actor())
        stored = transformation_changes.existing(driver(connection), name)
    _done(stored, in_force(home), as_json=as_json)


def checked(table: dict[str, Any]) -> TransformationConfig:
    """The one that a table `[[transformations]]` would be. Raises BadParameter."""
    from llmproxy_core.errors import ConfigError
    from llmproxy_core.store import transformations

    try:
        return transformations.checked(table)
    except ConfigError as exc:
        raise table_options.refused(exc, "transformation") from None


def not_in_file(config: Config, name: str) -> None:
    """Raises BadParameter: a `mitm.toml` has it."""
    table_options.not_in_file(config.source, config.transformations, "transformation", name)


def _logic(ops: list[str] | None, file: str | None) -> list[Any] | None:
    if ops and file:
        raise typer.BadParameter("--op and --logic say the same: give one of them")
    if file is not None:
        return _of_file(file)
    return [_table(one) for one in ops] if ops else None


def _table(text: str) -> Any:
    """An operation, as an inline table of TOML or an object of JSON. Raises BadParameter."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # TOML, or a mistake that is told by its reader
    try:
        return tomllib.loads(f"op = {text}")["op"]
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        said = plain.line(text, SHOWN)
        raise typer.BadParameter(f"--op {said}: neither TOML ({exc}) nor JSON") from None


def _of_file(file: str) -> list[Any]:
    """Raises BadParameter."""
    said = "-" if file == "-" else plain.line(file, LONGEST)
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        at = f"{exc.reason} at byte {exc.start + 1}"
        raise typer.BadParameter(f"--logic {said}: not UTF-8 ({at})") from None
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise typer.BadParameter(f"--logic {said} cannot be read: {why}") from None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as exc:
            raise typer.BadParameter(f"--logic {said}: neither JSON nor TOML: {exc}") from None
    logic = found.get("logic") if isinstance(found, dict) else found
    if not isinstance(logic, list):
        raise typer.BadParameter(f"--logic {said}: allowed is `logic = [...]`, or a list of JSON")
    return logic


def told(one: StoredTransformation) -> dict[str, Any]:
    """As JSON has it."""
    return one.table() | {
        "used": one.usage_count,
        "last_used": one.last_used,
        "origin": one.origin,
        "home": one.home,
        "updated_at": one.updated_at,
        "updated_by": one.updated_by,
    }


def _done(one: StoredTransformation, soon: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told(one))
        return
    state = "" if one.active else " (off)"
    when = plain.line(one.expression, LONGEST)
    typer.echo(f"{one.name}: {learnt_words.operations(one.logic)} when {when}{state}")
    typer.echo(soon)
