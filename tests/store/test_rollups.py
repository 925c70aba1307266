from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import Contribution
from llmproxy_core.store.database import Database
from llmproxy_core.store.statistics import By, Statistics, cost_per_day, statistics
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_request, a_response, new_id

HOUR = datetime(2026, 5, 17, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def ended(**changes: Any) -> Contribution:
    values: dict[str, Any] = {
        "ns_id": 1,
        "id": new_id(),
        "hour": HOUR,
        "provider": "openai",
        "model": "gpt-4o",
        "client": "python",
        "input_tokens": 100,
        "output_tokens": 10,
        "cost_usd": Decimal("0.25"),
        "duration_ms": 200.0,
    }
    return Contribution(**values | changes)


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    found = Writer(database)
    yield found
    found.close()


def told(database: Database, by: By = "model", zone: str = "UTC") -> dict[str, Statistics]:
    with database.connect() as connection:
        found = statistics(connection, by, HOUR - YEAR, HOUR + YEAR, zone=zone)
    return {one.name: one for one in found}


def test_calls_add_up_over_batches_and_writers(database: Database, writer: Writer) -> None:
    writer.write(Batch(rollups=[ended(), ended(error=True)]))
    writer.write(Batch(rollups=[ended(tool_calls=2)]))
    other = Writer(database)
    other.write(Batch(rollups=[ended(), ended(model="o3")]))
    other.close()

    found = told(database)
    assert {name: one.requests for name, one in found.items()} == {"gpt-4o": 4, "o3": 1}
    first = found["gpt-4o"]
    assert (first.errors, first.tool_calls, first.input_tokens) == (1, 2, 400)
    assert first.cost_usd == Decimal("1.00")


def test_a_writer_keeps_one_row_for_an_hour(database: Database, writer: Writer) -> None:
    for _ in range(20):
        writer.write(Batch(rollups=[ended()]))
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM rollups").scalar_one() == 1


def test_percentiles_are_right_to_two_percent(database: Database, writer: Writer) -> None:
    for start in (1, 501):
        rows = [ended(duration_ms=float(n)) for n in range(start, start + 500)]
        writer.write(Batch(rollups=rows))
    found = told(database)["gpt-4o"]
    assert found.duration_ms.p50 == pytest.approx(500, rel=0.021)
    assert found.duration_ms.p90 == pytest.approx(900, rel=0.021)
    assert found.duration_ms.p99 == pytest.approx(990, rel=0.021)
    assert found.first_token_ms.p50 is None


def test_days_are_those_of_a_zone(database: Database, writer: Writer) -> None:
    late = HOUR.replace(hour=23)
    writer.write(Batch(rollups=[ended(), ended(hour=late, cost_usd=Decimal(2))]))
    with database.connect() as connection:
        utc = cost_per_day(connection, HOUR - YEAR, HOUR + YEAR)
        east = cost_per_day(connection, HOUR - YEAR, HOUR + YEAR, zone="<east>-02:00")
    assert utc == {"2026-05-17": Decimal("2.25")}
    assert east == {"2026-05-17": Decimal("0.25"), "2026-05-18": Decimal(2)}


@pytest.mark.parametrize("by", ["model", "client", "provider", "namespace", "day", "hour"])
def test_every_grouping_counts_each_call_once(database: Database, writer: Writer, by: By) -> None:
    rows = [ended(model=m, client=c, provider=p) for m in "ab" for c in "cd" for p in "ef"]
    writer.write(Batch(rollups=rows))
    assert sum(one.requests for one in told(database, by).values()) == len(rows)


def test_an_answer_that_is_stored_already_is_not_counted_again(
    database: Database, writer: Writer
) -> None:
    request = a_request()
    batch = Batch(
        requests=[request], responses=[a_response(request)], rollups=[ended(id=request.id)]
    )
    writer.write(batch)
    writer.write(batch)
    assert told(database)["gpt-4o"].requests == 1


def test_what_was_rolled_back_is_not_counted(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(Batch(rollups=[ended()]))

    def lost(*_: Any) -> None:
        raise psycopg.OperationalError("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "_finish", lost)
        with pytest.raises(DatabaseUnavailable):
            writer.write(Batch(rollups=[ended()]))
    writer.write(Batch(rollups=[ended()]))
    assert told(database)["gpt-4o"].requests == 2
