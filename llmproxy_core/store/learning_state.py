"""What is learnt in a few numbers, for whoever looks after the store."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from llmproxy_core.store.prepared import Prepared

MOST = 10_000
"""So far calls that are still to be learnt from are counted."""

STATE = Prepared(
    text("""
SELECT
    (SELECT count(*) FROM namespaces n JOIN prompt_patterns p ON p.ns_id = n.ns_id
        WHERE p.merged_into IS NULL),
    (SELECT count(*) FROM namespaces n JOIN enhancements e ON e.ns_id = n.ns_id
        WHERE e.status = 'candidate'),
    (SELECT count(*) FROM namespaces n JOIN experiments e ON e.ns_id = n.ns_id
        WHERE e.status = 'running'),
    (SELECT count(*) FROM namespaces n JOIN experiments e ON e.ns_id = n.ns_id
        WHERE e.status = 'won'),
    (SELECT count(*) FROM (
        SELECT FROM namespaces n JOIN unlearnt u ON u.ns_id = n.ns_id LIMIT :most) AS first)
""")
)


@dataclass(frozen=True, slots=True)
class LearningState:
    """`candidates`: enhancements that wait for a person; `won`: experiments that do. `unlearnt`:
    calls that no worker has learnt from yet, MOST at most."""

    patterns: int = 0
    candidates: int = 0
    running: int = 0
    won: int = 0
    unlearnt: int = 0


def state(conn: Connection) -> LearningState:
    return LearningState(*STATE.rows(conn, most=MOST)[0])
