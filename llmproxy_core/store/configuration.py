"""Changes of the settings, noticed when a proxy starts and told in the audit."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from llmproxy_core.model import Json
from llmproxy_core.store import audit
from llmproxy_core.store.call_rows import EventRow

type PgConnection = psycopg.Connection[Any]

ACTION = "configuration"
LAST = """
SELECT detail FROM audit_events WHERE ns_id = %s AND action = %s AND target = %s
ORDER BY seq DESC LIMIT 1
"""


def note(connection: PgConnection, events: Iterable[EventRow]) -> None:
    """Compare the settings of proxies that started with the last ones of the same home.

    An audit event holds all of them, passwords masked, and `changed`: key -> [before, now].
    """
    for event in events:
        settings, home = event.data.get("settings"), event.data.get("home")
        if event.kind == "proxy_started" and isinstance(settings, str) and isinstance(home, str):
            _compare(connection, event.ns_id, home, json.loads(settings))


def _compare(connection: PgConnection, ns_id: int, home: str, settings: dict[str, Json]) -> None:
    row = connection.execute(LAST, [ns_id, ACTION, home]).fetchone()
    detail: dict[str, Json] = {"settings": settings}
    if row is not None:
        before = json.loads(row[0])["settings"]
        if before == settings:
            return
        detail["changed"] = changed(before, settings)
    audit.append(connection, ns_id, "proxy", ACTION, home, detail)


def changed(before: Json, now: Json) -> dict[str, Json]:
    """`table.key` -> [before, now]; a list counts as one value."""
    old, new = dict(_flat(before)), dict(_flat(now))
    keys = sorted(old.keys() | new.keys())
    return {key: [old.get(key), new.get(key)] for key in keys if old.get(key) != new.get(key)}


def _flat(value: Json, key: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}".removeprefix("."))
    else:
        yield key, value
