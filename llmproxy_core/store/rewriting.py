"""A week's partitions, dropped or replaced by ones with the survivors, beside readers and writers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from llmproxy_core.store import statements
from llmproxy_core.store.steps import SHORT_WAIT
from llmproxy_core.store.survival import Survival

type PgConnection = psycopg.Connection[Any]

REMADE = "_remade"
IN_TURN = ("requests", "responses", "tool_calls", "analytics_events", "blobs")
"""Locked in the order in which the writer locks them."""

COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
BOUNDS = """
SELECT pg_get_expr(relpartbound, oid), pg_get_partition_constraintdef(oid)
FROM pg_class WHERE oid = %s::regclass
"""
INDEXES = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass
"""
STARRED = """
EXISTS (SELECT FROM sessions s
    WHERE s.ns_id = o.ns_id AND s.id = o.session_id AND s.starred)
"""
OF_STARRED = """
EXISTS (SELECT FROM requests r JOIN sessions s ON s.ns_id = r.ns_id AND s.id = r.session_id
    WHERE r.ns_id = o.ns_id AND r.id = o.{key} AND s.starred)
"""
BLOB_KEPT = """
EXISTS (SELECT FROM kept_blobs k
    WHERE k.ns_id = o.ns_id AND k.epoch = o.epoch AND k.hash = o.hash)
"""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which rows of a week go: those of the namespaces `due`, starred sessions left out."""

    suffix: str
    tables: tuple[str, ...]
    due: tuple[int, ...]

    @property
    def in_turn(self) -> list[str]:
        others = sorted(set(self.tables) - set(IN_TURN))
        return [table for table in (*IN_TURN, *others) if table in self.tables]


def has_survivors(connection: PgConnection, week: Condition) -> bool:
    """Does any row stay? Blobs without documents do not count."""
    return any(
        _exists(connection, _select(connection, week, table, sql.SQL("SELECT 1")))
        for table in week.in_turn
        if table != "blobs"
    )


def is_removable(connection: PgConnection, week: Condition) -> bool:
    """Does any row go?"""
    return any(
        _exists(connection, _select(connection, week, table, sql.SQL("SELECT 1"), go=True))
        for table in week.in_turn
        if table != "blobs"
    )


class Rewriting:
    """Of one week. Each method is a transaction of its own."""

    def __init__(self, connection: PgConnection, week: Condition) -> None:
        self._connection = connection
        self._week = week
        self._clear()

    def removable_requests(self) -> dict[int, int]:
        """How many go, by namespace."""
        query = _select(
            self._connection, self._week, "requests", sql.SQL("SELECT o.ns_id, count(*)"), go=True
        )
        grouped = sql.SQL("{} GROUP BY o.ns_id").format(query)
        return dict(self._connection.execute(grouped).fetchall())

    def copy_survivors(self) -> None:
        """Into new tables beside the old ones, ready to be attached."""
        connection = self._connection
        connection.execute("SET statement_timeout = 0")
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for table in self._week.in_turn:
                if table == "blobs":
                    self._find_blobs()
                self._copy(table)

    def replace(self, tell: Callable[[], None]) -> bool:
        """Put the new tables in the place of the old; False if survivors came or left meanwhile,
        or others held the locks."""
        return self._in_short(tell, self._is_unchanged, remade=True)

    def drop(self, tell: Callable[[], None]) -> bool:
        """Drop all; False as with `replace`."""
        return self._in_short(
            tell, lambda: not has_survivors(self._connection, self._week), remade=False
        )

    def _in_short(
        self, tell: Callable[[], None], is_right: Callable[[], bool], *, remade: bool
    ) -> bool:
        connection = self._connection
        done = False
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{SHORT_WAIT}'")
                for table in self._week.in_turn:
                    self._run("LOCK TABLE {old} IN SHARE MODE", table)
                connection.execute(statements.WAIT_FOR_STARS)
                if is_right():
                    connection.execute(statements.WAIT_FOR_WRITERS)
                    self._exchange(remade=remade)
                    tell()
                    done = True
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            done = False
        if not done:
            self._clear()
        return done

    def _exchange(self, *, remade: bool) -> None:
        for table in self._week.in_turn:
            bounds, _ = self._bounds(table)
            self._run("ALTER TABLE {table} DETACH PARTITION {old}", table)
            self._run("DROP TABLE {old}", table)
            if remade:
                self._rename(table)
                attach = "ALTER TABLE {table} ATTACH PARTITION {old} " + bounds
                self._run(attach, table)
                self._run("ALTER TABLE {old} DROP CONSTRAINT bounds", table)

    def _rename(self, table: str) -> None:
        new, old = table + self._week.suffix + REMADE, table + self._week.suffix
        for (name,) in self._connection.execute(INDEXES, [new]).fetchall():
            rename = sql.SQL("ALTER INDEX {} RENAME TO {}")
            to = sql.Identifier(name.replace(new, old))
            self._connection.execute(rename.format(sql.Identifier(name), to))
        self._run("ALTER TABLE {new} RENAME TO {old}", table)

    def _copy(self, table: str) -> None:
        _, constraint = self._bounds(table)
        names = [name for (name,) in self._connection.execute(COLUMNS, [table])]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        self._run("CREATE TABLE {new} (LIKE {table} INCLUDING ALL)", table)
        self._run("ALTER TABLE {new} ENABLE ROW LEVEL SECURITY", table)
        self._run("ALTER TABLE {new} ADD CONSTRAINT bounds CHECK (" + constraint + ")", table)
        survivors = _select(
            self._connection, self._week, table, sql.SQL("SELECT {}").format(columns)
        )
        insert = sql.SQL("INSERT INTO {} ({}) {}").format(self._new(table), columns, survivors)
        self._connection.execute(insert)
        self._run("ANALYZE {new}", table)

    def _find_blobs(self) -> None:
        """Those that the documents of survivors need. A namespace that stays keeps all."""
        survival = Survival(self._connection)
        for table in ("requests", "responses"):
            survival.read(self._new(table), self._week.due)
        survival.keep()

    def _is_unchanged(self) -> bool:
        """Under a lock that stops writers of this week alone: are the survivors all copied?"""
        return all(
            self._count(_select(self._connection, self._week, table, sql.SQL("SELECT count(*)")))
            == self._count(sql.SQL("SELECT count(*) FROM {}").format(self._new(table)))
            for table in self._week.in_turn
        )

    def _clear(self) -> None:
        """Remove what a rewriting that was killed has left."""
        for table in self._week.in_turn:
            self._run("DROP TABLE IF EXISTS {new}", table)

    def _count(self, query: sql.Composed) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _bounds(self, table: str) -> tuple[str, str]:
        row = self._connection.execute(BOUNDS, [table + self._week.suffix]).fetchone()
        bounds, constraint = row or ("", "true")
        return str(bounds), str(constraint)

    def _new(self, table: str) -> sql.Identifier:
        return sql.Identifier(table + self._week.suffix + REMADE)

    def _run(self, statement: str, table: str) -> None:
        self._connection.execute(
            sql.SQL(statement).format(
                table=sql.Identifier(table),
                old=sql.Identifier(table + self._week.suffix),
                new=self._new(table),
            )
        )


def _select(
    connection: PgConnection, week: Condition, table: str, what: sql.Composable, *, go: bool = False
) -> sql.Composed:
    """`what` of the rows of a partition that stay, or that go."""
    starred = _starred(connection, table)
    stays = sql.SQL("(NOT o.ns_id = ANY ({}) OR {})").format(sql.Literal(list(week.due)), starred)
    return sql.SQL("{} FROM {} o WHERE {}{}").format(
        what, sql.Identifier(table + week.suffix), sql.SQL("NOT " if go else ""), stays
    )


def _starred(connection: PgConnection, table: str) -> sql.Composable:
    if table == "requests":
        return sql.SQL(STARRED)
    if table == "blobs":
        return sql.SQL(BLOB_KEPT)
    names = [name for (name,) in connection.execute(COLUMNS, [table])]
    key = "request_id" if "request_id" in names else "id"
    return sql.SQL(OF_STARRED).format(key=sql.Identifier(key))


def _exists(connection: PgConnection, query: sql.Composable) -> bool:
    row = connection.execute(sql.SQL("SELECT EXISTS ({})").format(query)).fetchone()
    return bool(row and row[0])
