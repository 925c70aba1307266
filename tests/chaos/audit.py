"""What the store holds against what the programs know: each whole exchange once, byte for byte."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.store import detail
from llmproxy_core.store.database import Database, open_database
from tests.chaos.programs import Exchange, Ledger, mark_of

TROUBLE = ("gap", "row_refused", "answer_without_request", "repeated_request", "unreadable")


@dataclass
class Findings:
    """`missing`: acknowledged, and not stored. `told`: events of trouble, by kind."""

    flows: int = 0
    missing: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    different: set[str] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)
    sums: list[str] = field(default_factory=list)
    """Counters that do not agree with the rows they count."""

    @property
    def clean(self) -> bool:
        return not (self.missing or self.twice or self.different or self.told or self.sums)


def audit(home: Home, ledger: Ledger) -> Findings:
    """Reads every flow back, as `llmproxy show --raw` does."""
    with open_database(Config(), home, "chaos") as database:
        return audit_database(database, ledger)


def audit_database(database: Database, ledger: Ledger) -> Findings:
    found = Findings()
    marks: Counter[str] = Counter()
    with database.connect() as connection:
        for key in _flows(database):
            request, response = detail.unread(connection, [key])[key]
            found.flows += 1
            if request.body_kept != "full":
                continue
            mark = mark_of(request.body)
            marks[mark] += 1
            stored = Exchange(request.body, response.body if response else b"")
            if mark in ledger.acknowledged and stored != ledger.acknowledged[mark]:
                found.different.add(mark)
    found.missing = ledger.acknowledged.keys() - marks.keys()
    found.twice = {mark for mark, count in marks.items() if count > 1}
    found.told, found.sums = _told(database), _sums(database)
    return found


def _flows(database: Database) -> list[tuple[int, UUID]]:
    with database.raw() as connection:
        return connection.execute("SELECT ns_id, id FROM requests ORDER BY id").fetchall()


def _told(database: Database) -> Counter[str]:
    with database.raw() as connection:
        query = "SELECT kind, data::text FROM analytics_events WHERE kind = ANY(%s)"
        rows = connection.execute(query, [list(TROUBLE)]).fetchall()
    return Counter(f"{kind} {data}" for kind, data in rows)


COUNTED = {
    "requests in sessions": "SELECT count(*), (SELECT sum(requests) FROM sessions) FROM requests",
    "answers in sessions": "SELECT count(*), (SELECT sum(responses) FROM sessions) FROM responses",
    "tokens in sessions": """
        SELECT sum(output_tokens), (SELECT sum(output_tokens) FROM sessions) FROM responses""",
    "answers in rollups": "SELECT count(*), (SELECT sum(requests) FROM rollups) FROM responses",
    "open answers": "SELECT 0, count(*) FROM stream_deltas",
    "journals": "SELECT 0, count(*) FROM spool_offsets",
}


def _sums(database: Database) -> list[str]:
    wrong = []
    with database.raw() as connection:
        for name, query in COUNTED.items():
            row = connection.execute(query).fetchone()
            assert row is not None
            if (row[0] or 0) != (row[1] or 0):
                wrong.append(f"{name}: {row[1]} instead of {row[0]}")
    return wrong
