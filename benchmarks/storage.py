"""What a long session takes in the store, and how fast its bodies come out again.

    python -m benchmarks.storage [--turns 200 400] [--rebuild 200] [--warm-up 10]

Sends a session of a coding agent (tests/worker/agent_session.py) through the spool and the worker
into an embedded Postgres. Prints for each length: bytes sent, bytes by which all tables, indexes
and TOAST have grown (after VACUUM), their ratio, the growth by table; then p50 and p99 of reading
a whole flow, in ms, and of rebuilding its request alone; and CPU µs a call of the worker.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from llmproxy_core.config import Config
from llmproxy_core.hashing import content_hash
from llmproxy_core.home import Home, private_folder
from llmproxy_core.spool import SpoolWriter
from llmproxy_core.store import documents, reads
from llmproxy_core.store.database import Database, open_database
from llmproxy_core.store.migrate import upgrade
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.storage import DatabaseStorage
from tests.worker.agent_session import SUBAGENTS, session
from tests.worker.traffic import NOON, SECOND, append

WARM_UP = 10
SIZES = text("""
    SELECT coalesce(parent.relname, c.relname), sum(pg_total_relation_size(c.oid))::bigint
    FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    LEFT JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relnamespace = current_schema()::regnamespace
    GROUP BY 1
""")


@dataclass
class Measured:
    """`sent`: bytes of all requests. `answered`: of all answers. `cpu`: s of the worker."""

    calls: int
    sent: int
    answered: int
    grown: dict[str, int]
    cpu: float
    bodies: dict[UUID, bytes]
    """Hash of the request's body, by flow."""

    @property
    def stored(self) -> int:
        return sum(self.grown.values())

    @property
    def ratio(self) -> float:
        return self.sent / self.stored


def measure(
    home: Home,
    config: Config,
    database: Database,
    turns: int,
    subagents: int = SUBAGENTS,
    warm_up: int = WARM_UP,
) -> Measured:
    """Store a session, after another one of `warm_up` turns: what a table takes when it has its
    first rows is not counted."""
    journal = SpoolWriter(home.spool)
    storage = DatabaseStorage(config, home)
    intake = Intake(home.spool, storage)
    for call in session(warm_up, 2, seed=2, begin=NOON - 3600 * SECOND):
        append(journal, call.records)
        while intake.collect() or intake.due:
            intake.commit()
    before = sizes(database)
    calls = sent = answered = 0
    cpu = 0.0
    bodies: dict[UUID, bytes] = {}
    for call in session(turns, subagents):
        calls, sent, answered = calls + 1, sent + len(call.body), answered + len(call.answer)
        append(journal, call.records)
        bodies[UUID(bytes=call.records[0][0].id)] = content_hash(call.body)
        began = time.process_time()
        while intake.collect() or intake.due:
            intake.commit()
        cpu += time.process_time() - began
    journal.close()
    while intake.collect() or intake.waiting:
        intake.commit()
    storage.close()
    after = sizes(database)
    grown = {name: size - before.get(name, 0) for name, size in after.items()}
    return Measured(calls, sent, answered, grown, cpu, bodies)


def sizes(database: Database) -> dict[str, int]:
    with database.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        connection.commit()
        driver.autocommit = True
        driver.execute("VACUUM ANALYZE")
        driver.execute("CHECKPOINT")
        driver.autocommit = False
        return dict(connection.execute(SIZES).all())


def rebuild(database: Database, measured: Measured, most: int) -> Iterator[tuple[float, float]]:
    """ms of reading a flow, and of its request's document alone."""
    ids = random.Random(1).sample(list(measured.bodies), min(most, len(measured.bodies)))
    with database.connect() as connection:
        for id in ids:
            began = time.perf_counter()
            found = reads.flow(connection, id)
            middle = time.perf_counter()
            proof = measured.bodies[id]
            documents.documents(connection, "requests", {(1, id): proof})
            end = time.perf_counter()
            assert found is not None
            assert content_hash(found.request.body) == proof
            yield (middle - began) * 1000, (end - middle) * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, nargs="*", default=[200, 400])
    parser.add_argument("--rebuild", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help="turns that are not counted")
    options = parser.parse_args()
    for turns in options.turns:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder))
            private_folder(home.spool)
            with open_database(Config(), home) as database:
                upgrade(database)
                measured = measure(home, Config(), database, turns, warm_up=options.warm_up)
                _tell(turns, measured)
                _tell_times(list(rebuild(database, measured, options.rebuild)))


def _tell(turns: int, found: Measured) -> None:
    print(
        f"{turns} turns, {found.calls} calls: {found.sent:,} bytes sent, {found.answered:,} "
        f"answered; {found.stored:,} stored: 1/{found.ratio:.1f} of what was sent, "
        f"{found.stored / found.calls:,.0f} a call; worker {1e6 * found.cpu / found.calls:,.0f} µs "
        "CPU a call"
    )
    for name, size in sorted(found.grown.items(), key=lambda pair: -pair[1]):
        if size:
            print(f"    {name:20} {size:10,}")


def _tell_times(times: list[tuple[float, float]]) -> None:
    for name, column in zip(("flow", "request alone"), zip(*times, strict=True), strict=True):
        cuts = statistics.quantiles(column, n=100)
        print(f"    reading a {name}: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms")


if __name__ == "__main__":
    main()
