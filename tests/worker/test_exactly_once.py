"""The law: whatever crashes when, the rows are those of a run that nothing disturbed."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmproxy_core.errors import DatabaseUnavailable
from llmproxy_core.spool import SpoolWriter, readers
from llmproxy_core.worker.intake import Intake
from tests.worker.ledger import Ledger
from tests.worker.traffic import (
    NOON,
    SECOND,
    Call,
    Recorded,
    append,
    chat_stream,
    response,
    response_stream,
)

words = st.lists(st.sampled_from(["Hello", " wörld", "\n", "🙂", "x" * 300]), max_size=5)
sessions = st.sampled_from(
    [
        {},
        {"headers": [("x-claude-code-session-id", "3f8e6c1a-1111-4222-8333-944445555666")]},
        {"hints": {"prompt_cache_key": "shared"}},
        {"credential": "fp_2"},
        {"client": "10.0.0.7:5"},
    ]
)
endings = st.sampled_from(["complete", "client_closed", "server_closed", "error"])


type Rows = dict[str, Any]


@st.composite
def calls(draw, number: int, at: int) -> Call:
    common = draw(sessions) | {"ending": draw(endings)}
    kind = draw(st.sampled_from(["whole", "stream", "cut", "refused", "nonsense", "chain"]))
    if kind == "stream":
        return Call(number, at, pieces=chat_stream(*draw(words)), **common)
    if kind == "cut":
        return Call(number, at, pieces=chat_stream(*draw(words), "end")[:-1], **common)
    if kind == "refused":
        return Call(number, at, status=429, answer=b'{"error":{"message":"slow down"}}', **common)
    if kind == "nonsense":
        return Call(number, at, body=b"\xff{", answer=b"<html>", **common)
    if kind == "chain":
        return _chained(draw, number, at)
    return Call(number, at, **common)


def _chained(draw, number: int, at: int) -> Call:
    previous = draw(st.integers(0, number))
    hints = {"previous_response_id": f"resp_{previous}"} if previous != number else {}
    name = f"resp_{number}"
    how = {"answer": response(name)} if draw(st.booleans()) else {"pieces": response_stream(name)}
    return Call(number, at, wire="openai.responses", path="/v1/responses", hints=hints, **how)


@st.composite
def journals(draw) -> list[Recorded]:
    """The records of some calls, interleaved; some calls do not end."""
    count = draw(st.integers(1, 7))
    queues, at = [], NOON
    for number in range(count):
        at += draw(st.sampled_from([0, 1, 200, 299, 301])) * SECOND
        whole = draw(calls(number, at)).records()
        queues.append(whole[: draw(st.sampled_from([None, None, None, -1, 1]))])
    records: list[Recorded] = []
    begun: list[list[Recorded]] = []
    while queues or begun:
        # requests come in the order of their times, all else as it happens
        if queues and (not begun or draw(st.booleans())):
            begun.append(queues.pop(0))
            records.append(begun[-1].pop(0))
        else:
            records.append(draw(st.sampled_from(begun)).pop(0))
        begun = [queue for queue in begun if queue]
    return records


@st.composite
def courses(draw) -> list[str]:
    steps = ["append", "append", "store", "store", "collect", "crash", "before", "after"]
    steps += ["watch", "look away"]
    course: list[str] = draw(st.lists(st.sampled_from(steps), min_size=5, max_size=50))
    return course


def undisturbed(spool: Path, records: list[Recorded]) -> tuple[Rows, Rows]:
    """The rows with the proxy alive, and after its death."""
    ledger, journal = Ledger(), SpoolWriter(spool)
    intake = Intake(spool, ledger)
    append(journal, records)
    drain(intake)
    alive = {table: dict(rows) for table, rows in ledger.rows().items()}
    alive["sessions"] = {id: dict(row) for id, row in ledger.sessions.items()}
    journal.close()
    drain(intake)
    return alive, ledger.rows()


def drain(intake: Intake) -> None:
    while intake.collect() or intake.waiting or intake.due:
        commit(intake)


def commit(intake: Intake) -> None:
    while True:
        try:
            return intake.commit()
        except DatabaseUnavailable:
            continue


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    records=journals(),
    course=courses(),
    segment=st.integers(500, 5000),
    max_records=st.integers(1, 8),
)
def test_crashes_change_nothing(records, course, segment, max_records):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        alive, dead = undisturbed(Path(one), records)
        spool, ledger = Path(two), Ledger()
        journal = SpoolWriter(spool, segment_bytes=segment)
        intake = Intake(spool, ledger, max_records)
        left = list(records)
        for step in course:
            if step == "append":
                append(journal, left[:2])
                left = left[2:]
            elif step == "collect":
                intake.collect()
            elif step == "store":
                intake.collect()
                commit(intake)
            elif step == "crash":
                ledger.faults.clear()
                intake = Intake(spool, ledger, max_records)
            elif step in ("watch", "look away"):
                ledger.is_watched = step == "watch"
            else:
                ledger.faults.append(step)
        append(journal, left)
        ledger.is_watched = True
        drain(intake)
        assert ledger.rows() == alive
        journal.close()
        drain(Intake(spool, ledger, max_records))
        assert ledger.rows() == dead
        assert (readers(spool), ledger.stored) == ([], {})
