"""Conversations in Postgres: what the worker finds with the store's help, and what is read there."""

from random import Random

from llmproxy_core.store import reads, tree
from llmproxy_core.worker.intake import Intake
from llmproxy_core.worker.storage import DatabaseStorage
from tests.worker.dialogues import World
from tests.worker.speakers import Messages, Responses
from tests.worker.test_exactly_once import drain
from tests.worker.traffic import append


def nodes_of(database):
    with database.connect() as connection:
        sessions = reads.sessions(connection, limit=100)
        return [node for one in sessions for node in tree.tree(connection, one.ns_id, one.id)]


def found(nodes, calls):
    numbers = {call.id: call.number for call in calls}
    return [
        (
            node.relation,
            numbers[node.parent_id.bytes] if node.parent_id else None,
            node.parent_call,
        )
        for node in sorted(nodes, key=lambda node: node.id)
    ]


def test_a_worker_that_starts_again_reads_in_postgres_what_was_said(
    home, journal, config, database
):
    dice, world = Random(4), World(Random(4), Messages)
    world.run(3, 70)
    storage = DatabaseStorage(config, home)
    intake = Intake(home.spool, storage)
    for call in world.calls:
        append(journal, call.records())
        drain(intake)
        if dice.random() < 0.2:
            storage.close()
            storage = DatabaseStorage(config, home)
            intake = Intake(home.spool, storage)
    drain(intake)
    storage.close()
    truth = [(one.relation, one.parent, one.call) for one in world.truth]
    assert found(nodes_of(database), world.calls) == truth


def test_a_conversation_of_long_ago_goes_on(home, journal, config, database):
    world = World(Random(7), Responses)
    world.run(1, 12)
    *earlier, last = world.calls
    last.at += 90 * 24 * 3600 * 10**9
    for calls in (earlier, [last]):
        storage = DatabaseStorage(config, home)
        for call in calls:
            append(journal, call.records())
        drain(Intake(home.spool, storage))
        storage.close()
    truth = [(one.relation, one.parent, one.call) for one in world.truth]
    assert found(nodes_of(database), world.calls)[-1] == truth[-1]


def test_branches_have_their_sums(home, journal, storage, database):
    world = World(Random(3), Messages)
    world.run(2, 60)
    for call in world.calls:
        append(journal, call.records())
    drain(Intake(home.spool, storage))
    with database.connect() as connection:
        for session in reads.sessions(connection, limit=100):
            nodes = tree.tree(connection, session.ns_id, session.id)
            branches = tree.branches(nodes)
            assert sum(branch.requests for branch in branches) == session.requests
            assert sum(branch.input_tokens for branch in branches) == session.input_tokens
            starts = {"root", "branch", "compaction", "subagent"}
            begun = [node for node in nodes if node.relation in starts]
            assert len(branches) >= len(begun)
