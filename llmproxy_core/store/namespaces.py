"""Namespaces: whose calls are whose, told by rules of `mitm.toml` and of this table.

A rule is a prefix, what a call must match, for whom the namespace is reserved, and where it stands
among the others. Rows of `source` MITM_TOML show what a home's file says (see `file_rules`); those
of DATABASE are written here, and handed to the proxies by the worker. Every change is audited.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.rows import class_row

from llmproxy_core import config
from llmproxy_core.config import NamespaceConfig
from llmproxy_core.errors import ConfigError
from llmproxy_core.model import Json

type PgConnection = psycopg.Connection[Any]

MITM_TOML, DATABASE = "mitm.toml", "database"
DEFAULT = "default"

COLUMNS = (
    "ns_id, name, prefix, match, reserved, on_too_long, position, source, home, former_names, "
    "plain_text, capture"
)
ORDER = "source IS NULL, source <> 'mitm.toml', position, ns_id"
"""As they are tried: those of files first, those without a rule last."""
ALL = f"SELECT {COLUMNS} FROM namespaces ORDER BY {ORDER}"  # noqa: S608
RULES = f"SELECT {COLUMNS} FROM namespaces WHERE source = %s ORDER BY position, ns_id"  # noqa: S608
CALLS = """
SELECT ns_id, sum(requests)::bigint, max(last_at) FROM sessions GROUP BY ns_id
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """As `[[namespaces]]` has it. Without a `match` no call is in it by this rule; `reserved`: globs
    of users, none: for everybody."""

    name: str
    prefix: str = ""
    match: dict[str, Json] = field(default_factory=dict)
    reserved: list[str] = field(default_factory=list)
    on_too_long: str = "shorten"
    plain_text: bool = False
    capture: str = "full"

    @classmethod
    def of(cls, told: NamespaceConfig) -> Self:
        match = told.match.model_dump(exclude_defaults=True) if told.match else {}
        return cls(
            told.name, told.prefix, match, told.reserved, told.on_too_long, told.plain_text,
            told.capture,
        )  # fmt: skip

    def settings(self) -> dict[str, Json]:
        """As a table `[[namespaces]]`."""
        return {"name": self.name, **detail(self)}


@dataclass(frozen=True, slots=True)
class Space:
    """A row. `home`: of the file that names it; `source` None: it was only ever named by calls."""

    ns_id: int
    name: str
    prefix: str | None = None
    match: dict[str, Json] | None = None
    reserved: list[str] | None = None
    on_too_long: str | None = None
    position: int | None = None
    source: str | None = None
    home: str | None = None
    former_names: list[str] = field(default_factory=list)
    plain_text: bool | None = None
    capture: str | None = None

    @property
    def rule(self) -> Rule:
        return Rule(
            self.name, self.prefix or "", self.match or {}, self.reserved or [],
            self.on_too_long or "shorten", bool(self.plain_text), self.capture or "full",
        )  # fmt: skip

    def is_called(self, name: str) -> bool:
        """Is this its name, or was it once?"""
        return name == self.name or name in self.former_names


@dataclass(frozen=True, slots=True)
class Use:
    calls: int
    last_at: datetime


def spaces(connection: PgConnection) -> list[Space]:
    """All of them, in the order in which their rules are tried."""
    with connection.cursor(row_factory=class_row(Space)) as cursor:
        return cursor.execute(ALL).fetchall()


def rules(connection: PgConnection) -> list[Rule]:
    """Those of the table itself, in the order in which they are tried."""
    with connection.cursor(row_factory=class_row(Space)) as cursor:
        return [space.rule for space in cursor.execute(RULES, [DATABASE]).fetchall()]


def fitting(rules: Iterable[Rule]) -> tuple[list[NamespaceConfig], list[str]]:
    """Those that a proxy takes, and what is wrong with the others: anybody may have written
    something else into the table."""
    found, problems = [], []
    for rule in rules:
        try:
            found += config.check(
                Path(f"namespace {rule.name}"), {"namespaces": [rule.settings()]}
            ).namespaces
        except ConfigError as exc:
            problems.append(f"{exc}. Its rule is left out; see `llmproxy ns set`")
    return found, problems


def uses(connection: PgConnection) -> dict[int, Use]:
    """How many calls each has, and when the last was; by `ns_id`."""
    return {ns_id: Use(calls, last) for ns_id, calls, last in connection.execute(CALLS)}


def where(space: Space) -> str:
    if space.source == MITM_TOML:
        return f"the mitm.toml of {space.home}" if space.home else "a mitm.toml"
    return "the database"


def detail(rule: Rule) -> dict[str, Json]:
    """What is not as it is if nothing is said; without its name."""
    usual = asdict(Rule(rule.name))
    return {key: value for key, value in asdict(rule).items() if value != usual[key]}
