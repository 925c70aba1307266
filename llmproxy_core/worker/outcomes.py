"""How conversations of experiments went: worked out of what is stored when they are judged."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from llmproxy_core.experiments.caching import CacheAccount, Turn
from llmproxy_core.model import Usage
from llmproxy_core.store import conversed, learnt
from llmproxy_core.store.conversed import Conversed
from llmproxy_core.store.database import Reading
from llmproxy_core.store.experiments import Unit
from llmproxy_core.store.learning_rows import UnitRow
from llmproxy_core.store.learnt import Said
from llmproxy_core.success.registry import COUNTED
from llmproxy_core.worker.standing import Account

CONTROL = "control"
FEEDBACK = "feedback"
LAST = (1 << 80) - 1
"""Of the bits of an id behind its time."""


def outcomes(
    connection: Reading,
    ns_id: int,
    experiment: UUID,
    units: Sequence[Unit],
    after: timedelta,
    counting: Collection[str] = (),
    now: datetime | None = None,
) -> list[UnitRow]:
    """Conversations as they are counted: by the calls that were over `after` they began, and what was
    said by then; but what a person says of one holds whenever it is said. `counting`: names of
    signals; none: all that count."""
    if not units:
        return []
    low = min(unit.first_request_id for unit in units)
    until = max(unit.first_at for unit in units) + after
    high = UUID(int=(int(until.timestamp() * 1000) << 80) | LAST)
    roots = [unit.root for unit in units]
    calls = conversed.of_conversations(connection, ns_id, experiment, roots, low, high)
    ids = [call.id for told in calls.values() for call in told]
    signals = learnt.said(connection, ns_id, ids)
    found = []
    for unit in units:
        until = unit.first_at + after
        calls_of_it = calls.get(unit.root, ())
        there = [one for one in calls_of_it if one.ended_at <= until]
        later = {one.id for one in calls_of_it if one.ended_at > until}
        told = {
            one.id: [said.signal for said in signals.get(one.id, ()) if _counts(said, until, later)]
            for one in there
        }
        accounts = [Account.of(told[one.id], counting or COUNTED) for one in there]
        found.append(_row(ns_id, experiment, unit, there, accounts, now or datetime.now(UTC)))
    return found


def _row(
    ns_id: int,
    experiment: UUID,
    unit: Unit,
    calls: Sequence[Conversed],
    accounts: Iterable[Account],
    now: datetime,
) -> UnitRow:
    judged = [one for one in accounts if one.judged]
    costs = [one.cost_usd for one in calls if one.cost_usd is not None]
    times = [one.duration_ms for one in calls if one.duration_ms is not None]
    return UnitRow(
        ns_id,
        experiment,
        unit.root.bytes,
        unit.arm,
        unit.first_request_id,
        unit.first_at,
        unit.last_at,
        calls=len(calls) or unit.calls,
        success=all(one.good for one in judged) if judged else None,
        errors=sum(one.state == "failed" for one in calls),
        cost_usd=sum(costs, Decimal(0)) if costs else None,
        latency_ms=sum(times) / len(times) if times else None,
        input_tokens=sum(one.input_tokens or 0 for one in calls),
        cached_tokens=sum(one.cached_tokens or 0 for one in calls),
        predicted_cached=_predicted(calls),
        judged_at=now,
    )


def _predicted(calls: Sequence[Conversed]) -> int:
    """Cached tokens that the conversation should have read, with the edits that it had."""
    account = CacheAccount()
    before: Conversed | None = None
    for call in calls:
        same = before is None or _edited(before) == _edited(call)
        turn = Turn(
            _usage(call),
            _usage(before) if before is not None else None,
            call.provider,
            1.0 if same or call.kept is None else call.kept,
        )
        account.add(turn)
        before = call
    return account.predicted


def _edited(call: Conversed) -> bool:
    return call.arm != CONTROL and call.why is None


def _usage(call: Conversed) -> Usage:
    return Usage(call.input_tokens, call.output_tokens, call.cached_tokens, call.cache_write_tokens)


def _counts(said: Said, until: datetime, later: Collection[UUID]) -> bool:
    """`later`: calls that were not over by then; what they tell came later, too."""
    if said.signal.name == FEEDBACK:
        return True
    return said.at <= until and said.signal.by not in later
