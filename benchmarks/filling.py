"""A store with a million flows: rows made by COPY, as the worker would have written them.

Four weeks up to now, a quarter in the newest; 12 models of very different frequency, sessions of
20 calls, 60 words a call out of 50,000 as language has them.
"""

import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from llmproxy_core.store import partitions, rollups
from llmproxy_core.store.call_rows import Contribution
from llmproxy_core.store.database import Database
from llmproxy_core.store.index import MAKE_INDEXES
from llmproxy_core.store.partitions import WEEK_MS
from llmproxy_core.words import hashed

WEEKS = 4
MODELS = [f"model-{n:02}" for n in range(12)]
WEIGHTS = [1 / 2**n for n in range(12)]
KINDS = ["gap", "anomaly", "unreadable", "row_refused"]
WORDS = 50_000
PORTION = 20_000
HASH = "00000000-0000-0000-0000-000000000001"

type Pg = psycopg.Connection[Any]

REQUESTS = (
    "requests (ns_id, id, session_id, started_at, client, user_agent, provider, wire, host,"
    " method, path, model, stream, n_messages, preview, body_bytes, hash_out, body_encoding, body)"
)
RESPONSES = (
    "responses (ns_id, id, state, ended_at, status, first_token_ms, duration_ms, model,"
    " finish_reasons, text_start, n_tool_calls, tool_names, input_tokens, output_tokens,"
    " cost_usd, n_events, body_bytes, hash_out, body_encoding, body)"
)
SESSIONS = (
    "sessions (ns_id, id, source, client, provider, model, title, started_at, last_at, requests,"
    " responses, errors, input_tokens, output_tokens, cached_tokens, cost_usd)"
)


class Filling:
    """The rows of `count` flows, in the order of their ids; namespaces 1 and 2 in turn."""

    def __init__(self, count: int, now: int, rng: random.Random) -> None:
        """`now`: Unix ms of the end."""
        this_week = now // WEEK_MS * WEEK_MS
        weeks = [(this_week - n * WEEK_MS, WEEK_MS) for n in range(WEEKS - 1, 0, -1)]
        weeks.append((this_week, now - this_week))
        share = count // WEEKS
        self.times = [int(begin + span * n / share) for begin, span in weeks for n in range(share)]
        self.ids = [uuid_at(at, n) for n, at in enumerate(self.times)]
        self.sessions = [uuid_at(self.times[n], n, 9) for n in range(0, len(self.ids), 20)]
        self.models = rng.choices(MODELS, WEIGHTS, k=len(self.ids))
        self.words = [_text(rng) for _ in range(5000)]

    def requests(self, portion: range) -> Iterator[str]:
        for n in portion:
            yield (
                f"{1 + n // 20 % 2}\t{self.ids[n]}\t{self.sessions[n // 20]}\t{when(self.times[n])}"
                f"\t127.0.0.1:{n % 60000}\tclaude-cli/2.1\tanthropic\tanthropic.messages"
                f"\tapi.anthropic.com\tPOST\t/v1/messages\t{self.models[n]}\tt\t{n % 200}"
                f"\tNow run the tests of part {n} again\t100000\t{HASH}\tidentity\t{{}}\n"
            )

    def responses(self, portion: range) -> Iterator[str]:
        for n in portion:
            status = 529 if n % 97 == 0 else 200
            yield (
                f"{1 + n // 20 % 2}\t{self.ids[n]}\tcomplete\t{when(self.times[n])}\t{status}"
                f"\t{100 + n % 900}\t{1000 + n % 9000}\t{self.models[n]}\t{{end_turn}}"
                f"\tAll of them pass now, {n}\t1\t{{Bash}}\t{1000 + n % 5000}\t{n % 900}\t0.0{n % 97}"
                f"\t30\t3000\t{HASH}\tidentity\t{{}}\n"
            )

    def search(self, portion: range) -> Iterator[str]:
        for n in portion:
            own = hashed([b"serial%d" % n, b"week%d" % (n // 1000)])
            words = f"{self.words[n * 7 % 5000]},{own[0]},{own[1]}"
            yield f"{1 + n // 20 % 2}\t{self.ids[n]}\t{{{words}}}\n"

    def events(self, portion: range) -> Iterator[str]:
        for n in portion:
            if n % 50 == 0:
                yield (
                    f"{1 + n // 20 % 2}\t{self.ids[n]}\t{when(self.times[n])}"
                    f'\t{KINDS[n // 50 % 4]}\t\\N\t{{"records": 1}}\n'
                )

    def session_rows(self) -> Iterator[str]:
        for n, id in enumerate(self.sessions):
            begin, end = when(self.times[20 * n]), when(self.times[20 * n + 19])
            yield (
                f"{1 + n % 2}\t{id}\tgap\t127.0.0.1\tanthropic\t{self.models[20 * n]}"
                f"\tSession {n}\t{begin}\t{end}\t20\t20\t0\t60000\t9000\t0\t1.25\n"
            )

    def model_rows(self) -> Iterator[str]:
        for name in MODELS:
            for ns_id in (1, 2):
                yield f"{ns_id}\t{name}\t{name}\n"

    def contributions(self) -> Iterator[list[Contribution]]:
        """Every tenth flow, ten times: the rows of the rollups are the same ones."""
        for hour, group in itertools.groupby(
            range(0, len(self.ids), 10), key=lambda n: self.times[n] // 3_600_000
        ):
            at = datetime.fromtimestamp(hour * 3600, UTC)
            yield [
                Contribution(
                    1 + n // 20 % 2, self.ids[n], at, "anthropic", self.models[n],
                    ("claude-cli", "python", "codex")[n % 3], input_tokens=1000, output_tokens=90,
                    cost_usd=PRICES[n % 97], duration_ms=1000 + n % 9000, first_token_ms=100 + n % 900,
                )
                for n in group
            ]  # fmt: skip


def _text(rng: random.Random) -> str:
    """60 words, the k-th most frequent one with a probability of about 1 / k."""
    ranks = {int(WORDS ** rng.random()) for _ in range(70)}
    return ",".join(map(str, hashed([b"word%d" % rank for rank in ranks])))


PRICES = [Decimal(n) / 1000 for n in range(97)]


def uuid_at(ms: int, n: int, kind: int = 8) -> UUID:
    return UUID(int=(ms << 80) | (7 << 76) | (2 << 62) | (kind << 58) | n)


def when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def fill(database: Database, filling: Filling) -> None:
    with database.raw() as connection:
        connection.autocommit = True
        connection.execute("SET statement_timeout = 0")
        connection.execute("INSERT INTO namespaces (ns_id, name) VALUES (2, 'second')")
        now = partitions.epoch_now()
        partitions.ensure(connection, range(now - WEEKS, now + 1))
        total = len(filling.ids)
        for first in range(0, total, PORTION):
            portion = range(first, min(first + PORTION, total))
            _copy(connection, REQUESTS, filling.requests(portion))
            _copy(connection, RESPONSES, filling.responses(portion))
            _copy(connection, "search (ns_id, id, words)", filling.search(portion))
            _copy(
                connection,
                "analytics_events (ns_id, id, at, kind, request_id, data)",
                filling.events(portion),
            )
        _copy(connection, SESSIONS, filling.session_rows())
        _copy(connection, "models (ns_id, asked, answered)", filling.model_rows())
        ledger = rollups.ledger()
        for rows in filling.contributions():
            ledger.write(connection, rows)
            ledger.commit()
        connection.execute(MAKE_INDEXES, [0])
        connection.execute("VACUUM (ANALYZE)")


def filled(database: Database, count: int, mark: Path) -> Filling:
    """Fills the store unless `mark` says that this was done."""
    if mark.exists():
        stored, now = map(int, mark.read_text().split())
        if stored != count:
            raise SystemExit(f"{mark.parent} holds {stored:,} flows; say --flows {stored}")
        return Filling(count, now, random.Random(7))
    begin, now = time.monotonic(), time.time_ns() // 1_000_000
    filling = Filling(count, now, random.Random(7))
    fill(database, filling)
    print(f"{len(filling.ids):,} flows in {time.monotonic() - begin:.0f} s", flush=True)
    mark.write_text(f"{count} {now}")
    return filling


def _copy(connection: Pg, target: str, rows: Iterator[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for some in itertools.batched(rows, 500):
            copy.write("".join(some))
