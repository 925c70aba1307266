"""What a person says of an answer, by a command or a screen: a signal, and what it changes in sums.

What a client says in a header, the worker stores with the other lessons.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.errors import StoreError
from llmproxy_core.model import Json
from llmproxy_core.store import (
    audit,
    lessons,
    notify,
    pattern_days,
    reopening,
    statements,
    verdicts,
)
from llmproxy_core.store.learning_rows import Lessons, PatternSum, SignalRow
from llmproxy_core.store.notify import Change
from llmproxy_core.store.values import clean
from llmproxy_core.success.feedback import SURE
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.success.signal import Verdict, worded

type PgConnection = psycopg.Connection[Any]

NAME, SOURCE = "feedback", "user"
JUDGING = 0x6C6C6D0A
"""Who judges a call anew locks it, so that two do not count the same difference."""

CALL = """
SELECT r.ns_id FROM requests r JOIN namespaces n ON n.ns_id = r.ns_id WHERE r.id = %s
"""
LOCK = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
SIGNALS = f"""
SELECT {verdicts.COLUMNS} FROM signals s WHERE s.ns_id = %s AND s.request_id = %s
"""  # noqa: S608
PATTERNS = (
    "SELECT pattern_id, coalesce(model, '') FROM pattern_calls WHERE ns_id = %s AND request_id = %s"
)


def give(
    connection: PgConnection,
    call: UUID,
    verdict: Verdict,
    actor: str,
    why: str = "",
    counting: Collection[str] = COUNTED,
) -> list[str]:
    """Store it, and count the call anew in the sums of its patterns; the last word holds.

    The conversation is counted anew where an experiment is still running. Returned, and told in the
    audit, are the names of those for which it comes too late.

    `counting`: as the worker counts, `learning.counting`. Raises StoreError: there is no such call.
    """
    with connection.transaction():
        row = connection.execute(CALL, [call]).fetchone()
        if row is None:
            raise StoreError(f"There is no call {call}. `llmproxy flows` has the last ones.")
        ns_id, why = row[0], worded(clean(why))
        connection.execute(LOCK, [JUDGING, str(call)])
        before = [*map(verdicts.Told._make, connection.execute(SIGNALS, [ns_id, call]))]
        at = datetime.now(UTC)
        said = SignalRow(ns_id, call, NAME, SOURCE, verdict, SURE, why, at)
        lessons.write(connection, Lessons(signals=[said]))
        now = [*before, verdicts.Told(call, NAME, SOURCE, verdict, SURE, why, at)]
        changed = _count(connection, ns_id, call, (before, now), counting)
        told = notify.encode(Change(ended=[call], learning=changed))
        connection.execute(statements.NOTIFY, [notify.CHANNEL, told])
        late = reopening.reopen(connection, [(ns_id, call)])
        facts: dict[str, Json] = {"before": _said(before), "now": verdict, "why": why}
        facts |= {"too_late_for": [*late]} if late else {}
        audit.append(connection, ns_id, actor, NAME, str(call), facts)
        return late


def _said(told: list[verdicts.Told]) -> Verdict | None:
    """What a person said last."""
    said = [one for one in verdicts.newest(told) if (one.name, one.source) == (NAME, SOURCE)]
    return said[-1].verdict if said else None


def _count(
    connection: PgConnection,
    ns_id: int,
    call: UUID,
    signals: tuple[list[verdicts.Told], list[verdicts.Told]],
    counting: Collection[str],
) -> list[UUID]:
    """The patterns whose sums have changed."""
    day = datetime.fromtimestamp((call.int >> 80) / 1000, UTC).date()
    before, after = (verdicts.standing(told, counting) for told in signals)
    changed = []
    for pattern, model in connection.execute(PATTERNS, [ns_id, call]).fetchall():
        row = PatternSum(ns_id, pattern, day, model)
        if verdicts.difference(row, before, after):
            pattern_days.add(connection, row)
            changed.append(pattern)
    return changed
