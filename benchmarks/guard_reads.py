"""How fast the queue of anomalies is read with a million of them in it.

    python -m benchmarks.guard_reads [--rows 1000000]

Fills an embedded Postgres, which takes a minute, then prints milliseconds by the clock: p50 and the
longest of 30.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.store import anomalies, decisions, labels, partitions
from llmproxy_core.store.anomalies import Queue
from llmproxy_core.store.database import Database, driver, open_database
from llmproxy_core.store.guard_rows import STATUSES
from llmproxy_core.store.migrate import upgrade

TIMES = 30
POLICIES = [f"p{n}" for n in range(8)]

# one every half second; 1 in 10 is open, 1 in 100,000 critical
ANOMALIES = """
INSERT INTO namespaces (ns_id, name) VALUES (2, 'two'), (3, 'three');
INSERT INTO anomalies
SELECT 1 + n % 3, id, id, 'request', at, 'd' || n % 10,
    (ARRAY['secret', 'pii', 'injection', 'indirect_injection', 'exfiltration', 'hidden_text',
        'dangerous_tool', 'unusual_use'])[1 + n % 8],
    0.7, CASE WHEN n % 100000 = 7 THEN 'critical' WHEN n % 50 = 0 THEN 'high'
        WHEN n % 3 = 0 THEN 'medium' ELSE 'low' END,
    'user', 'text', '', 'Something was found in what somebody said', repeat('x', 200), 80, 120,
    gen_random_uuid(), gen_random_uuid(), 1, at, id,
    CASE WHEN n % 20 = 0 THEN 'detected' WHEN n % 20 = 1 THEN 'acknowledged'
        WHEN n % 1000 = 2 THEN 'false_positive' ELSE 'resolved' END,
    CASE WHEN n % 20 > 0 THEN 'anna' END, NULL, CASE WHEN n % 20 > 0 THEN at END
FROM (
    SELECT n, now() - ({rows} - n) * interval '0.5 s' AS at,
        (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - ({rows} - n) * 500), 12, '0')
            || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text || 'x'), 1, 15)
        )::uuid AS id
    FROM generate_series(1, {rows}) AS n
) AS made
"""
DECISIONS = """
INSERT INTO policy_decisions
SELECT ns_id, request_id, id, at, 'p' || (get_byte(uuid_send(id), 15) % 8), 'shadow', 'flag',
    'flagged', '', ARRAY[id]
FROM anomalies
"""
NAMES = """
INSERT INTO security_policies (name, expression, action, mode, priority, settings, origin, since,
    created_by, updated_by)
SELECT name, 'true', 'flag', 'shadow', 0, '{}', 'database', '2020-01-01', 'a', 'a'
FROM unnest(%s::text[]) AS name
"""


def fill(database: Database, rows: int) -> None:
    now, weeks = partitions.epoch_now(), rows * 500 // partitions.WEEK_MS + 1
    with database.raw() as connection:
        connection.autocommit = True
        connection.execute("SET statement_timeout = 0")
        partitions.ensure(connection, range(now - weeks, now + 2))
        connection.execute(ANOMALIES.format(rows=rows))
        connection.execute(DECISIONS)
        connection.execute(NAMES, [POLICIES])
        connection.execute("VACUUM ANALYZE")


def measure(database: Database) -> None:
    with database.connect() as conn:
        first = anomalies.anomalies(conn)
        last, hour_ago = first[-1].id, datetime.now(UTC) - timedelta(hours=1)
        asked: dict[str, Callable[[], object]] = {
            "the queue": lambda: anomalies.anomalies(conn),
            "its next page": lambda: anomalies.anomalies(conn, before=last),
            "of any status": lambda: anomalies.anomalies(conn, Queue(STATUSES)),
            "critical": lambda: anomalies.anomalies(conn, Queue(severities=("critical",))),
            "of an hour": lambda: anomalies.anomalies(conn, Queue(since=hour_ago)),
            "of a family": lambda: anomalies.anomalies(conn, Queue(families=("hidden_text",))),
            "of a family without any": lambda: anomalies.anomalies(
                conn, Queue(STATUSES, families=("jailbreak",))
            ),
            "of a namespace": lambda: anomalies.anomalies(conn, Queue(namespace="two")),
            "by words that are nowhere": lambda: anomalies.anomalies(conn, Queue(words=("zebra",))),
            "of a call": lambda: anomalies.of_flow(conn, last),
            "counts": lambda: anomalies.counts(conn),
            "by the end of an id": lambda: anomalies.find_ids(conn, last.hex[-8:]),
            "decisions of a call": lambda: decisions.of_flow(conn, last),
            "decisions of a policy": lambda: decisions.newest(conn, "p3"),
            "hits of 8 policies": lambda: decisions.hits(conn, POLICIES),
            "labels": lambda: labels.labels(driver(conn)),
            "bounds of 8 policies": lambda: labels.judged(driver(conn)),
        }
        for name, ask in asked.items():
            took = sorted(_timed(ask) for _ in range(TIMES))
            print(f"{name:<28}{took[TIMES // 2]:>9.2f}{took[-1]:>9.2f}")


def _timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with (
        tempfile.TemporaryDirectory() as folder,
        open_database(Config(), Home(Path(folder))) as database,
    ):
        upgrade(database)
        fill(database, rows)
        measure(database)


if __name__ == "__main__":
    main()
