"""Calls that wait to be judged: in memory as far as there is room, else as what the store has."""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.policies import Policies
from llmproxy_core.store.guard_rows import UnjudgedRow
from llmproxy_core.worker.cases import Case, Evidence

MOST_HELD = 32 * 2**20
"""Characters of texts that wait in memory; of what is more, the store is asked again."""
MOST_ROWS = 50_000
"""Calls that are asked for at a time, of those that are left over."""

logger = logging.getLogger(__name__)


class Docket(Protocol):
    """What the store knows of calls that are to be judged. Raises DatabaseUnavailable."""

    def unjudged(self, home: str, limit: int) -> Sequence[UnjudgedRow]:
        """The oldest that are left over."""
        ...

    def case(self, row: UnjudgedRow, policies: Policies) -> Case | None:
        """The call, read again; None: it is gone."""
        ...


class Backlog:
    """Of the worker of a home, first come, first served."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._cases: deque[Case] = deque()
        self._held = 0
        self._elsewhere: deque[tuple[UnjudgedRow, list[Evidence]]] = deque()
        """Those that are to be read again, with what was found that is in no text."""
        self._asked = False
        self._ours: set[bytes] = set()
        """All calls that this worker has put aside and not finished: the store names them, too."""

    def __len__(self) -> int:
        return len(self._cases) + len(self._elsewhere)

    def row(self, case: Case) -> UnjudgedRow:
        request = any(side == "request" for side, _ in case.texts)
        return UnjudgedRow(case.ns_id, UUID(bytes=case.flow), self._home, request)

    def put(self, case: Case) -> None:
        self._ours.add(case.flow)
        if self._held + case.characters > MOST_HELD:
            self._elsewhere.append((self.row(case), case.beside))
        else:
            self._held += case.characters
            self._cases.append(case)

    def take(self, docket: Docket, policies: Policies) -> Case | None:
        """The next one; None: there is none. `finished` is to be told. Raises DatabaseUnavailable."""
        if self._cases:
            case = self._cases.popleft()
            self._held = max(0, self._held - case.characters)
            return case
        if not self._elsewhere and not self._ask(docket):
            return None
        row, beside = self._elsewhere[0]
        case = _read_again(row, docket, policies)
        case.evidence += beside
        self._elsewhere.popleft()
        return case

    def finished(self, case: Case) -> None:
        """What was found is stored, and the store names it no more."""
        self._ours.discard(case.flow)

    def _ask(self, docket: Docket) -> bool:
        """For what was left when a worker ended. Is there any?"""
        if not self._asked:
            rows = docket.unjudged(self._home, MOST_ROWS)
            self._elsewhere += ((row, []) for row in rows if row.id.bytes not in self._ours)
            self._asked = len(rows) < MOST_ROWS
        return bool(self._elsewhere)


def _read_again(row: UnjudgedRow, docket: Docket, policies: Policies) -> Case:
    """What is gone, or damaged, has nothing to be judged."""
    try:
        found = docket.case(row, policies)
    except DatabaseUnavailable:
        raise
    except Exception as exc:  # noqa: BLE001  fails open: the other calls are judged
        logger.warning(f"the call {row.id} is not judged: {type(exc).__name__}: {exc}")
        found = None
    return found or Case(row.ns_id, "", row.id.bytes, 0)
