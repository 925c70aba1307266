"""The writer's part of the search: rows of words, and indexes for the weeks that have grown."""

from collections.abc import Iterable
from typing import Any

import psycopg

from llmproxy_core.store.copying import Copier
from llmproxy_core.store.rows import SearchRow

type PgConnection = psycopg.Connection[Any]

LEAST_BYTES = 4 * 2**20
"""A week of search rows that is smaller is read through faster than an index would pay for."""
EVERY = 500
"""Rows between two looks at the sizes."""

MAKE_INDEXES = "SELECT llmproxy_index_search(%s)"


def store_words(connection: PgConnection, rows: Iterable[SearchRow], copier: Copier) -> None:
    """As text: the array literal of hundreds of numbers is made faster than their binary form."""
    with copier.into(connection, "search", "ns_id, id, words") as copy:
        for row in rows:
            words = ",".join(map(str, row.words))
            copy.write(f"{row.ns_id}\t{row.id}\t{{{words}}}\n")


class SearchIndex:
    """Makes the indexes of a week once it has LEAST_BYTES: a fraction of a second, once a week."""

    def __init__(self) -> None:
        self._rows = EVERY

    def grow(self, connection: PgConnection, rows: int) -> None:
        """`rows` more have been committed."""
        self._rows += rows
        if self._rows >= EVERY:
            self._rows = 0
            connection.execute(MAKE_INDEXES, [LEAST_BYTES])
