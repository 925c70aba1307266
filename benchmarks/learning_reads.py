"""How fast what is learnt is read, with a thousand patterns and a million of their calls.

    python -m benchmarks.learning_reads [--rows 1000000]

Fills an embedded Postgres, which takes two minutes, then prints milliseconds by the clock: p50 and
the longest of 30.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import uuid_utils.compat

from llmproxy_core.config import Config
from llmproxy_core.enhancements.enhancement import Suggestion, candidate
from llmproxy_core.experiments.experiment import CONTROL, Experiment, Variant
from llmproxy_core.home import Home
from llmproxy_core.store import (
    call_lessons,
    enhancement_changes,
    enhancements,
    experiment_changes,
    experiments,
    partitions,
    pattern_changes,
    pattern_detail,
    patterns,
    transformations,
    unlearnt,
)
from llmproxy_core.store.database import Database, driver, open_database
from llmproxy_core.store.migrate import upgrade

TIMES = 30
PATTERNS = 1_000
DAYS = 60

MADE_PATTERNS = """
INSERT INTO prompt_patterns (ns_id, id, kind, name, type, type_confidence, pieces, structure, state,
    calls, first_seen, last_seen)
SELECT 1, md5(n::text)::uuid, CASE WHEN n % 10 = 0 THEN 'system' ELSE 'user' END,
    'pattern ' || n || ' of something', 'extraction', 0.9,
    jsonb_build_array('Please take ' || n || ' of ' || md5(n::text) || ' and look at ', NULL,
        ' for the word ' || md5('x' || n)),
    '{{}}', jsonb_build_object('examples', repeat(md5(n::text), 300)),
    {rows} / {patterns}, now() - interval '{days} days', now() - n * interval '1 minute'
FROM generate_series(1, {patterns}) AS n
"""
# A call every 5 seconds: a million are 58 days.
MADE_CALLS = """
INSERT INTO pattern_calls
SELECT 1, id, CASE WHEN p % 10 = 0 THEN 'system' ELSE 'user' END, md5(p::text)::uuid,
    CASE WHEN p % 10 = 0 THEN 1 + n / 400000 END, 'gpt-4o'
FROM (
    SELECT n, 1 + (hashint4(n) & 2147483647) % {patterns} AS p,
        (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - ({rows} - n)::bigint * 5000), 12, '0')
            || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text || 'x'), 1, 15)
        )::uuid AS id
    FROM generate_series(1, {rows}) AS n
) AS made
"""
MADE_SIGNALS = """
INSERT INTO signals
SELECT ns_id, request_id, 'answered', 'wire', 1, 1, '', now(), NULL::uuid FROM pattern_calls
UNION ALL
SELECT ns_id, request_id, 'correction', 'user', -1, 0.8, 'no, that is wrong', now(), NULL::uuid
FROM pattern_calls WHERE get_byte(uuid_send(request_id), 15) < 50
"""
MADE_DAYS = """
INSERT INTO pattern_days
SELECT 1, md5(n::text)::uuid, (now() - day * interval '1 day')::date, model, part,
    20, 18, 15, 20000, 3000, 9000, 0.05, ARRAY[150, 160, 170]::int2[], ARRAY[5, 10, 5],
    '{{"correction": 3}}'
FROM generate_series(1, {patterns}) AS n, generate_series(0, {days} - 1) AS day,
    unnest(ARRAY['gpt-4o', 'claude-sonnet-4']) AS model, generate_series(1, 2) AS part
"""
MADE_VERSIONS = """
INSERT INTO pattern_versions
SELECT 1, md5(n::text)::uuid, v, md5(n::text || v)::uuid, repeat('You triage tickets. ', 200),
    now() - ({days} - 23 * (v - 1)) * interval '1 day',
    now() - greatest({days} - 23 * v, 0) * interval '1 day', {rows} / {patterns} / 3
FROM generate_series(10, {patterns}, 10) AS n, generate_series(1, 3) AS v
"""
MADE_APPLIED = """
INSERT INTO applied
SELECT ns_id, request_id, 'transformation', 'brief', NULL, NULL, NULL, 1 FROM pattern_calls
WHERE get_byte(uuid_send(request_id), 15) < 100
"""
MADE_UNITS = """
INSERT INTO experiment_units
SELECT 1, %s, md5(n::text)::uuid, CASE WHEN n %% 2 = 0 THEN 'control' ELSE 'short' END,
    gen_random_uuid(), now() - n * interval '1 minute', now() - n * interval '1 minute', 3,
    CASE WHEN n %% 5 = 0 THEN 0 ELSE 1 END, 0, 0.01, 800, 5000, 2500, 2500,
    CASE WHEN n > 60 THEN now() END
FROM generate_series(1, 20000) AS n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="llmproxy-bench-") as folder:
        home = Home(Path(folder))
        with open_database(Config(), home, application_name="benchmark") as database:
            upgrade(database)
            experiment = _fill(database, rows)
            _measure(database, experiment)


def _fill(database: Database, rows: int) -> UUID:
    begun = time.perf_counter()
    with database.raw() as connection:
        connection.autocommit = True
        connection.execute("SET statement_timeout = 0")
        now = partitions.epoch_now()
        partitions.ensure(connection, range(now - 12, now + 2))
        for made in (
            MADE_PATTERNS, MADE_CALLS, MADE_SIGNALS, MADE_DAYS, MADE_VERSIONS, MADE_APPLIED,
        ):  # fmt: skip
            connection.execute(made.format(rows=rows, patterns=PATTERNS, days=DAYS))
        ids = [id for (id,) in connection.execute("SELECT id FROM prompt_patterns LIMIT 300")]
        for id in ids:
            enhancement_changes.add(connection, 1, _enhancement(id))
        one = _experiment(ids[0])
        experiment_changes.add(connection, 1, one, "bench")
        experiment_changes.start(connection, UUID(one.id), "bench")
        connection.execute(MADE_UNITS, [UUID(one.id)])
        connection.execute("VACUUM ANALYZE")
    print(f"filled in {time.perf_counter() - begun:.0f} s")
    return UUID(one.id)


def _enhancement(pattern: UUID) -> Any:
    edit = ({"op": "append_system", "text": "Be brief."},)
    suggestion = Suggestion("clarification", edit, 0.8, "Answers are long.", "built-in:brief")
    id = str(uuid_utils.compat.uuid7())
    return candidate(suggestion, id, str(pattern), datetime.now(UTC))


def _experiment(pattern: UUID) -> Experiment:
    return Experiment(
        id=str(uuid_utils.compat.uuid7()),
        name="brief",
        variants=(Variant("short", ({"op": "append_system", "text": "Be brief."},)),),
        shares={CONTROL: 0.5, "short": 0.5},
        pattern=str(pattern),
    )


def _measure(database: Database, experiment: UUID) -> None:
    with database.connect() as connection:
        line = patterns.patterns(connection, limit=1)[0]
        system = patterns.patterns(connection, ["system"], limit=1)[0]
        calls = [one.request_id for one in pattern_detail.calls(connection, 1, line.id)]
        since = patterns.first_day(30)
        queries: dict[str, Callable[[], object]] = {
            "patterns, 50 with sums and trends": lambda: patterns.patterns(connection, limit=50),
            "patterns, 100 with sums and trends": lambda: patterns.patterns(connection),
            "patterns, the newest 30": lambda: patterns.patterns(
                connection, order="newest", limit=30
            ),
            "a pattern by its name": lambda: patterns.find_ids(connection, line.name),
            "a pattern, all of it": lambda: pattern_detail.about(connection, 1, line.id),
            "its sums by model": lambda: patterns.by_model(connection, 1, line.id, since),
            "its 20 newest calls": lambda: pattern_detail.calls(connection, 1, line.id),
            "its history": lambda: pattern_detail.history(connection, 1, line.id),
            "the nearest of 1,000": lambda: pattern_detail.nearest(connection, 1, line.id, "user"),
            "three versions, by 100 calls each": lambda: pattern_detail.versions(
                connection, 1, system.id
            ),
            "the patterns of 20 calls": lambda: call_lessons.patterns_of(connection, calls),
            "enhancements, the queue": lambda: enhancements.enhancements(connection),
            "experiments": lambda: experiments.experiments(connection),
            "arms of 20,000 conversations": lambda: experiments.arms(connection, 1, experiment),
            "conversations that are due": lambda: experiments.due(
                connection, datetime.now(UTC) - timedelta(minutes=10)
            ),
            "experiments for the proxies": lambda: experiments.in_force(connection),
            "transformations": lambda: transformations.handed(driver(connection)),
            "what people changed": lambda: pattern_changes.changed(
                driver(connection), datetime.now(UTC)
            ),
            "calls to be learnt from": lambda: unlearnt.oldest(connection, "home", 100),
        }
        for name, query in queries.items():
            print(f"{name:<36} {_timed(query)}")


def _timed(query: Callable[[], object]) -> str:
    for _ in range(6):  # the server makes a plan of its own at first
        query()
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        query()
        taken.append((time.perf_counter() - begun) * 1000)
    taken.sort()
    return f"{taken[len(taken) // 2]:6.2f} ms  {taken[-1]:6.2f} ms"


if __name__ == "__main__":
    main()
