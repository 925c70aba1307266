"""How fast the store answers with a million flows in it.

    python -m benchmarks.store [--flows 1000000] [--calls 200] [--keep FOLDER]

Fills an embedded Postgres (benchmarks/filling.py), which takes two minutes with a million flows;
--keep leaves it there for the next time. Then reads over one connection what screens and commands
read. Prints milliseconds: p50 and p99 by the clock, and the mean of CPU (this process and Postgres)
a call, which other work on the machine does not change. The second table is read by a role that
sees the half of the flows that are in its namespace.
"""

import argparse
import os
import random
import statistics as figures
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from benchmarks.filling import KINDS, MODELS, WEEKS, WORDS, Filling, filled
from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.store import filters, progress, query, reads
from llmproxy_core.store.database import Database, open_database
from llmproxy_core.store.migrate import upgrade
from llmproxy_core.store.statistics import cost_per_day, statistics

WARM_UP = 5
FEW = 40
"""Calls of what has no limit."""

type Read = Callable[[Connection, random.Random], object]


class Timed(NamedTuple):
    """Of a read, in ms. `cpu`: the mean."""

    p50: float
    p99: float
    cpu: float


def reading(filling: Filling) -> dict[str, tuple[float | None, Read]]:
    """What is read, and in how many ms at most (p99)."""
    total = len(filling.ids)
    models = {name: filters.parse(f"model:{name}") for name in MODELS}
    failed = filters.parse("status:529")
    now = datetime.now(UTC)
    month, day = now - timedelta(days=28), now - timedelta(days=1)

    def by_model(name: str) -> Read:
        return lambda c, rng: reads.flows(c, where=models[name])

    def said(words: Callable[[random.Random], str]) -> Read:
        return lambda c, rng: reads.search(c, query.parse(words(rng)), limit=50)

    newest = range(total - total // WEEKS, total)
    return {
        "last page": (5, lambda c, rng: reads.flows(c)),
        "older page": (5, lambda c, rng: reads.flows(c, before=rng.choice(filling.ids))),
        "100 by their ids": (5, lambda c, rng: reads.flows_by_id(c, filling.ids[-100:])),
        "by model, half of all": (5, by_model(MODELS[0])),
        "by model, 1 of 60": (5, by_model(MODELS[5])),
        "by model, 1 of 4000": (5, by_model(MODELS[11])),
        "by session": (5, lambda c, rng: reads.flows(c, session=rng.choice(filling.sessions))),
        "by status, 1 of 100": (None, lambda c, rng: reads.flows(c, where=failed)),
        "last sessions": (5, lambda c, rng: reads.sessions(c)),
        "events of a kind": (5, lambda c, rng: reads.events(c, kind=rng.choice(KINDS))),
        "top models, a day": (5, lambda c, rng: statistics(c, "model", day, now)),
        "running, spent today": (
            5, lambda c, rng: (progress.running(c), progress.spent_since(c, day)),
        ),
        "cost per day, 28 days": (15, lambda c, rng: cost_per_day(c, month, now)),
        "percentiles, 28 days": (None, lambda c, rng: statistics(c, "model", month, now)),
        "summary": (None, lambda c, rng: reads.summary(c)),
        "search: one call, newest week": (25, said(lambda r: f"serial{r.choice(newest)}")),
        "search: no call": (25, said(lambda r: f"absent{r.random()}")),
        "search: common": (25, said(lambda r: f"word{r.randrange(1, 20)}")),
        "search: middling": (25, said(lambda r: f"word{r.randrange(20, 2000)}")),
        "search: rare": (25, said(lambda r: f"word{r.randrange(2000, WORDS)}")),
        "search: two words": (
            25, said(lambda r: f"word{r.randrange(1, 50)} word{r.randrange(50, 500)}"),
        ),
    }  # fmt: skip


def measure(database: Database, what: dict[str, tuple[float | None, Read]], calls: int) -> None:
    rng = random.Random(5)
    print(f"{'':32} {'p50':>8} {'p99':>8} {'CPU':>8}   p99 at most")
    with database.connect() as connection:
        for name, (most, read) in what.items():
            found = timed(connection, read, rng, min(calls, FEW) if most is None else calls)
            bound = "" if most is None else f"   {most}" + ("" if found.p99 <= most else "  OVER")
            print(f"  {name:30}" + "".join(f" {ms:8.2f}" for ms in found) + bound, flush=True)


def timed(connection: Connection, read: Read, rng: random.Random, calls: int) -> Timed:
    for _ in range(WARM_UP):
        read(connection, rng)
    times = []
    before = _cpu(connection)
    for _ in range(calls):
        start = time.perf_counter()
        read(connection, rng)
        times.append((time.perf_counter() - start) * 1000)
        connection.rollback()
    cuts = figures.quantiles(times, n=100)
    return Timed(cuts[49], cuts[98], (_cpu(connection) - before) / calls)


def _cpu(connection: Connection) -> float:
    """ms of this process and of its part of the server, as far as the system tells (Linux)."""
    driver: Any = connection.connection.driver_connection
    own = time.process_time_ns()
    try:
        told = Path(f"/proc/{driver.info.backend_pid}/schedstat").read_text()
    except OSError:
        return own / 1e6
    return (own + int(told.split()[0])) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flows", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=200, help="of each read that has a limit")
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        type=Path,
        help="leave the store there, and use it the next time",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(options.keep or Path(folder))
        home.path.mkdir(parents=True, exist_ok=True)
        with open_database(Config(), home) as database:
            upgrade(database)
            filling = filled(database, options.flows, home.path / "filled")
            _sizes(database, len(filling.ids))
            what = reading(filling)
            print(f"load average {os.getloadavg()[0]:.1f}; milliseconds:")
            measure(database, what, options.calls)
            print(f"load average {os.getloadavg()[0]:.1f}; a reader of one namespace:")
            with _reader(database) as restricted:
                measure(restricted, what, options.calls)


def _sizes(database: Database, flows: int) -> None:
    with database.raw() as connection:
        rows = connection.execute(
            "SELECT parent, sum(heap)::int8, sum(index)::int8 FROM (SELECT"
            "  coalesce((SELECT inhparent FROM pg_inherits WHERE inhrelid = c.oid), c.oid)"
            "  ::regclass::text AS parent, pg_table_size(c.oid) AS heap,"
            "  pg_indexes_size(c.oid) AS index FROM pg_class c"
            "  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) AS sizes"
            " GROUP BY 1 HAVING sum(heap) > 1000000 ORDER BY 2 DESC"
        ).fetchall()
    for table, heap, index in rows:
        print(f"  {table:32} {heap / flows:6.0f} + {index / flows:5.0f} bytes a flow (indexes)")


def _reader(database: Database) -> Database:
    with database.raw() as connection:
        connection.autocommit = True
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'bench_reader'").rowcount:
            connection.execute("CREATE ROLE bench_reader LOGIN IN ROLE llmproxy_reader")
            connection.execute("INSERT INTO namespace_members VALUES (2, 'bench_reader')")
        info = connection.info
        place = f"host={info.host} port={info.port} dbname={info.dbname}"
    return Database(f"{place} user=bench_reader")


if __name__ == "__main__":
    os.environ.pop("LLMPROXY_DATABASE_URL", None)
    main()
