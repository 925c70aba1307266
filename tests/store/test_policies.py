import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, text

from llmproxy_core.errors import SchemaError, StoreError
from llmproxy_core.store import (
    anomalies,
    answers,
    approvals,
    audit,
    call_lessons,
    decisions,
    detail,
    enhancement_changes,
    enhancements,
    experiment_changes,
    experiments,
    file_rules,
    filters,
    migrate,
    namespace_changes,
    namespaces,
    partitions,
    pattern_detail,
    patterns,
    policies,
    progress,
    query,
    reads,
    recall,
    selection,
    stars,
    statistics,
    transformation_changes,
    transformations,
    tree,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import (
    Contribution,
    OffsetRow,
    RequestRow,
    SearchRow,
    StreamDelta,
)
from llmproxy_core.store.database import Database, driver
from llmproxy_core.store.guard_rows import DeliveryRow, UnjudgedRow
from llmproxy_core.store.learning_rows import Lessons, UnlearntRow
from llmproxy_core.store.namespaces import Rule
from llmproxy_core.store.writer import Writer
from llmproxy_core.words import hashed, words
from tests.store.flows import (
    AT,
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

PASSWORD = "only-for-this-test"
MARK = "zebra"
MANY = [b"number%d" % n for n in range(1500)]
"""More words than are kept beside an answer."""
OURS = UUID("0199aaaa-0000-7000-8000-000000000001")
THEIRS = UUID("0199bbbb-0000-7000-8000-000000000002")
PATTERNS = {1: UUID(OURS.hex[:-1] + "a"), 2: UUID(THEIRS.hex[:-1] + "a")}
TRIALS = {1: UUID(OURS.hex[:-1] + "b"), 2: UUID(THEIRS.hex[:-1] + "b")}
_numbers = itertools.count(1)


@pytest.fixture
def owner(database: Database) -> Database:
    return database


@pytest.fixture
def login(owner: Database) -> Iterator[Callable[[str | None], Database]]:
    """Gives the store to a new login that is a member of a group role."""
    opened: list[Database] = []
    names: list[str] = []
    with owner.raw() as connection:
        connection.autocommit = True

        def log_in(group: str | None) -> Database:
            name = f"{group or 'nobody'}_{next(_numbers)}"
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
            names.append(name)
            if group:
                connection.execute(f"GRANT {group} TO {name}")
            info = connection.info
            place = f"host={info.host} port={info.port} dbname={info.dbname}"
            opened.append(Database(f"{place} user={name} password={PASSWORD}"))
            return opened[-1]

        yield log_in
        for database in opened:
            database.close()
        for name in names:
            connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def theirs(owner: Database) -> RequestRow:
    """What is in the other namespace; `ours` holds as much, without the mark."""
    writer = Writer(owner)
    assert writer.namespace(MARK) == 2
    writer.write(_everything(1, OURS, "horse"))
    batch = _everything(2, THEIRS, MARK)
    writer.write(batch)
    writer.close()
    with owner.raw() as connection:
        for ns_id, word in ((1, "horse"), (2, MARK)):
            audit.append(connection, ns_id, word, word, word, {"word": word})
            connection.execute(
                "INSERT INTO blobs (ns_id, epoch, hash, data) VALUES (%s, %s, %s, %s)",
                [ns_id, partitions.epoch_now(), new_id(), word.encode()],
            )
            _suggest(connection, ns_id, word)
    return batch.requests[0]


def _suggest(connection: psycopg.Connection[Any], ns_id: int, word: str) -> None:
    one = an_enhancement(PATTERNS[ns_id], id=str(TRIALS[ns_id]), reasoning=word)
    enhancement_changes.add(connection, ns_id, one)
    enhancement_changes.note_asked(connection, ns_id, PATTERNS[ns_id], "ab" * 16, word)
    trial = an_experiment(PATTERNS[ns_id], id=str(TRIALS[ns_id]), name=word)
    experiment_changes.add(connection, ns_id, trial, word)
    experiment_changes.start(connection, TRIALS[ns_id], word)
    won = transformations.checked(
        {"name": word, "logic": [{"op": "append_system", "text": f"As {word}s do."}]}
    )
    origin = f"{transformations.OF_EXPERIMENT}{trial.id}"
    transformation_changes.store(connection, won, origin, None, word)


def _everything(ns_id: int, session: UUID, word: str) -> Batch:
    requests = [
        a_request(
            ns_id=ns_id, session_id=session, preview=word, path=f"/{word}", user_agent=word,
            body=f'{{"model": "{word}"}}'.encode(), model=word, external_id=word, provider=word,
            namespace_prefix="p_", shortened={f"p_{word}": word},
        )
        for _ in range(3)
    ]  # fmt: skip
    ended = requests[:2]
    return Batch(
        requests=requests,
        responses=[a_response(row, text=word, response_id=f"resp_{word}") for row in ended],
        tool_calls=[a_call(row, name=word, arguments=word) for row in ended],
        sessions=[
            a_session(
                ns_id=ns_id, id=session, external_id=word, title=word, source=word, requests=3
            )
        ],
        events=[an_event(ns_id=ns_id, kind=word, data={"records": 1, "word": word})],
        deltas=[StreamDelta(ns_id, requests[2].id, 0, "text", word)],
        offsets=[OffsetRow("journal", 1, 2, 1, 2)],
        search=[
            SearchRow(ns_id, ended[0].id, hashed(words(word))),
            SearchRow(ns_id, ended[1].id, hashed([*words(word), *MANY])),
        ],
        rollups=[
            Contribution(ns_id, row.id, AT, word, word, word, cost_usd=Decimal(1)) for row in ended
        ],
        anomalies=[an_anomaly(requests[0], said=word)],
        decisions=[a_decision(requests[0], why=word)],
        approvals=[an_approval(requests[0], said=word)],
        unjudged=[UnjudgedRow(ns_id, requests[2].id, word, request=True)],
        deliveries=[DeliveryRow(ns_id, new_id(), word, word, word, word, AT)],
        lessons=_lessons(ns_id, requests[0], word),
    )


def _lessons(ns_id: int, call: RequestRow, word: str) -> Lessons:
    pattern = a_pattern(
        ns_id=ns_id, id=PATTERNS[ns_id], name=word, pieces=[f"a {word} is ", None], kind="system"
    )
    like = a_pattern(ns_id=ns_id, name=f"{word}s", pieces=pattern.pieces, kind="system")
    return Lessons(
        applied=[a_change(call, word)],
        unlearnt=[UnlearntRow(ns_id, call.id, word)],
        patterns=[pattern, like],
        versions=[a_version(pattern, text=word)],
        history=[an_event_of(pattern, why=word)],
        calls=[of_pattern(call, pattern, model=word)],
        signals=[a_signal(call, why=word)],
        sums=[a_sum(pattern, model=word)],
        units=[a_unit(TRIALS[ns_id], ns_id=ns_id, arm=word)],
    )


def name_of(database: Database) -> str:
    with database.raw() as connection:
        return connection.info.user


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Every table that holds rows of namespaces, partitions aside."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition AND a.attname = 'ns_id' ORDER BY 1"
    )
    return [name for (name,) in rows]


def test_no_table_is_without_a_policy(database: Database) -> None:
    with database.raw() as connection:
        open_tables = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND a.attname = 'ns_id' AND NOT (c.relrowsecurity AND (c.relispartition"
            " OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)))"
        ).fetchall()
    assert open_tables == [], "its migration has to call llmproxy_protect()"


@pytest.mark.usefixtures("theirs")
def test_a_reader_sees_its_namespace_in_every_table(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    reader = login("llmproxy_reader")
    with owner.raw() as connection:
        connection.autocommit = True
        name = name_of(reader)
        assert policies.grant(connection, name, "default", "test") is None
        with reader.raw() as restricted:
            for table in tables(connection):
                seen = f"SELECT DISTINCT ns_id FROM {table} ORDER BY 1"
                everything = [ns_id for (ns_id,) in connection.execute(seen)]
                assert everything == ([1] if table == "namespace_members" else [1, 2]), table
                assert restricted.execute(seen).fetchall() == [(1,)], table


@pytest.mark.usefixtures("theirs")
def test_what_an_experiment_has_won_is_seen_by_who_sees_the_experiment(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    people = transformations.checked(
        {"name": "written", "logic": [{"op": "append_system", "text": "Be brief."}]}
    )
    reader, writer = login("llmproxy_reader"), login("llmproxy_writer")
    with owner.raw() as connection:
        connection.autocommit = True
        transformation_changes.add(connection, people, "ann")
        policies.grant(connection, name_of(reader), "default", "test")
    for who, seen in ((reader, {"horse", "written"}), (writer, {"horse", "written", MARK})):
        with who.raw() as restricted:
            found = transformations.transformations(restricted)
            assert {one.name for one in found} == seen
    with writer.raw() as worker:
        worker.autocommit = True
        assert transformation_changes.set_active(worker, MARK, "worker", active=False)


@pytest.mark.usefixtures("theirs")
def test_a_reader_without_a_namespace_sees_nothing(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    with owner.raw() as connection, login("llmproxy_reader").raw() as restricted:
        for table in tables(connection):
            assert restricted.execute(f"SELECT 1 FROM {table}").fetchall() == [], table


def test_no_read_function_shows_another_namespace(
    owner: Database, theirs: RequestRow, login: Callable[[str | None], Database]
) -> None:
    reader = login("llmproxy_reader")
    with owner.raw() as connection:
        policies.grant(connection, name_of(reader), "default", "test")
    shown = dict(_told(reader, theirs))
    assert "horse" in shown["flows"]
    assert {name: told for name, told in shown.items() if MARK in told or "0199bbbb" in told} == {}
    everything = dict(_told(owner, theirs))
    assert {name for name, told in everything.items() if MARK not in told} == set()


def _told(database: Database, theirs: RequestRow) -> Iterator[tuple[str, str]]:
    """What each way to read tells, asked for what is in the other namespace."""
    asked: dict[str, Callable[[Connection], Any]] = {
        "flows": reads.flows,
        "flows filtered": lambda c: reads.flows(c, where=filters.parse(f"-model:x {MARK}")),
        "flows of session": lambda c: reads.flows(c, session=THEIRS),
        "flows by id": lambda c: reads.flows_by_id(c, [theirs.id]),
        "flow": lambda c: reads.flow(c, theirs.id),
        "answers.call_of": lambda c: _mark(answers.call_of(c, f"resp_{MARK}") is not None),
        "enhancements.waiting": lambda c: _mark(enhancements.waiting(c) > 1),
        "transformations": lambda c: transformations.transformations(driver(c)),
        "request": lambda c: detail.request(c, 2, theirs.id),
        "search": lambda c: reads.flows(c, where=filters.parse(MARK)),
        "words searched": lambda c: reads.search(c, query.parse(MARK)),
        "summary": lambda c: _mark(reads.summary(c).requests > 3),
        "find_ids": lambda c: _mark(reads.find_ids(c, str(theirs.id))),
        "deltas": lambda c: reads.deltas(c, _open_flow(c)),
        "sessions": reads.sessions,
        "session": lambda c: reads.session(c, THEIRS),
        "sessions_by_id": lambda c: reads.sessions_by_id(c, [THEIRS]),
        "events": reads.events,
        "recall requests": lambda c: _mark(recall.sessions_of_requests(c, [(2, theirs.id)])),
        "recall sessions": lambda c: _mark(
            recall.recent_sessions(c, 2, MARK, AT - timedelta(days=1))
        ),
        "streamed": lambda c: _mark(len(progress.streamed(c, _all_ids(c, theirs))) > 1),
        "statistics": lambda c: statistics.statistics(
            c, "model", AT - timedelta(days=1), AT + timedelta(days=1)
        ),
        "tree": lambda c: tree.tree(c, 2, THEIRS),
        "anomalies": anomalies.anomalies,
        "anomalies by id": lambda c: anomalies.by_id(c, _anomaly_ids(c)),
        "anomalies of flow": lambda c: anomalies.of_flow(c, theirs.id),
        "anomalies counted": lambda c: _mark(sum(anomalies.counts(c).values()) > 1),
        "anomalies found": lambda c: _mark(
            any(anomalies.find_ids(c, id.hex) for id in _anomaly_ids(c)[1:])
        ),
        "decisions of flow": lambda c: decisions.of_flow(c, theirs.id),
        "decisions": lambda c: decisions.newest(c, "no-keys"),
        "hits": lambda c: _mark(decisions.hits(c, ["no-keys"])["no-keys"].day > 1),
        "approvals": approvals.newest,
        "approvals waiting": approvals.waiting,
        "approvals of flow": lambda c: approvals.of_flow(c, theirs.id),
        "patterns": lambda c: patterns.patterns(c, ["system"], today=AT.date()),
        "patterns by id": lambda c: patterns.by_id(c, [PATTERNS[2]]),
        "patterns found": lambda c: _mark(patterns.find_ids(c, MARK)),
        "pattern by day": lambda c: patterns.by_day(c, 2, PATTERNS[2], AT.date()),
        "pattern by model": lambda c: patterns.by_model(c, 2, PATTERNS[2], AT.date()),
        "pattern total": lambda c: _mark(patterns.total(c, 2, PATTERNS[2], AT.date()).calls),
        "pattern about": lambda c: pattern_detail.about(c, 2, PATTERNS[2]),
        "pattern versions": lambda c: pattern_detail.versions(c, 2, PATTERNS[2]),
        "pattern history": lambda c: pattern_detail.history(c, 2, PATTERNS[2]),
        "pattern calls": lambda c: pattern_detail.calls(c, 2, PATTERNS[2]),
        "patterns alike": lambda c: pattern_detail.nearest(c, 2, PATTERNS[2], "system"),
        "lessons of call": lambda c: call_lessons.of_call(c, theirs.id),
        "patterns of calls": lambda c: call_lessons.patterns_of(c, [theirs.id]),
        "enhancements": enhancements.enhancements,
        "enhancements by id": lambda c: enhancements.by_id(c, [TRIALS[2]]),
        "enhancements of pattern": lambda c: enhancements.of_pattern(c, 2, PATTERNS[2]),
        "enhancements found": lambda c: _mark(enhancements.find_ids(c, TRIALS[2].hex)),
        "enhancements asked": lambda c: _mark(enhancements.asked(c, 2, PATTERNS[2])),
        "experiments": experiments.experiments,
        "experiments by id": lambda c: experiments.by_id(c, [TRIALS[2]]),
        "experiments found": lambda c: _mark(experiments.find_ids(c, MARK)),
        "experiments in force": experiments.in_force,
        "experiments units": lambda c: experiments.units(c, 2, TRIALS[2]),
        "experiments due": lambda c: experiments.due(c, AT + timedelta(days=1)),
        "experiments arms": lambda c: experiments.arms(c, 2, TRIALS[2]),
        "experiments judged": lambda c: _mark(
            _may_count(c) and experiments.judged(c, 2, TRIALS[2])
        ),
        "experiments counted": lambda c: _mark(
            _may_count(c) and experiments.counted(c, 2, TRIALS[2]).arms
        ),
        "experiments aims": lambda c: [
            (one.one.name, experiments.aim(c, one)) for one in experiments.experiments(c)
        ],
        "rollups": lambda c: c.execute(text("SELECT * FROM rollups")).all(),
        "words": lambda c: _mark(
            c.execute(
                text(
                    "SELECT 1 FROM pg_inherits h, LATERAL llmproxy_search(h.inhrelid, '{}', '{}',"
                    f" '{UUID(int=0)}', '{UUID(int=2**128 - 1)}', 9, true) f"
                    " WHERE h.inhparent = 'search'::regclass AND f.ns_id = 2"
                )
            ).all()
        ),
    }
    with database.connect() as connection:
        for name, ask in asked.items():
            yield name, repr(ask(connection))
    yield "selection", repr(list(selection.flows(database, selection.Selection(session=THEIRS))))
    with database.raw() as raw:
        yield "audit", repr(audit.newest(raw))
        yield "audit verdicts", repr(audit.verify(raw))
        yield "stars", _mark(stars.find(raw, MARK))
        yield "members", repr(policies.roles(raw)) + _mark(partitions.sizes(raw))
        yield "blobs", repr(raw.execute("SELECT data FROM blobs").fetchall())


def _may_count(connection: Connection) -> bool:
    """Count all conversations, if this login may."""
    with suppress(psycopg.errors.InsufficientPrivilege), driver(connection).transaction():
        driver(connection).execute("UPDATE experiment_units SET judged_at = now()")
        return True
    return False


def _mark(found: object) -> str:
    return MARK if found else ""


def _open_flow(connection: Connection) -> UUID:
    found = connection.scalar(text("SELECT request_id FROM stream_deltas WHERE ns_id = 2"))
    return found or new_id()


def _all_ids(connection: Connection, theirs: RequestRow) -> list[UUID]:
    return [theirs.id, *connection.scalars(text("SELECT id FROM requests"))]


def _anomaly_ids(connection: Connection) -> list[UUID]:
    return list(connection.scalars(text("SELECT id FROM anomalies ORDER BY ns_id")))


def test_the_search_functions_of_the_store_are_all_asked() -> None:
    """A new way to read has to be added to `_told`."""
    asked = inspect.getsource(_told)
    for module in (
        reads,
        answers,
        anomalies,
        decisions,
        patterns,
        pattern_detail,
        enhancements,
        experiments,
    ):
        short = module.__name__.rpartition(".")[2]
        names = [
            name for name, found in inspect.getmembers(module, inspect.isfunction)
            if found.__module__ == module.__name__ and not name.startswith("_")
            and next(iter(inspect.signature(found).parameters), "") == "conn"
        ]  # fmt: skip
        assert [name for name in names if f"{short}.{name}" not in asked] == []


@pytest.mark.usefixtures("theirs")
def test_a_partition_cannot_be_reached_past_its_table(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    week = f"requests_w{partitions.epoch_now()}"
    reader = login("llmproxy_reader")
    with owner.raw() as connection:
        connection.execute(f"GRANT SELECT ON {week} TO llmproxy_reader")
    try:
        with reader.raw() as restricted:
            assert restricted.execute(f"SELECT 1 FROM {week}").fetchall() == []
    finally:
        with owner.raw() as connection:
            connection.execute(f"REVOKE SELECT ON {week} FROM llmproxy_reader")


def test_a_reader_can_change_nothing(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    reader = login("llmproxy_reader")
    with owner.raw() as connection:
        policies.grant(connection, name_of(reader), "default", "test")
        names = tables(connection)
    with reader.raw() as restricted:
        restricted.autocommit = True
        changes = [f"DELETE FROM {name}" for name in names]
        changes += [f"INSERT INTO {name} (ns_id) VALUES (1)" for name in names]
        changes += ["DELETE FROM spool_offsets", "SELECT llmproxy_make_weeks('{1}')"]
        changes += ["SELECT llmproxy_index_weeks(0)"]
        for change in changes:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                restricted.execute(change)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            audit.append(restricted, 1, "me", "x", "y")
    with pytest.raises(StoreError, match="may not do that"), reader.raw() as restricted:
        policies.grant(restricted, restricted.info.user, "default", "me")


def test_a_writer_stores_whole_batches(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    writer = Writer(login("llmproxy_writer"))
    writer.write(_everything(1, OURS, "horse"))
    assert writer.namespace(MARK) == 2
    writer.write(_everything(2, THEIRS, MARK))
    writer.write(Batch(requests=[a_request(id=UUID(int=(2**41) << 80 | 7 << 76))]))
    writer.close()
    with owner.connect() as connection:
        assert len(reads.flows(connection)) == 7
        assert reads.events(connection, kind="row_refused") == []


def test_a_login_without_a_group_sees_nothing(login: Callable[[str | None], Database]) -> None:
    with (
        login(None).raw() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM requests")


def test_a_role_that_was_let_in_can_be_shut_out(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    reader = login("llmproxy_reader")
    name = name_of(reader)
    with owner.raw() as connection, reader.raw() as restricted:
        connection.autocommit = restricted.autocommit = True
        policies.grant(connection, name, "default", "test")
        assert policies.roles(connection).members == [(name, "default")]
        assert restricted.execute("SELECT name FROM namespaces").fetchall() == [("default",)]
        assert policies.revoke(connection, name, "default", "test")
        assert not policies.revoke(connection, name, "default", "test")
        assert restricted.execute("SELECT name FROM namespaces").fetchall() == []
        actions = [event.action for _, event in audit.newest(connection)]
        assert actions == ["revoke", "grant"]


@pytest.mark.parametrize(
    ("role", "namespace", "problem"),
    [("nobody_there", "default", "no role"), ("llmproxy_reader", "nowhere", "no namespace")],
)
def test_what_is_not_there_cannot_be_granted(
    database: Database, role: str, namespace: str, problem: str
) -> None:
    with database.raw() as connection, pytest.raises(StoreError, match=problem):
        policies.grant(connection, role, namespace, "test")


def test_who_may_not_migrate_is_told_so(
    database: Database, login: Callable[[str | None], Database]
) -> None:
    writer = login("llmproxy_writer")
    assert migrate.upgrade(writer).state == "current"
    with database.raw() as connection:
        connection.execute(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0001'")
    with pytest.raises(SchemaError, match="owner of the tables"):
        migrate.upgrade(writer)


ANYBODY = ("llmproxy_search", "llmproxy_sees_all", "llmproxy_visible")
"""What restricts itself to the namespaces of the caller, or tells of no more than roles."""


def test_only_functions_that_look_at_their_caller_act_as_the_owner_for_anybody(
    database: Database,
) -> None:
    with database.raw() as connection:
        found = connection.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
            " AND has_function_privilege('llmproxy_reader', oid, 'EXECUTE') ORDER BY 1"
        ).fetchall()
    assert [name for (name,) in found] == list(ANYBODY)


def test_the_writer_may_change_rules_and_a_reader_may_not(
    owner: Database, login: Callable[[str | None], Database]
) -> None:
    rule = Rule("payments", "pay__", {"model": ["gpt-*"]})
    with login(policies.WRITER).connect() as connection:
        namespace_changes.add(driver(connection), rule, "worker")
        assert file_rules.bring(driver(connection), "host:/home", [Rule("shop", "s_")]) == []
    reader = login(policies.READER)
    with reader.connect() as connection:
        assert namespaces.rules(driver(connection)) == []
    with pytest.raises(StoreError, match="permission denied"), reader.connect() as connection:
        namespace_changes.add(driver(connection), Rule("other"), "anna")
    with owner.connect() as connection:
        assert namespaces.rules(driver(connection)) == [rule]
