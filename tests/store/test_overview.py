"""What the screens of sessions read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from llmproxy_core.store import overview, progress
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import EventRow, Relation, ToolCallRow
from llmproxy_core.store.overview import Family
from llmproxy_core.store.writer import Writer
from tests.store import flows


@pytest.fixture
def write(database):
    writer = Writer(database)
    yield writer.write
    writer.close()


def read(database, function, *args, **kwargs):
    with database.connect() as connection:
        return function(connection, *args, **kwargs)


def sessions(**counts):
    """Sessions of so many (requests, responses), by title; the first was active last."""
    return [
        flows.a_session(
            id=flows.new_id(),
            title=title,
            at=flows.AT - timedelta(minutes=age),
            requests=requests,
            responses=responses,
        )
        for age, (title, (requests, responses)) in enumerate(counts.items())
    ]


def test_conversations_come_without_sessions_of_one_call_that_has_ended(database, write):
    write(Batch(sessions=sessions(alone=(1, 1), talk=(3, 3), running=(1, 0), older=(2, 2))))
    found = read(database, overview.conversations, limit=10)
    assert [session.title for session in found.sessions] == ["talk", "running", "older"]
    assert found.single == 1
    assert len(read(database, overview.conversations, limit=2).sessions) == 2


def test_a_starred_session_of_one_call_stays(database, write):
    rows = sessions(alone=(1, 1), talk=(3, 3))
    write(Batch(sessions=rows))
    with database.raw() as connection:
        connection.execute("UPDATE sessions SET starred = true WHERE id = %s", [rows[0].id])
    found = read(database, overview.conversations, limit=10)
    assert [session.title for session in found.sessions] == ["alone", "talk"]


def test_sub_agents_branches_and_compactions_are_counted(database, write):
    kinds: tuple[Relation, ...] = (
        "root",
        "append",
        "subagent",
        "subagent",
        "branch",
        "compaction",
        "retry",
    )
    write(Batch(requests=[replace(flows.a_request(), relation=kind) for kind in kinds]))
    found = read(database, overview.families, [flows.SESSION, flows.new_id()])
    assert found == {flows.SESSION: Family(subagents=2, branches=1, compactions=1)}


def test_a_tree_names_the_tools_that_called_sub_agents(database, write):
    asked = flows.a_request(head=b"1" * 16)
    child = flows.a_request(
        parent_id=asked.id, relation="subagent", parent_call="toolu_1", head=b"2" * 16
    )
    calls = [ToolCallRow(1, asked.id, n, f"toolu_{n}", "Task", "{}") for n in range(2)]
    session = flows.a_session(requests=2, responses=1)
    write(
        Batch(
            requests=[asked, child],
            responses=[flows.a_response(asked)],
            tool_calls=calls,
            sessions=[session],
        )
    )
    found = read(database, overview.session_tree, flows.SESSION)
    assert found is not None
    assert [node.id for node in found.nodes] == [asked.id, child.id]
    assert found.tools == {"toolu_1": "Task"}
    assert len(found.branches) == 2


def test_of_an_answer_with_several_tools_the_call_itself_tells(database, write):
    asked = flows.a_request()
    names = ("Bash", "Task")
    calls = [ToolCallRow(1, asked.id, n, f"toolu_{n}", name, "{}") for n, name in enumerate(names)]
    write(Batch(requests=[asked], responses=[flows.a_response(asked)], tool_calls=calls))
    found = read(database, overview.tools, 1, {"toolu_1": asked.id, "toolu_9": asked.id})
    assert found == {"toolu_1": "Task"}


def test_there_is_no_tree_of_a_session_that_is_not_stored(database):
    assert read(database, overview.session_tree, flows.new_id()) is None


def test_losses_are_counted_from_a_time_on(database, write):
    def event(kind, **data):
        return EventRow(1, flows.new_id(), flows.AT, kind, None, data)

    write(
        Batch(
            events=[
                event("gap", reason="max_bytes", records=2, bodies=5, bytes=10),
                event("gap", reason="damaged", bytes=99),
                event("row_refused", table="requests"),
                event("fault", records=7),
            ]
        )
    )
    long_ago = flows.AT - timedelta(days=9000)
    assert read(database, progress.losses, long_ago) == progress.Losses(2, 5, 1, 1)
    assert not read(database, progress.losses, long_ago + timedelta(days=20_000))
