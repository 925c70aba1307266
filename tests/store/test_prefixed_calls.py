"""Calls whose tools have a prefix on the provider's side: both names are there."""

import pytest
from sqlalchemy import text

from llmproxy_core.errors import StoreError
from llmproxy_core.store import detail, filters, reads
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.writer import Writer
from tests.store.flows import a_call, a_request, a_response

LONG = "a_tool_with_a_name_that_is_longer_than_any_provider_would_ever_take"
SHORT = "pay__a_tool_with_a_name_that_is_longer_than_any_pro_abcdefghijkl"


@pytest.fixture
def writer(database: Database):
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.fixture
def stored(database: Database, writer: Writer):
    """A request and the names that its answer calls -> its line in the feed."""

    def store(request: RequestRow, *names: str) -> Flow:
        calls = [a_call(request, number, name=name) for number, name in enumerate(names)]
        writer.write(Batch([request], [a_response(request)], calls))
        with database.connect() as connection:
            return reads.flows_by_id(connection, [request.id])[0]

    return store


def test_what_was_done_to_a_call_is_read_as_it_was_written(database, stored):
    row = a_request(namespace_prefix="pay__", shortened={SHORT: LONG}, left_alone="too_long")
    stored(row, "pay__search")
    with database.connect() as connection:
        assert detail.request(connection, 1, row.id) == row
        found = reads.flow(connection, row.id)
    assert found is not None
    assert found.request.shortened == {SHORT: LONG}


def test_a_call_without_a_prefix_has_nothing_of_it(database, stored):
    flow = stored(a_request(), "search")
    assert (flow.namespace_prefix, flow.shortened, flow.left_alone) == (None, None, None)
    assert flow.client_tool_names == ["search"]
    with database.connect() as connection:
        kept = text("SELECT num_nulls(namespace_prefix, shortened, left_alone) FROM requests")
        assert connection.scalar(kept) == 3


def test_a_line_of_the_feed_has_both_names(stored):
    row = a_request(namespace_prefix="pay__", shortened={SHORT: LONG})
    flow = stored(row, "pay__search", SHORT, "web_search")
    assert flow.tool_names == ["pay__search", SHORT, "web_search"]
    assert flow.client_tool_names == ["search", LONG, "web_search"]


def test_the_feed_reads_no_shortened_names_of_answers_without_calls(stored):
    assert stored(a_request(namespace_prefix="p_", shortened={SHORT: LONG})).shortened is None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("tool:search", True),
        ("tool:pay__search", True),
        ("tool:TAKE", True),  # the end of the long name, which is not sent
        ("tool:abcdefghijkl", True),
        ("tool:unknown", False),
        ("-tool:take", False),
    ],
)
def test_a_filter_finds_a_tool_by_either_name(database, stored, line, found):
    row = a_request(namespace_prefix="pay__", shortened={SHORT: LONG, "pay__other": "unknown"})
    flow = stored(row, "pay__search", SHORT)
    where = filters.parse(line)
    with database.connect() as connection:
        assert bool(reads.flows(connection, where=where)) is found
    assert where.matches(flow) is found


def test_names_that_are_sent_again_are_stored_once(database, stored, writer):
    for _ in range(3):
        stored(a_request(namespace_prefix="pay__", shortened={SHORT: LONG, "b": "c"}))
    again = Writer(database)
    again.write(Batch([a_request(namespace_prefix="pay__", shortened={"b": "c", SHORT: LONG})]))
    again.close()
    stored(a_request(namespace_prefix="pay__", shortened={SHORT: LONG}))
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM shortened_names")) == 2


def test_names_of_a_batch_that_failed_are_stored_with_the_next(database, writer):
    row = a_request(namespace_prefix="pay__", shortened={SHORT: LONG})
    with database.raw() as other:
        other.execute("ALTER TABLE requests RENAME TO away")
        other.commit()
        with pytest.raises(StoreError):
            writer.write(Batch([row]))
        other.execute("ALTER TABLE away RENAME TO requests")
        other.commit()
    writer.write(Batch([row]))
    with database.connect() as connection:
        assert detail.request(connection, 1, row.id) == row


def test_names_with_signs_that_cannot_be_stored_are_cleaned(database, writer):
    row = a_request(namespace_prefix="pay__", shortened={"a\0b": "c\ud800"})
    writer.write(Batch([row]))
    with database.connect() as connection:
        found = detail.request(connection, 1, row.id)
    assert found is not None
    assert found.shortened == {"a\ufffdb": "c\ufffd"}
