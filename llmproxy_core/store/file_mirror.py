"""The policies or transformations of a home's `mitm.toml`, shown in their table, and where the two clash."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
import uuid_utils.compat

from llmproxy_core.model import Json
from llmproxy_core.store.call_rows import EventRow

type PgConnection = psycopg.Connection[Any]

ACTOR = "worker"
DEFAULT_NAMESPACE = 1
MITM_TOML = "mitm.toml"


class Written(Protocol):
    @property
    def name(self) -> str: ...


class Row(Protocol):
    """`origin`: MITM_TOML (then `home` has that file), or another one."""

    @property
    def name(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def home(self) -> str | None: ...
    def table(self) -> Mapping[str, Json]: ...


@dataclass(frozen=True, slots=True)
class Clash:
    """The file counts: the one of the table has made way for it. `what`: policy or transformation."""

    what: str
    name: str

    def event(self) -> EventRow:
        id, at = uuid_utils.compat.uuid7(), datetime.now(UTC)
        kind = f"{self.what}_clash"
        return EventRow(DEFAULT_NAMESPACE, id, at, kind, None, {self.what: self.name})

    def __str__(self) -> str:
        return (
            f"mitm.toml has a {self.what} {self.name}: the one in the database has made way for it, "
            "`llmproxy audit list` tells what it was"
        )


@dataclass(frozen=True, slots=True)
class Mirror[W: Written, R: Row]:
    """`is_same`: does a row say what the file says? `told`: for the audit, without the name."""

    what: str
    lock: Callable[[PgConnection], None]
    rows: Callable[[PgConnection], list[R]]
    store: Callable[[PgConnection, W, str, str | None, str], None]
    remove: str
    is_same: Callable[[R, W], bool]
    told: Callable[[W], dict[str, Any]]
    tell: Callable[[PgConnection, str, str, str, dict[str, Any]], None]

    def bring(self, connection: PgConnection, home: str, written: Sequence[W]) -> list[Clash]:
        """Show those of a home's file in the table, in place of those that it had before."""
        clashes = []
        with connection.transaction():
            self.lock(connection)
            known = {row.name: row for row in self.rows(connection)}
            for one in written:
                before = known.pop(one.name, None)
                # also where the file of another home says the same
                if before is not None and before.origin == MITM_TOML and self.is_same(before, one):
                    continue
                if before is not None and before.origin != MITM_TOML:
                    clashes.append(Clash(self.what, one.name))
                self.store(connection, one, MITM_TOML, home, ACTOR)
                self._tell(connection, home, one.name, one, before)
            for gone in known.values():
                if gone.origin == MITM_TOML and gone.home == home:
                    connection.execute(self.remove, [gone.name])
                    self._tell(connection, home, gone.name, None, gone)
        return clashes

    def _tell(
        self, connection: PgConnection, home: str, name: str, now: W | None, before: R | None
    ) -> None:
        facts: dict[str, Json] = {"home": home, "now": self.told(now) if now else None}
        if before is not None:
            facts["before"] = {key: value for key, value in before.table().items() if key != "name"}
        self.tell(connection, ACTOR, f"{self.what} of mitm.toml", name, facts)
