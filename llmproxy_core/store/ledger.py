"""Running totals of one writer: in memory, and written over its own rows.

Each batch replaces the rows of what it touched, so that the server adds up nothing. A writer
counts only what it has committed; whenever that is in doubt it begins new rows (another `part`).
Whoever reads adds up the parts.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import psycopg


class Totals[Row](Protocol):
    def add(self, row: Row, /) -> None: ...

    def values(self) -> list[Any]: ...

    def copy(self) -> Self: ...


class Ledger[Row]:
    """`write` within a transaction, `commit` or `doubt` after it.

    `put`: writes a key, the part and the values of its totals over the row of that key and part.
    `key`: of the totals that a row adds to. `most_held`: totals in memory.
    """

    def __init__(
        self,
        put: str,
        key: Callable[[Row], tuple[Any, ...]],
        begin: Callable[[], Totals[Row]],
        most_held: int,
    ) -> None:
        self._put = put
        self._key = key
        self._begin = begin
        self._most_held = most_held
        self._held: dict[tuple[Any, ...], Totals[Row]] = {}
        self._touched: dict[tuple[Any, ...], Totals[Row]] = {}
        self._part = _new_part()

    def write(self, connection: psycopg.Connection[Any], rows: Sequence[Row]) -> None:
        """Store what the rows make of the totals."""
        self._touched = {}
        for row in rows:
            key = self._key(row)
            if (totals := self._touched.get(key)) is None:
                known = self._held.get(key)
                totals = self._touched[key] = known.copy() if known else self._begin()
            totals.add(row)
        if self._touched:
            with connection.cursor() as cursor:
                cursor.executemany(
                    self._put,
                    [
                        [*key, self._part, *self._touched[key].values()]
                        for key in sorted(self._touched)
                    ],
                )

    def commit(self) -> None:
        """The transaction of the last `write` was committed."""
        self._held |= self._touched
        self._touched = {}
        if len(self._held) > self._most_held:
            self.doubt()

    def doubt(self) -> None:
        """It was rolled back, or nobody knows: go on in new rows."""
        self._held, self._touched = {}, {}
        self._part = _new_part()


def _new_part() -> int:
    return secrets.randbits(62)
