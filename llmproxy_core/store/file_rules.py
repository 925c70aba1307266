"""The `[[namespaces]]` of a home's `mitm.toml`, shown in the table, and where the two clash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import uuid_utils.compat

from llmproxy_core.model import Json
from llmproxy_core.store import audit, namespace_changes
from llmproxy_core.store.call_rows import EventRow
from llmproxy_core.store.namespaces import (
    DATABASE,
    MITM_TOML,
    PgConnection,
    Rule,
    Space,
    detail,
)

ACTOR = "worker"
EVENT = "namespace_clash"
DEFAULT_NAMESPACE = 1

TAKE_PREFIX = "UPDATE namespaces SET prefix = NULL WHERE ns_id = %s"

type Wanted = Mapping[int, tuple[Rule, int]]
"""By `ns_id`: what the file says, and where it says it."""


@dataclass(frozen=True, slots=True)
class Clash:
    """The file counts. `lost`: what `loser` has lost by that; `name`: two names of one namespace."""

    lost: Literal["rule", "prefix", "name"]
    namespace: str
    loser: str
    prefix: str = ""

    def event(self) -> EventRow:
        id, at = uuid_utils.compat.uuid7(), datetime.now(UTC)
        data: dict[str, Json] = {"lost": self.lost, "namespace": self.namespace}
        data |= {"loser": self.loser, "prefix": self.prefix}
        return EventRow(DEFAULT_NAMESPACE, id, at, EVENT, None, data)

    def __str__(self) -> str:
        match self.lost:
            case "rule":
                return (
                    f"mitm.toml has a rule for the namespace {self.loser}: the one in the database "
                    "has made way for it"
                )
            case "prefix":
                return (
                    f"mitm.toml gives {self.namespace} the prefix {self.prefix!r}, which "
                    f"{self.loser} had: that one has none until `llmproxy ns set` gives it another"
                )
            case "name":
                return (
                    f"mitm.toml has rules for {self.namespace} and {self.loser}, which are one "
                    "namespace since it was renamed; `llmproxy ns list` shows the first"
                )


def bring(connection: PgConnection, home: str, rules: Sequence[Rule]) -> list[Clash]:
    """Show the rules of a home's file in the table, in place of those that it had before.

    Namespaces that are not in it any more lose their rule and keep their calls.
    """
    with connection.transaction():
        known = namespace_changes.locked(connection)
        wanted, clashes = _wanted(connection, known, rules)
        changed = [space for space in known if _is_changed(space, home, wanted)]
        for space in changed:  # before any is set: two may have exchanged their prefixes
            namespace_changes.clear(connection, space.ns_id)
            if space.source == DATABASE:
                clashes.append(Clash("rule", space.name, space.name))
        as_they_are = [space for space in known if space not in changed]
        due = wanted.keys() - {space.ns_id for space in as_they_are}
        told: dict[int, Rule | None] = {space.ns_id: None for space in changed}
        for ns_id in due:
            rule, position = told[ns_id], _ = wanted[ns_id]
            for loser in _take_prefix(connection, as_they_are, rule):
                told[loser.ns_id] = replace(loser.rule, prefix="")
                if loser.source == DATABASE:
                    clashes.append(Clash("prefix", rule.name, loser.name, rule.prefix))
            namespace_changes.store(connection, ns_id, rule, position, MITM_TOML, home)
        for ns_id in sorted(told):
            _tell(connection, ns_id, home, told[ns_id])
    return clashes


def _wanted(
    connection: PgConnection, known: Sequence[Space], rules: Sequence[Rule]
) -> tuple[dict[int, tuple[Rule, int]], list[Clash]]:
    """The row of each rule; those are made that are new."""
    wanted: dict[int, tuple[Rule, int]] = {}
    clashes = []
    for position, rule in enumerate(rules, 1):
        space = next((one for one in known if one.is_called(rule.name)), None)
        ns_id = space.ns_id if space else namespace_changes.made(connection, rule.name)
        if ns_id in wanted:
            clashes.append(Clash("name", wanted[ns_id][0].name, rule.name))
        else:
            wanted[ns_id] = (rule, position)
    return wanted, clashes


def _is_changed(space: Space, home: str, wanted: Wanted) -> bool:
    """Must its rule be another, or none? One of another home stays unless ours names it, too."""
    if (want := wanted.get(space.ns_id)) is None:
        return space.source == MITM_TOML and space.home == home
    rule, position = want
    same = replace(space.rule, name=rule.name) == rule and space.position == position
    return not same or space.source != MITM_TOML


def _take_prefix(connection: PgConnection, others: Sequence[Space], rule: Rule) -> list[Space]:
    """Those that have lost it."""
    losers = [other for other in others if rule.prefix and other.prefix == rule.prefix]
    for loser in losers:
        connection.execute(TAKE_PREFIX, [loser.ns_id])
    return losers


def _tell(connection: PgConnection, ns_id: int, home: str, rule: Rule | None) -> None:
    name, now = (rule.name, detail(rule)) if rule else ("", None)
    facts: dict[str, Json] = {"home": home, "rule": now}
    audit.append(connection, ns_id, ACTOR, "namespace rule", name, facts)
