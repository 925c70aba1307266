"""Selections are read oldest first, page by page, whatever chooses them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from llmproxy_core.store import filters, namespace_changes, selection
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.selection import Selection
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, a_response, new_id
from tests.store.lessons import a_pattern, a_signal, of_pattern

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


def dated(minutes: int, number: int) -> UUID:
    at = int((NOON + timedelta(minutes=minutes)).timestamp() * 1000)
    return UUID(int=at << 80 | 7 << 76 | 2 << 62 | number)


@pytest.fixture
def ids(database: Database) -> list[UUID]:
    """Ten flows a minute apart, every other one in another namespace; half of them answered."""
    writer = Writer(database)
    other = writer.namespace("other")
    requests = [
        a_request(ns_id=(1, other)[n % 2], id=dated(n, n), model=f"m{n}") for n in range(10)
    ]
    writer.write(Batch(requests=requests, responses=[a_response(row) for row in requests[:5]]))
    writer.close()
    return [row.id for row in requests]


def chosen(database: Database, **by: object) -> list[UUID]:
    return [flow.id for flow in selection.flows(database, Selection(**by))]  # type: ignore[arg-type]


@pytest.mark.parametrize("page", [1, 3, 10, 200])
def test_all_flows_come_oldest_first_whatever_the_page(database, ids, monkeypatch, page):
    monkeypatch.setattr(selection, "PAGE", page)

    assert chosen(database) == ids


def test_times_are_from_and_before(database, ids):
    since, until = NOON + timedelta(minutes=2), NOON + timedelta(minutes=5)

    assert chosen(database, since=since, until=until) == ids[2:5]


def test_all_conditions_must_hold(database, ids):
    assert chosen(database, namespace="other") == ids[1::2]
    assert chosen(database, ids=(ids[3], ids[4], new_id()), namespace="other") == [ids[3]]
    assert chosen(database, where=filters.parse("state:open"), since=NOON) == ids[5:]
    assert chosen(database, session=new_id()) == []


def test_only_what_is_answered_has_ended(database, ids):
    with database.connect() as connection:
        assert selection.ended(connection, "default", [*ids, new_id()]) == set(ids[0:5:2])
        assert selection.ended(connection, "none", ids) == set()


def test_a_namespace_is_found_by_the_name_that_it_had(database, ids):
    with database.raw() as connection:
        namespace_changes.rename(connection, "other", "another", "anna")
    for name in ("other", "another"):
        assert chosen(database, namespace=name) == ids[1::2]
        with database.connect() as connection:
            assert selection.ended(connection, name, ids) == {ids[1], ids[3]}


def test_calls_of_a_pattern_that_went_well(database):
    heir, gone, other = a_pattern(), a_pattern(), a_pattern(kind="system")
    gone.merged_into = heir.id
    calls = [a_request() for _ in range(4)]
    good, bad, merged, unknown = calls
    writer = Writer(database)
    writer.write(
        Batch(
            requests=calls,
            lessons=Lessons(
                patterns=[heir, gone, other],
                calls=[
                    *(of_pattern(call, heir) for call in (good, bad, unknown)),
                    of_pattern(merged, gone),
                    of_pattern(good, other),
                ],
                signals=[
                    *(a_signal(call) for call in (good, bad, merged)),
                    a_signal(bad, name="truncated", verdict="bad"),
                    a_signal(unknown, name="unavailable", verdict="bad"),
                ],
            ),
        )
    )
    writer.close()

    assert chosen(database, pattern=heir.id) == [call.id for call in calls]
    assert chosen(database, pattern=heir.id, good=True) == [good.id, merged.id]
    assert chosen(database, pattern=other.id) == [good.id]
    assert chosen(database, good=True, counting=frozenset({"truncated"})) == []
