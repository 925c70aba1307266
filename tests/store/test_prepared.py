"""Queries that are built once and run by the driver."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import ARRAY, Integer, Uuid, bindparam, func, select, text

from llmproxy_core.errors import StoreError
from llmproxy_core.store.database import Database
from llmproxy_core.store.prepared import Prepared

ID = UUID(int=7)
MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_values_are_given_when_it_runs(database: Database) -> None:
    numbers = func.unnest(bindparam("numbers", type_=ARRAY(Integer))).column_valued("n")
    query = Prepared(select(numbers, bindparam("id", type_=Uuid)).where(numbers > 1))
    with database.connect() as connection:
        assert query.rows(connection, numbers=[1, 2, 3], id=ID) == [(2, ID), (3, ID)]
        assert query.rows(connection, numbers=[], id=ID) == []


def test_values_come_as_python_has_them(database: Database) -> None:
    query = Prepared(
        text("""
        SELECT 0.10::numeric, timestamptz '2026-11-22 10:30+01', '{a,b}'::text[],
            '{"a": [1.5, null]}'::jsonb, '\\xff00'::bytea, 5 % 3
        """)
    )
    with database.connect() as connection:
        [row] = query.rows(connection)
    assert row == (Decimal("0.10"), MOMENT, ["a", "b"], {"a": [1.5, None]}, b"\xff\x00", 2)


def test_what_the_database_refuses_is_told(database: Database) -> None:
    with pytest.raises(StoreError, match="division by zero"), database.connect() as connection:
        Prepared(text("SELECT 1 / :zero")).rows(connection, zero=0)
    with database.connect() as connection:
        assert Prepared(text("SELECT 1")).rows(connection) == [(1,)]
