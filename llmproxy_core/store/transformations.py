"""Transformations: those of `mitm.toml`, which are shown here (see `file_transformations`), those of
the table, and what promoted experiments have become (`origin` is `experiment:ID`).

The latter two are handed to the proxies by the worker. Every change is audited, in the chain of the
namespace `default`: a transformation is of no namespace.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from llmproxy_core import config
from llmproxy_core.config import TransformationConfig
from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operations import plain
from llmproxy_core.transformations.transformation import transformation

type PgConnection = psycopg.Connection[Any]

MITM_TOML, DATABASE = "mitm.toml", "database"
OF_EXPERIMENT = "experiment:"
"""How the origin begins of what an experiment has won; its id follows."""

COLUMNS = (
    'name, expression, logic, sort_order AS "order", active, usage_count, last_used, origin, home, '
    "created_at, created_by, updated_at, updated_by"
)
ALL = f"SELECT {COLUMNS} FROM transformations ORDER BY sort_order, name"  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredTransformation:
    """`usage_count`: requests that it was done to. `origin`: MITM_TOML (then `home` has that file),
    DATABASE, or `experiment:ID`."""

    name: str
    expression: str
    logic: list[dict[str, Any]]
    order: int
    active: bool
    usage_count: int
    last_used: datetime | None
    origin: str
    home: str | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    def table(self) -> dict[str, Any]:
        """As a table `[[transformations]]`."""
        return {
            "name": self.name,
            "when": self.expression,
            "logic": self.logic,
            "order": self.order,
            "active": self.active,
        }

    @property
    def experiment(self) -> str:
        """The id of the experiment that it has won; empty: of none."""
        is_won = self.origin.startswith(OF_EXPERIMENT)
        return self.origin.removeprefix(OF_EXPERIMENT) if is_won else ""


def transformations(connection: PgConnection) -> list[StoredTransformation]:
    """All of them, in the order in which they are done."""
    with connection.cursor(row_factory=class_row(StoredTransformation)) as cursor:
        return cursor.execute(ALL).fetchall()


def find(connection: PgConnection, name: str) -> StoredTransformation | None:
    return next((one for one in transformations(connection) if one.name == name), None)


def handed(connection: PgConnection) -> tuple[list[dict[str, Any]], list[str]]:
    """What proxies are told, each as a table `[[transformations]]`, and what is wrong with others:
    anybody may have written something else into the table. Those of files are read there."""
    own = [one for one in transformations(connection) if one.origin != MITM_TOML and one.active]
    found, problems = fitting(own)
    return [one.model_dump(mode="json", by_alias=True, exclude_defaults=True) for one in found], (
        problems
    )


def fitting(
    stored: Iterable[StoredTransformation],
) -> tuple[list[TransformationConfig], list[str]]:
    """Those that can be done, and what is wrong with the others."""
    found, problems = [], []
    for one in stored:
        try:
            found.append(checked(one.table(), f"transformation {one.name}"))
        except ConfigError as exc:
            problems.append(f"{exc}. It is left out; see `llmproxy transform set`")
    return found, problems


def checked(table: dict[str, Any], place: str = "transformation") -> TransformationConfig:
    """A transformation from a table `[[transformations]]`.

    Raises:
        ConfigError: it is none, or can be done nowhere; names the key and what is allowed.
    """
    try:
        (found,) = config.check(Path(place), {"transformations": [table]}).transformations
    except UnicodeEncodeError:  # in the words of an error
        raise ConfigError(f"{place}: a text in it is not UTF-8. Write it in UTF-8.") from None
    transformation(found)
    return found


def told(one: TransformationConfig) -> dict[str, Any]:
    """For the audit: without its name."""
    return {
        "when": one.when,
        "logic": plain(one.logic),
        "order": one.order,
        "active": one.active,
    }


def where(one: StoredTransformation) -> str:
    if one.origin == MITM_TOML:
        return f"the mitm.toml of {one.home}" if one.home else "a mitm.toml"
    return f"what experiment {one.experiment} has won" if one.experiment else "the database"
