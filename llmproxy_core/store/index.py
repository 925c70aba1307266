"""The writer's part of what grows with a week: its indexes, and where its words are kept.

In a small week, words are packed beside the answers, and read through. One that has grown gets
indexes; its words are rows of `search` from then on.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store.call_rows import ResponseRow, SearchRow
from llmproxy_core.store.copying import Copier
from llmproxy_core.store.partitions import epoch_of
from llmproxy_core.words import packed

type PgConnection = psycopg.Connection[Any]

LEAST_BYTES = 4 * 2**20
"""A week whose requests and answers take less is read through faster than indexes pay for."""
EVERY = 500
"""Rows between two looks at the sizes."""
MOST = 1400
"""Words that are kept beside an answer: 3 KB."""

MAKE_INDEXES = "SELECT epoch, indexed FROM llmproxy_index_weeks(%s)"


def store_words(connection: PgConnection, rows: Iterable[SearchRow], copier: Copier) -> None:
    """As text: the array literal of hundreds of numbers is made faster than their binary form."""
    with copier.into(connection, "search", "ns_id, id, words") as copy:
        for row in rows:
            words = ",".join(map(str, row.words))
            copy.write(f"{row.ns_id}\t{row.id}\t{{{words}}}\n")


class WeekIndexes:
    """Makes the indexes of a week once it has LEAST_BYTES: a fraction of a second, once a week.

    Also has a week analyzed whenever it has doubled: autovacuum comes once a minute at most.
    """

    def __init__(self) -> None:
        self._rows = EVERY
        self._weeks: dict[int, bool] = {}
        self._before = False

    def spare(self, rows: Sequence[SearchRow], answers: Iterable[ResponseRow]) -> list[SearchRow]:
        """Puts words beside their answers where the week is small; gives the other rows."""
        answered = {row.id: row for row in answers}
        others = []
        for row in rows:
            answer = answered.get(row.id)
            small = len(row.words) <= MOST and not self._has(row.id)
            if answer is not None:
                answer.words = packed(row.words) if small else None
            if answer is None or not small:
                others.append(row)
        return others

    def _has(self, id: UUID) -> bool:
        """Has its week indexes, as far as is known?"""
        epoch = epoch_of(id)
        if epoch < min(self._weeks, default=0):
            return self._before
        return self._weeks.get(epoch, False)

    def grow(self, connection: PgConnection, rows: int) -> None:
        """`rows` more have been committed."""
        self._rows += rows
        if self._rows >= EVERY:
            self._rows = 0
            found = connection.execute(MAKE_INDEXES, [LEAST_BYTES])
            weeks = dict(found.fetchall())
            self._before = weeks.pop(None, False)
            self._weeks = weeks
