import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.store import filters, index, query, reads
from llmproxy_core.store import search as searching
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import SearchRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.partitions import epoch_of
from llmproxy_core.store.writer import Writer
from llmproxy_core.words import hashed, words
from tests.store.flows import a_request, a_response

WEEK = timedelta(weeks=1)
NOW = datetime.now(UTC)


def at(moment: datetime, n: int = 0) -> UUID:
    """A uuidv7 of a time; ids of one time are in the order of `n`."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | n)


def said(text: str, id: UUID | None = None, ns_id: int = 1) -> Batch:
    """A call in which this was said, as the worker stores it."""
    body = b'{"model": "m", "messages": [{"role": "user", "content": "%s"}]}' % text.encode()
    request = a_request(ns_id=ns_id, body=body, **({} if id is None else {"id": id}))
    row = SearchRow(ns_id, request.id, hashed(words(text)))
    return Batch(requests=[request], responses=[a_response(request, text="")], search=[row])


@pytest.fixture(params=["beside answers", "rows"])
def writer(database: Database, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Keeps the words of a small week in one way, and in the other."""
    if request.param == "rows":
        monkeypatch.setattr(index, "MOST", 0)
    writer = Writer(database)
    yield writer
    writer.close()


def find(database: Database, text: str, limit: int = 50, before: UUID | None = None) -> list[UUID]:
    with database.connect() as connection:
        flows = reads.search(connection, query.parse(text), limit=limit, before=before)
    return [flow.id for flow in flows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("timeout", [2, 0]),
        ("TIMEOUT connect", [0]),
        ("timeout -connect", [2]),
        ('"connect timeout"', [0]),
        ('timeout -"connect timeout"', [2]),
        ("nothing", []),
        ('"the upload"', [1]),
        ("-timeout", [1]),
    ],
)
def test_calls_are_found_by_what_was_said(
    database: Database, writer: Writer, text: str, found: list[int]
) -> None:
    texts = ["a Connect Timeout happened", "the upload is done", "timeout, but no link"]
    batches = [said(text) for text in texts]
    for batch in batches:
        writer.write(batch)
    assert find(database, text) == [batches[n].requests[0].id for n in found]


def test_the_newest_come_first_over_weeks_and_pages(database: Database, writer: Writer) -> None:
    times = [NOW - n * WEEK for n in range(4)]
    ids = [at(time, n) for time in times for n in (2, 1, 0)]
    for id in reversed(ids):
        writer.write(said("needle in hay", id))
    assert find(database, "needle") == ids
    assert find(database, "needle", limit=5) == ids[:5]
    assert find(database, "needle", limit=5, before=ids[4]) == ids[5:10]


@pytest.fixture
def indexed(database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch):
    """300 calls of a week that has its indexes: `common` in all, `half`, `rare` in one of 100."""
    monkeypatch.setattr(index, "LEAST_BYTES", 0)
    monkeypatch.setattr(searching, "WINDOW", 20)
    ids = [at(NOW - timedelta(seconds=300 - n), n) for n in range(300)]
    for n, id in enumerate(ids):
        extra = ("half " if n % 2 else "") + ("rare" if n % 100 == 7 else "")
        writer.write(said(f"common number{n} {extra}", id))
        writer._index._rows = index.EVERY if n == 100 else 0
    return ids


def test_an_indexed_week_tells_the_same(indexed: list[UUID], database: Database) -> None:
    with database.connect() as connection:
        made = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indrelid"
            " WHERE h.inhparent = 'search'::regclass"
        )
        assert made.scalar_one() == 2
    newest = indexed[::-1]
    assert find(database, "common", limit=300) == newest
    assert find(database, "half", limit=75) == newest[0::2][:75]
    assert find(database, "rare") == [indexed[207], indexed[107], indexed[7]]
    assert find(database, "rare", before=indexed[207]) == [indexed[107], indexed[7]]
    assert find(database, "number42") == [indexed[42]]
    assert find(database, "common -half", limit=3) == newest[1::2][:3]


def test_a_filter_searches_texts_beside_its_other_terms(database: Database, writer: Writer) -> None:
    for text in ("alpha beta", "alpha gamma", "delta"):
        writer.write(said(text))
    with database.connect() as connection:

        def feed(line: str) -> list[Flow]:
            return reads.flows(connection, where=filters.parse(line))

        assert len(feed("text:alpha")) == 2
        assert len(feed('text:"alpha beta" model:gpt')) == 1
        assert len(feed("text:alpha -text:beta")) == 1
        assert len(feed("text:alpha model:claude")) == 0


def test_a_live_feed_decides_by_what_it_shows(database: Database, writer: Writer) -> None:
    writer.write(said("alpha beta"))
    with database.connect() as connection:
        (flow,) = reads.flows(connection)
    flow.preview, flow.text_start = "alpha beta", "gamma"
    assert filters.parse('text:ALPHA text:gamma text:"alpha beta"').matches(flow)
    assert not filters.parse("text:alpha -text:gamma").matches(flow)


@pytest.mark.parametrize("text", ["", "   ", "the", "- -", '"open'])
def test_a_search_for_nothing_says_so(text: str) -> None:
    with pytest.raises(query.SearchError):
        query.parse(text)


@given(st.text())
def test_any_search_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(query.SearchError):
        assert query.parse(text) == query.parse(text)


def test_who_sees_nothing_of_a_namespace_finds_nothing_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST", 1)
    writer = Writer(database)
    other = writer.namespace("other")
    for text in ("a secret word", "secret"):
        writer.write(said(text))
        writer.write(said(text, ns_id=other))
    writer.close()
    with database.raw() as connection:
        connection.autocommit = True
        connection.execute("CREATE ROLE only_other IN ROLE llmproxy_reader")
        try:
            connection.execute("INSERT INTO namespace_members VALUES (%s, 'only_other')", [other])
            connection.execute("SET ROLE only_other")
            week = f"search_w{epoch_of(at(NOW))}"
            found = connection.execute(
                "SELECT ns_id FROM llmproxy_search(%s::regclass, %s::int4[], '{}', %s, %s, 9, true)",
                [week, hashed({b"secret"}), searching.LOWEST, searching.HIGHEST],
            )
            assert found.fetchall() == [(other,)]
            beside = connection.execute("SELECT ns_id FROM responses WHERE words IS NOT NULL")
            assert beside.fetchall() == [(other,)]
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP OWNED BY only_other")
            connection.execute("DROP ROLE only_other")
