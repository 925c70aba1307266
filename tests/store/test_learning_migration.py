"""Migration 0015 on a store that has calls: once, again, and on what an earlier run has left."""

from collections.abc import Iterator

import pytest

from llmproxy_core.home import Home
from llmproxy_core.store import migrate, partitions
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.writer import Writer
from tests.postgres import at_version
from tests.store.flows import a_request, a_response
from tests.store.lessons import a_change, a_pattern, a_signal, a_sum, of_pattern
from tests.store.test_weeks import ONE_REQUEST, ONE_RESPONSE

NEW = (
    "advised", "applied", "enhancements", "experiment_units", "experiments", "pattern_calls",
    "pattern_days", "pattern_history", "pattern_versions", "prompt_patterns", "signals",
    "transformations", "unlearnt",
)  # fmt: skip


@pytest.fixture
def before(postgres_home: Home) -> Iterator[Database]:
    """As the version before left it, with 3,000 calls of this week and one of long ago."""
    with at_version(postgres_home, "0014") as database:
        with database.raw() as connection:
            for statement in (ONE_REQUEST, ONE_RESPONSE):
                connection.execute(statement, [1, 3_000])
            connection.execute("SELECT llmproxy_index_weeks(0)")
        yield database


def learn(database: Database) -> None:
    request, pattern = a_request(), a_pattern()
    lessons = Lessons(
        patterns=[pattern],
        calls=[of_pattern(request, pattern)],
        signals=[a_signal(request)],
        sums=[a_sum(pattern)],
        applied=[a_change(request)],
    )
    writer = Writer(database)
    writer.write(Batch(requests=[request], responses=[a_response(request)], lessons=lessons))
    writer.close()


def state(database: Database) -> dict[str, object]:
    """Tables, indexes, policies and functions, with how much is in the new tables."""
    with database.raw() as connection:
        rows = connection.execute(
            "SELECT relname, relkind, relrowsecurity FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        ).fetchall()
        functions = connection.execute(
            "SELECT proname, md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " ORDER BY 1"
        ).fetchall()
        rules = connection.execute(
            "SELECT polrelid::regclass::text, polname, pg_get_expr(polqual, polrelid)"
            " FROM pg_policy ORDER BY 1, 2"
        ).fetchall()
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in NEW
        }
    return {"rows": rows, "functions": functions, "rules": rules, "counts": counts}


def test_a_store_with_calls_is_brought_up_and_learns(before: Database) -> None:
    assert migrate.upgrade(before).state == "current"
    learn(before)
    with before.raw() as connection:
        calls = connection.execute("SELECT count(*) FROM requests").fetchone()
        assert calls == (3_001,)
        parts = {(part.table, part.epoch) for part in partitions.sizes(connection)}
    for table in ("pattern_calls", "signals", "applied"):
        weeks = {epoch for name, epoch in parts if name == table}
        assert weeks == {epoch for name, epoch in parts if name == "requests"}, table


def test_it_may_be_run_again_over_what_it_has_made(before: Database) -> None:
    migrate.upgrade(before)
    learn(before)
    found = state(before)
    with before.raw() as connection:
        connection.execute("UPDATE llmproxy_schema SET version_num = '0014'")
    assert migrate.status(before).state == "behind"
    migrate.upgrade(before)
    assert state(before) == found


def test_who_goes_back_to_a_backup_comes_up_again(before: Database) -> None:
    """There is no way down: the tables are gone in a backup of before, and so made anew."""
    migrate.upgrade(before)
    learn(before)
    found = state(before)
    with before.raw() as connection:
        connection.execute(f"DROP TABLE {', '.join(NEW)}")
        connection.execute("UPDATE llmproxy_schema SET version_num = '0014'")
    migrate.upgrade(before)
    learn(before)
    again = state(before)
    assert again == found
