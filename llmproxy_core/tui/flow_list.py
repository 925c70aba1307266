"""The flows a table shows: newest first, each once, with a filter and a pause. No screen in it."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from uuid import UUID

from llmproxy_core.store.flows import Flow
from llmproxy_core.tui.overlap import below

KEPT = 2_000
"""Rows kept when the list is trimmed; it is trimmed at twice that."""
NOTHING = UUID(int=0)


class FlowList:
    """Rows in the order of their ids (uuidv7: the time they began), the newest first."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self.accepts: Callable[[Flow], bool] = lambda _flow: True
        self.exhausted = False
        """There is nothing older in the store than what is here."""
        self.paused = False
        self._whole_to: UUID | None = NOTHING
        """Above this flow some may be missing; None: none is."""
        self._keys: list[int] = []
        self._held: dict[UUID, Flow] = {}

    def __len__(self) -> int:
        return len(self.flows)

    @property
    def held(self) -> int:
        """How many flows began while paused."""
        return sum(flow.id not in self for flow in self._held.values())

    def __contains__(self, flow_id: UUID) -> bool:
        return self._index(flow_id) is not None

    @property
    def has_missed(self) -> bool:
        """There may be a hole, until the newest page has been read."""
        return self._whole_to is not None

    def miss(self) -> None:
        """Flows began that `update` does not get."""
        if self._whole_to is None:
            self._whole_to = self.flows[0].id if self.flows else NOTHING

    def _place(self, flow_id: UUID) -> int:
        return bisect_left(self._keys, -flow_id.int)

    def _index(self, flow_id: UUID) -> int | None:
        index = self._place(flow_id)
        found = index < len(self._keys) and self._keys[index] == -flow_id.int
        return index if found else None

    def replace(self, flows: Iterable[Flow], *, exhausted: bool) -> None:
        """Start over with what the store says."""
        self.flows = []
        self._keys = []
        self._held = {}
        self._whole_to = None
        self.exhausted = exhausted
        for flow in flows:
            self._put(flow)

    def join(self, newest: list[Flow], *, exhausted: bool) -> None:
        """Take in the newest page of the store; where it does not reach down to the lines that
        are here, these go: there would be a hole between the two."""
        whole = self.flows if self._whole_to is None else self.flows[self._place(self._whole_to) :]
        older = below(newest, whole)
        for flow in newest:
            self._put(flow)
        if not older and exhausted:
            self.exhausted = True
        elif not older:
            self._keep(self._place(newest[-1].id) + 1)
        self._whole_to = None

    def extend(self, older: list[Flow], *, exhausted: bool) -> None:
        """Add a page of older flows."""
        self.exhausted = exhausted
        for flow in older:
            self._put(flow)

    def update(self, flows: Iterable[Flow]) -> int:
        """Take in flows that began or changed; returns how many lines are new.

        While paused they are held back. What is older than the oldest line would leave a hole
        between the two, so it waits until its page is loaded.
        """
        if self.paused:
            for flow in flows:
                if self.accepts(flow):
                    self._held[flow.id] = flow
                else:
                    self._held.pop(flow.id, None)
            return 0
        return sum(self._take(flow) for flow in flows)

    def resume(self) -> int:
        """End the pause; returns how many lines are new."""
        self.paused = False
        held, self._held = self._held, {}
        return self.update(held.values())

    def trim(self) -> None:
        """Forget the oldest lines once there are far more than anybody looks at."""
        if len(self.flows) > 2 * KEPT:
            self._keep(KEPT)

    def running(self) -> list[Flow]:
        return [flow for flow in self.flows if flow.state == "open"]

    def _keep(self, newest: int) -> None:
        del self.flows[newest:], self._keys[newest:]
        self.exhausted = False

    def _take(self, flow: Flow) -> bool:
        if not self.accepts(flow):
            self._drop(flow.id)
            return False
        if self._keys and not self.exhausted and -flow.id.int > self._keys[-1]:
            return False
        return self._put(flow)

    def _put(self, flow: Flow) -> bool:
        key = -flow.id.int
        index = bisect_left(self._keys, key)
        if index < len(self._keys) and self._keys[index] == key:
            self.flows[index] = _later(self.flows[index], flow)
            return False
        self._keys.insert(index, key)
        self.flows.insert(index, flow)
        return True

    def _drop(self, flow_id: UUID) -> None:
        index = self._index(flow_id)
        if index is not None:
            del self.flows[index], self._keys[index]


def _later(known: Flow, other: Flow) -> Flow:
    """A flow that has ended does not open again: an older reading may come in late."""
    return known if other.state == "open" and known.state != "open" else other
