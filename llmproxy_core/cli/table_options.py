"""What `add` and `set` of policies and transformations share: both are of `mitm.toml`, or of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import typer

from llmproxy_core.cli.surroundings import warn
from llmproxy_core.tui import plain

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from pathlib import Path

    from llmproxy_core.errors import ConfigError

PLURALS = {"policy": "policies", "transformation": "transformations"}
LONGEST = 2000
"""Characters of an error."""
BEGINNING, END = 120, 480
"""What is shown of a longer one: what is allowed stands at its end."""


class Named(Protocol):
    @property
    def name(self) -> str: ...


def given(**options: Any) -> dict[str, Any]:
    """Those that were given, by the keys of a table of `mitm.toml`."""
    return {key: value for key, value in options.items() if value is not None}


def not_in_file(source: Path | None, written: Iterable[Named], what: str, name: str) -> None:
    """What mitm.toml says comes first: a change that it would put out of force is refused."""
    if any(one.name == name for one in written):
        raise typer.BadParameter(f"{source} has the {what} {name}: change it there")


def tell_of_file(
    source: Path | None, written: Iterable[Named], known: Container[str], what: str
) -> None:
    """The worker brings those of the file into the table. `what`: of one."""
    missing = [one.name for one in written if one.name not in known]
    if missing:
        these = what if len(missing) == 1 else PLURALS[what]
        are = "it is" if len(missing) == 1 else "they are"
        warn(
            f"{source} has the {these} {', '.join(missing)}, too; {are} listed here as soon as a worker "
            "has seen the file"
        )


def refused(exc: ConfigError, what: str) -> typer.BadParameter:
    """The error of one that cannot be, without where it would stand in a file."""
    key = PLURALS[what]
    said = plain.block(str(exc)).removeprefix(f"{what}: ")
    said = said.replace(f"`{key}[0].", "`").replace(f"`{key}[0]`: ", "")
    if len(said) > LONGEST:
        said = f"{said[:BEGINNING]} … {said[-END:]}"
    return typer.BadParameter(said)
