"""Conversations of experiments as they go on. What counts is worked out anew when they are judged."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from llmproxy_core.records import Enhanced
from llmproxy_core.spans.recent import Recent
from llmproxy_core.store.call_rows import ResponseRow
from llmproxy_core.store.learning_rows import UnitRow
from llmproxy_core.success.call import Call
from llmproxy_core.worker.moments import moment

REMEMBERED = 10_000


class Units:
    """Of the conversations of late. After a restart their sums begin anew; their beginnings stay."""

    def __init__(self) -> None:
        self._known: Recent[tuple[int, str, bytes], UnitRow] = Recent(REMEMBERED)

    def add(self, call: Call, done: Enhanced, row: ResponseRow) -> Iterator[UnitRow]:
        """The conversation of a call, in each of its experiments."""
        if len(done.root) != 16:
            return
        for id, arm in done.arms:
            if not (experiment := _id(id)):
                continue
            key = (call.ns_id, id, done.root)
            unit = self._known.get(key)
            if unit is None:
                at = moment(call.at)
                unit = UnitRow(call.ns_id, experiment, done.root, arm, call.id, at, at, calls=0)
                self._known[key] = unit
            _count(unit, call, row)
            yield unit


def _count(unit: UnitRow, call: Call, row: ResponseRow) -> None:
    at, before = moment(call.at), unit.calls
    unit.first_at, unit.last_at = min(unit.first_at, at), max(unit.last_at, at)
    unit.first_request_id = min(unit.first_request_id, call.id)
    unit.calls += 1
    unit.errors += row.state == "failed"
    if row.cost_usd is not None:
        unit.cost_usd = (unit.cost_usd or Decimal(0)) + row.cost_usd
    if row.duration_ms is not None:
        unit.latency_ms = ((unit.latency_ms or 0.0) * before + row.duration_ms) / unit.calls
    unit.input_tokens += row.input_tokens or 0
    unit.cached_tokens += row.cached_tokens or 0


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
