"""A source without a database: for screens at fixed times, and for a database that goes away."""

import queue
import threading
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from llmproxy_core.conversations.cache import Miss
from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store.call_rows import EventRow, RequestRow, StreamDelta
from llmproxy_core.store.filters import Filter
from llmproxy_core.store.flows import Flow, FlowDetail, Session
from llmproxy_core.store.notify import Change
from llmproxy_core.store.overview import Family, Overview, SessionTree
from llmproxy_core.store.progress import Losses
from llmproxy_core.tui.source import Totals
from tests.tui.memory_guard import MemoryGuard
from tests.tui.memory_learning import MemoryLearning


class MemorySource:
    """Holds flows, details, sessions and events; tests add to it while the app runs."""

    def __init__(self) -> None:
        self.up = True
        self.kept: dict[UUID, Flow] = {}
        self.details: dict[UUID, FlowDetail] = {}
        self.deltas_of: dict[UUID, list[StreamDelta]] = {}
        self.session_list: list[Session] = []
        self.trees: dict[UUID, SessionTree] = {}
        self.kin: dict[UUID, Family] = {}
        self.missed: dict[UUID, Miss] = {}
        self.losses = Losses()
        self.event_list: list[EventRow] = []
        self.threads: set[int] = set()
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.guard = MemoryGuard(self._check, self._changes.put)
        self.learning = MemoryLearning(self._check, self._changes.put)

    # what tests do ---------------------------------------------------------------------------

    def put(self, *flows: Flow) -> None:
        """Add or replace flows and tell so."""
        change = Change()
        for flow in flows:
            self.kept[flow.id] = flow
            (change.started if flow.state == "open" else change.ended).append(flow.id)
        self._changes.put(change)

    def overflow(self, *flows: Flow) -> None:
        """Add flows, too many to tell: only of the first one is told."""
        self.kept |= {flow.id: flow for flow in flows}
        self._changes.put(Change(ended=[flows[0].id], overflow=True))

    def stream(self, flow_id: UUID, *deltas: StreamDelta) -> None:
        self.deltas_of.setdefault(flow_id, []).extend(deltas)
        self._changes.put(Change(streamed=[flow_id]))

    def happen(self, event: EventRow) -> None:
        self.event_list.insert(0, event)
        self._changes.put(Change(events=[event.id]))

    # what the app does -----------------------------------------------------------------------

    def _check(self) -> None:
        self.threads.add(threading.get_ident())
        if not self.up:
            raise DatabaseUnavailable("The database llmproxy on 127.0.0.1 does not answer.")

    def open(self) -> None:
        self._check()

    def close(self) -> None:
        pass

    def wait(self, timeout: float) -> Change | None:
        self._check()
        try:
            return self._changes.get(timeout=min(timeout, 0.05))
        except queue.Empty:
            return None

    def flows(
        self,
        *,
        limit: int,
        before: UUID | None = None,
        where: Filter | None = None,
        session: UUID | None = None,
    ) -> list[Flow]:
        self._check()
        found = sorted(self.kept.values(), key=lambda flow: flow.id.int, reverse=True)
        return [
            flow
            for flow in found
            if (before is None or flow.id.int < before.int)
            and (session is None or flow.session_id == session)
            and (where is None or where.matches(flow))
        ][:limit]

    def flows_by_id(self, ids: list[UUID]) -> list[Flow]:
        self._check()
        return [self.kept[id] for id in ids if id in self.kept]

    def flow(self, id: UUID) -> FlowDetail | None:
        self._check()
        detail = self.details.get(id)
        return detail and replace(detail, live=list(self.deltas_of.get(id, [])))

    def deltas(self, id: UUID, after_seq: int) -> list[StreamDelta]:
        self._check()
        return [delta for delta in self.deltas_of.get(id, []) if delta.seq > after_seq]

    def streamed(self, ids: list[UUID]) -> dict[UUID, int]:
        self._check()
        return {id: sum(len(d.text) for d in self.deltas_of.get(id, [])) for id in ids}

    def sessions(self, *, limit: int, single: bool = False) -> Overview:
        self._check()
        kept = [one for one in self.session_list if single or one.requests > 1 or one.starred]
        return Overview(kept[:limit], len(self.session_list) - len(kept))

    def families(self, sessions: list[UUID]) -> dict[UUID, Family]:
        self._check()
        return {id: self.kin[id] for id in sessions if id in self.kin}

    def tree(self, session: UUID) -> SessionTree | None:
        self._check()
        return self.trees.get(session)

    def misses(self, ns_id: int, ids: list[UUID]) -> dict[UUID, Miss | None]:
        self._check()
        return {id: self.missed.get(id) for id in ids}

    def caller(self, row: RequestRow) -> str | None:
        self._check()
        tools = self.trees[row.session_id].tools if row.session_id in self.trees else {}
        return tools.get(row.parent_call or "")

    def star(self, session: UUID, *, starred: bool) -> None:
        self._check()
        for one in (*self.session_list, *(tree.session for tree in self.trees.values())):
            if one.id == session:
                one.starred = starred

    def events(self, *, limit: int) -> list[EventRow]:
        self._check()
        return self.event_list[:limit]

    def totals(self, since: datetime) -> Totals:
        self._check()
        flows = [flow for flow in self.kept.values() if flow.started_at >= since]
        cost = sum((flow.cost_usd for flow in flows if flow.cost_usd), start=Decimal(0))
        running = sum(flow.state == "open" for flow in flows)
        return Totals(running=running, cost_today=cost, losses=self.losses)
