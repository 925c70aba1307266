import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from llmproxy_core.errors import StoreError
from llmproxy_core.hashing import content_hash
from llmproxy_core.store import (
    audit,
    enhancement_changes,
    experiment_changes,
    index,
    partitions,
    reads,
    retention,
    rewriting,
    stars,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow, SearchRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons, UnlearntRow
from llmproxy_core.store.writer import Writer
from tests.store.flows import (
    a_call,
    a_decision,
    a_request,
    a_response,
    a_session,
    an_anomaly,
    an_approval,
    an_event,
    new_id,
)
from tests.store.lessons import (
    a_change,
    a_pattern,
    a_signal,
    a_sum,
    a_unit,
    a_version,
    an_enhancement,
    an_event_of,
    an_experiment,
    of_pattern,
)

type Connection = psycopg.Connection[Any]

DAY = 86_400_000
HOT = (
    "requests", "responses", "tool_calls", "analytics_events", "policy_decisions", "search", "blobs",
    "pattern_calls", "signals", "applied",
)  # fmt: skip
A_PATTERN = a_pattern()
RULES = "Always answer in the language of the question. " * 200


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.raw() as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    opened = Writer(database)
    yield opened
    opened.close()


def in_days(days: float) -> int:
    return time.time_ns() // 1_000_000 + int(days * DAY)


def conversation(
    writer: Writer, *, turns: int = 6, ns_id: int = 1, session: UUID | None = None, weeks: int = 0
) -> list[RequestRow]:
    """A session in which every turn sends all that was said before."""
    session = session or new_id()
    said: list[Any] = [{"role": "system", "content": RULES}]
    requests: list[RequestRow] = []
    for turn in range(turns):
        said.append({"role": "user", "content": f"{session} asks: " + f"what is {turn}? " * 300})
        body = json.dumps({"model": "gpt-4o", "messages": said}).encode()
        moment = in_days(7 * weeks) + turn
        request = a_request(
            id=UUID(int=moment << 80 | 7 << 76 | 2 << 62 | session.int % 2**62),
            ns_id=ns_id, session_id=session, body=body, body_bytes=len(body),
            hash_in=content_hash(body), hash_out=content_hash(body),
            parent_id=requests[-1].id if requests else None,
            shortened={f"p_{session}": str(session)},
        )  # fmt: skip
        requests.append(request)
        writer.write(
            Batch(
                requests=[request],
                responses=[
                    a_response(request, hash_in=content_hash(b"{}"), hash_out=content_hash(b"{}"))
                ],
                tool_calls=[a_call(request)],
                events=[an_event(id=request.id, ns_id=ns_id, request_id=request.id)],
                decisions=[a_decision(request)],
                sessions=[a_session(ns_id=ns_id, id=session)],
                search=[SearchRow(ns_id, request.id, list(range(turn, turn + index.MOST + 1)))],
                lessons=Lessons(
                    calls=[of_pattern(request, A_PATTERN)],
                    signals=[a_signal(request)],
                    applied=[a_change(request)],
                ),
            )
        )
    return requests


def counts(connection: Connection) -> dict[str, int]:
    return {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]
        for table in HOT
    }


def bodies(database: Database, requests: list[RequestRow]) -> list[bytes | None]:
    with database.connect() as opened:
        found = [reads.flow(opened, request.id) for request in requests]
    return [flow.request.body if flow else None for flow in found]


def actions(connection: Connection) -> list[str]:
    return [event.action for _, event in audit.newest(connection)]


def test_nothing_is_removed_by_default(connection: Connection, writer: Writer) -> None:
    conversation(writer)
    before = counts(connection)
    assert retention.sweep(connection, retention.FOREVER, in_days(9000)) == []
    assert counts(connection) == before


def test_a_week_that_is_due_is_dropped_whole(connection: Connection, writer: Writer) -> None:
    conversation(writer, turns=4)
    assert retention.sweep(connection, 30, in_days(29)) == []
    assert min(counts(connection).values()) > 0
    removed = retention.sweep(connection, 30, in_days(38))
    assert [(week.requests, week.whole) for week in removed] == [({1: 4}, True)]
    assert set(counts(connection).values()) == {0}
    event = audit.newest(connection)[0][1]
    assert (event.actor, event.action) == ("worker", "retention drop")
    assert json.loads(event.detail) == {"requests": 4, "days": 30, "survivors": False}
    names = {part.name for part in partitions.sizes(connection)}
    assert not names & {f"{table}_w{partitions.epoch_now()}" for table in HOT}


def test_shortened_names_go_with_the_last_week_that_needs_them(
    connection: Connection, writer: Writer
) -> None:
    for table in HOT:  # what is older than the weeks may need any of them
        connection.execute(f"DROP TABLE {table}_before")
    session, other = new_id(), new_id()
    conversation(writer, weeks=-3, session=session)
    conversation(writer, weeks=-3, session=other)
    kept = conversation(writer, session=session)
    names = "SELECT names ->> %s FROM shortened_names"
    found = connection.execute(names, [f"p_{session}"]).fetchall()
    assert sorted(found, key=str) == [(str(session),), (None,)]
    assert retention.sweep(connection, 10) != []
    assert connection.execute(names, [f"p_{session}"]).fetchall() == [(str(session),)]
    assert len(kept) == 6


def test_anomalies_and_approvals_go_with_their_calls(
    connection: Connection, writer: Writer
) -> None:
    starred, other = new_id(), new_id()
    old = [conversation(writer, turns=1, session=id)[0] for id in (starred, other)]
    (new,) = conversation(writer, turns=1, weeks=3)
    again = an_anomaly(old[1], said="again", text_hash=b"2" * 16)
    writer.write(
        Batch(
            anomalies=[
                an_anomaly(old[0], said="starred"),
                an_anomaly(old[1], said="gone", text_hash=b"3" * 16),
                again,
                replace(again, id=new_id(), request_id=new.id),
            ],
            approvals=[an_approval(row) for row in (*old, new)],
        )
    )
    stars.star(connection, starred, "anna")
    retention.sweep(connection, 10, in_days(5))
    assert len(connection.execute("SELECT FROM anomalies").fetchall()) == 3
    retention.sweep(connection, 10, in_days(21))
    kept = connection.execute("SELECT said FROM anomalies ORDER BY said").fetchall()
    assert kept == [("again",), ("starred",)]
    waiting = connection.execute("SELECT request_id FROM approvals ORDER BY request_id").fetchall()
    assert waiting == [(old[0].id,), (new.id,)]


def test_what_was_learnt_goes_with_its_calls(connection: Connection, writer: Writer) -> None:
    starred, other = new_id(), new_id()
    old = [conversation(writer, turns=1, session=id)[0] for id in (starred, other)]
    (new,) = conversation(writer, turns=1, weeks=3)
    asked = (old[0], new, old[1])
    kept, again, gone = (a_pattern(kind="system", last_seen=_at(row)) for row in asked)
    writer.write(
        Batch(
            lessons=Lessons(
                patterns=[kept, again, gone],
                versions=[a_version(one) for one in (kept, again, gone)],
                history=[an_event_of(one) for one in (kept, again, gone)],
                sums=[a_sum(one) for one in (kept, again, gone)],
                calls=[of_pattern(*pair) for pair in zip(asked, (kept, again, gone), strict=True)],
                unlearnt=[UnlearntRow(1, row.id, "home") for row in (*old, new)],
            )
        )
    )
    stars.star(connection, starred, "anna")
    retention.sweep(connection, 10, in_days(21))
    for table in ("pattern_calls", "signals", "applied"):
        found = connection.execute(f"SELECT DISTINCT request_id FROM {table} ORDER BY 1").fetchall()
        assert found == [(old[0].id,), (new.id,)], table
    for table in ("pattern_versions", "pattern_history", "pattern_days"):
        assert len(connection.execute(f"SELECT FROM {table}").fetchall()) == 2, table
    patterns = connection.execute("SELECT id FROM prompt_patterns ORDER BY 1").fetchall()
    assert patterns == sorted([(kept.id,), (again.id,)])
    assert len(connection.execute("SELECT FROM unlearnt").fetchall()) == 2


def test_wordings_and_suggestions_that_nobody_needs_go(
    connection: Connection, writer: Writer
) -> None:
    (old,), (new,) = (conversation(writer, turns=1, weeks=weeks) for weeks in (0, 3))
    lives, gone = a_pattern(kind="system", last_seen=_at(new)), a_pattern(last_seen=_at(old))
    ours = [
        a_version(lives, number, text=f"v{number}", last_seen=_at(seen))
        for number, seen in ((1, old), (2, old), (3, new))
    ]
    calls = [of_pattern(new, lives, version=3)]
    writer.write(Batch(lessons=Lessons(patterns=[lives, gone], versions=ours, calls=calls)))
    for pattern, words in ((lives, "Be kind."), (gone, "Be brief.")):
        edit = ({"op": "append_system", "text": words},)
        enhancement_changes.add(connection, 1, an_enhancement(pattern.id, edit=edit))
    retention.sweep(connection, 10, in_days(21))
    kept = connection.execute("SELECT text FROM pattern_versions").fetchall()
    assert kept == [("v3",)]
    suggested = connection.execute("SELECT pattern_id FROM enhancements").fetchall()
    assert suggested == [(lives.id,)]


def test_examples_of_a_pattern_that_lives_go(connection: Connection, writer: Writer) -> None:
    (old,), (new,) = (conversation(writer, turns=1, weeks=weeks) for weeks in (0, 3))
    told = [[row.id.hex, int(_at(row).timestamp()) * 10**9] for row in (old, new)]
    lives, other = (
        a_pattern(last_seen=_at(new), state={"pattern": {"runs": ["x"], "examples": one}})
        for one in (told, told[:1])
    )
    family = a_pattern(kind="system", last_seen=_at(new), state={"family": {"n": 1}})
    writer.write(Batch(lessons=Lessons(patterns=[lives, other, family])))
    retention.sweep(connection, 10, in_days(21))
    stored = connection.execute("SELECT id, state FROM prompt_patterns").fetchall()
    assert dict(stored) == {
        lives.id: {"pattern": {"runs": ["x"], "examples": told[1:]}},
        other.id: {"pattern": {"runs": ["x"], "examples": []}},
        family.id: family.state,
    }


def test_a_pattern_and_the_conversations_of_an_experiment_stay_while_it_runs(
    connection: Connection, writer: Writer
) -> None:
    (old,) = conversation(writer, turns=1)
    pattern = a_pattern(last_seen=_at(old))
    writer.write(Batch(lessons=Lessons(patterns=[pattern])))
    one = an_experiment(pattern.id)
    experiment_changes.add(connection, 1, one, "anna")
    id = UUID(one.id)
    experiment_changes.start(connection, id, "anna")
    writer.write(Batch(lessons=Lessons(units=[a_unit(id, first_at=_at(old), last_at=_at(old))])))
    retention.sweep(connection, 10, in_days(21))
    assert connection.execute("SELECT count(*) FROM experiment_units").fetchone() == (1,)
    experiment_changes.stop(connection, id, "anna", "enough")
    assert connection.execute("SELECT count(*) FROM prompt_patterns").fetchone() == (1,)
    retention.sweep(connection, 10, in_days(21))
    for table in ("experiment_units", "prompt_patterns"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def _at(row: RequestRow) -> datetime:
    return datetime.fromtimestamp((row.id.int >> 80) / 1000, UTC)


def test_what_is_older_than_the_weeks_is_dropped_too(
    connection: Connection, writer: Writer
) -> None:
    conversation(writer, weeks=-10)
    kept = conversation(writer)
    assert len(retention.sweep(connection, 14)) == 0
    assert [week.whole for week in retention.sweep(connection, 14, in_days(14))] == [True]
    assert counts(connection)["requests"] == len(kept)


def test_starred_sessions_survive_byte_for_byte(
    database: Database, connection: Connection, writer: Writer
) -> None:
    starred, gone = conversation(writer), conversation(writer)
    before = counts(connection)
    assert stars.star(connection, starred[0].session_id, "me")
    assert not stars.star(connection, starred[0].session_id, "me")
    sent = [request.body for request in starred]
    removed = retention.sweep(connection, 7, in_days(15))
    assert [(week.requests, week.whole) for week in removed] == [({1: len(gone)}, False)]
    assert bodies(database, starred) == sent
    assert bodies(database, gone) == [None] * len(gone)
    after = counts(connection)
    assert after["requests"] == after["responses"] == after["search"] == len(starred)
    assert after["analytics_events"] == after["tool_calls"] == len(starred)
    assert 0 < after["blobs"] < before["blobs"]
    assert retention.sweep(connection, 7, in_days(15)) == []
    assert stars.star(connection, starred[0].session_id, "me", starred=False)
    assert [week.whole for week in retention.sweep(connection, 7, in_days(15))] == [True]
    assert set(counts(connection).values()) == {0}


def test_a_namespace_may_keep_longer_or_for_ever(
    database: Database, connection: Connection, writer: Writer
) -> None:
    other = writer.namespace("other")
    conversation(writer)
    kept = conversation(writer, ns_id=other)
    retention.keep(connection, "other", retention.FOREVER, "me")
    retention.sweep(connection, 7, in_days(5000))
    assert bodies(database, kept) == [request.body for request in kept]
    assert counts(connection)["requests"] == len(kept)
    retention.keep(connection, "other", 60, "me")
    assert retention.sweep(connection, 7, in_days(59)) == []
    assert [week.requests for week in retention.sweep(connection, 7, in_days(70))] == [{2: 6}]
    retention.keep(connection, "other", None, "me")
    assert [kept.days for kept in retention.settings(connection)] == [None, None]
    with pytest.raises(StoreError, match="no namespace"):
        retention.keep(connection, "nowhere", 3, "me")


def test_storing_goes_on_in_a_rewritten_and_in_a_dropped_week(
    database: Database, connection: Connection, writer: Writer
) -> None:
    first = conversation(writer)
    conversation(writer)
    stars.star(connection, first[0].session_id, "me")
    retention.sweep(connection, 7, in_days(15))
    writer.forget()
    more = conversation(writer, session=first[0].session_id, turns=8)
    assert bodies(database, more) == [request.body for request in more]
    stars.star(connection, first[0].session_id, "me", starred=False)
    retention.sweep(connection, 7, in_days(15))
    again = conversation(writer)
    assert bodies(database, again) == [request.body for request in again]
    with database.connect() as opened:
        assert reads.events(opened, kind="row_refused") == []


@pytest.mark.parametrize("meanwhile", ["a star", "a call that stays"])
def test_what_happens_during_a_sweep_is_not_lost(
    database: Database,
    connection: Connection,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: str,
) -> None:
    kept, late = conversation(writer), conversation(writer)
    stars.star(connection, kept[0].session_id, "me")
    exchange = rewriting.Rewriting.replace
    more: list[RequestRow] = []

    def later(self: rewriting.Rewriting, tell: Any) -> bool:
        if not more:
            if meanwhile == "a star":
                with database.raw() as opened:
                    stars.star(opened, late[0].session_id, "me")
                more.extend(late)
            else:
                more.extend(conversation(writer, session=kept[0].session_id, turns=7)[6:])
        return exchange(self, tell)

    monkeypatch.setattr(rewriting.Rewriting, "replace", later)
    assert retention.sweep(connection, 7, in_days(15)) == []
    retention.sweep(connection, 7, in_days(15))
    expected = kept + more
    assert bodies(database, expected) == [request.body for request in expected]


def test_a_sweep_that_was_killed_is_taken_up(
    database: Database, connection: Connection, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = conversation(writer)
    conversation(writer)
    stars.star(connection, kept[0].session_id, "me")

    def killed(*rest: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rewriting.Rewriting, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            retention.sweep(connection, 7, in_days(15))
    assert len(retention.sweep(connection, 7, in_days(15))) == 1
    assert bodies(database, kept) == [request.body for request in kept]
    assert _tables_like(database, "%remade%") == []


def test_two_sweeps_do_not_meet(database: Database, connection: Connection, writer: Writer) -> None:
    conversation(writer)
    with database.raw() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [retention.SWEEPING])
        assert retention.sweep(connection, 7, in_days(15)) == []
        other.execute("SELECT pg_advisory_unlock(%s)", [retention.SWEEPING])
    assert len(retention.sweep(connection, 7, in_days(15))) >= 1


def test_a_sweep_does_not_wait_for_readers(
    database: Database, connection: Connection, writer: Writer
) -> None:
    conversation(writer)
    with database.raw() as reader:
        reader.execute("SELECT count(*) FROM requests").fetchone()
        connection.execute("SET lock_timeout = '60s'")
        began = time.monotonic()
        assert retention.sweep(connection, 7, in_days(15)) == []
        assert time.monotonic() - began < 30
    assert retention.sweep(connection, 7, in_days(15))


def test_writers_are_not_held_up_by_a_sweep(database: Database, writer: Writer) -> None:
    with database.raw() as opened:
        opened.execute("CREATE TABLE bystander (number bigint)")
    for _ in range(3):  # a busy machine may hold up one of the processes
        held_up = _held_up(database, writer)
        if held_up < 1.0:
            break
    assert held_up < 1.0


def _held_up(database: Database, writer: Writer) -> float:
    """By how many seconds a writer stood still for longer than one whom no lock concerns."""
    for _ in range(20):
        kept = conversation(writer, weeks=-3)
    done = threading.Event()

    def longest(write: Callable[[], object]) -> float:
        stall = 0.0
        while not done.is_set():
            began = time.monotonic()
            write()
            stall = max(stall, time.monotonic() - began)
        return stall

    def write_calls() -> float:
        own = Writer(database)
        try:
            return longest(lambda: own.write(Batch(requests=[a_request()])))
        finally:
            own.close()

    def stand_by() -> float:
        with database.raw() as opened:
            opened.autocommit = True
            return longest(lambda: opened.execute("INSERT INTO bystander VALUES (1)"))

    with ThreadPoolExecutor() as threads:
        calls, beside = threads.submit(write_calls), threads.submit(stand_by)
        try:
            with database.raw() as opened:
                opened.autocommit = True
                stars.star(opened, kept[0].session_id, "me")
                while not retention.sweep(opened, 7, in_days(7)):
                    pass
        finally:
            done.set()
    print(
        f"longest stall {calls.result() * 1000:.0f} ms, beside it {beside.result() * 1000:.0f} ms"
    )
    assert bodies(database, kept) == [request.body for request in kept]
    return calls.result() - beside.result()


def test_a_session_is_found_by_a_part_of_its_id(connection: Connection, writer: Writer) -> None:
    session = new_id()
    writer.write(Batch(sessions=[a_session(id=session, external_id="my-session")]))
    for said in (str(session), session.hex[:20], session.hex[-8:], "my-session"):
        assert stars.find(connection, said) == [session]
    assert stars.find(connection, "") == stars.find(connection, "%") == []


def test_stars_are_shown_and_written_down(
    database: Database, connection: Connection, writer: Writer
) -> None:
    session = new_id()
    writer.write(Batch(sessions=[a_session(id=session)]))
    stars.star(connection, session, "me")
    with database.connect() as opened:
        found = reads.session(opened, session)
    assert found is not None
    assert found.starred
    stars.star(connection, session, "me", starred=False)
    assert actions(connection) == ["unstar", "star"]


def _tables_like(database: Database, pattern: str) -> list[str]:
    with database.connect() as opened:
        query = text("SELECT relname FROM pg_class WHERE relname LIKE :pattern")
        return list(opened.scalars(query, {"pattern": pattern}))
