"""The parents of requests, against conversations whose truth is known."""

from random import Random

import pytest

from llmproxy_core.spool import SpoolWriter
from llmproxy_core.worker.intake import Intake
from tests.worker.dialogues import World
from tests.worker.ledger import Ledger
from tests.worker.speakers import SPEAKERS, Messages
from tests.worker.test_exactly_once import drain
from tests.worker.traffic import append


def stored(spool, calls, *, restarts=0.0, dice=None) -> Ledger:
    """The rows of calls; the worker is killed now and then."""
    ledger, journal = Ledger(), SpoolWriter(spool)
    intake = Intake(spool, ledger)
    for call in calls:
        append(journal, call.records())
        if dice and dice.random() < restarts:
            intake.collect()
            if dice.random() < 0.5:
                intake.commit()
            intake = Intake(spool, ledger)
        elif dice:
            drain(intake)
    drain(intake)
    journal.close()
    return ledger


def found(ledger, calls):
    numbers = {call.id: call.number for call in calls}
    rows = [ledger.requests[id] for id in sorted(ledger.requests)]
    return [
        (row.relation, numbers[row.parent_id.bytes] if row.parent_id else None, row.parent_call)
        for row in rows
    ]


def expected(world):
    return [(one.relation, one.parent, one.call) for one in world.truth]


def sessions_of(ledger, world):
    """Truth and finding for each call but the openings, which may not tell conversations apart."""
    rows = [ledger.requests[id] for id in sorted(ledger.requests)]
    return {
        (session, row.session_id)
        for session, row in zip(world.sessions, rows, strict=True)
        if row.n_messages > 3
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("speaker", SPEAKERS)
def test_every_request_of_interleaved_conversations_finds_its_parent(tmp_path, speaker, seed):
    world = World(Random(seed), speaker)
    world.run(4, 150)
    ledger = stored(tmp_path, world.calls)
    assert found(ledger, world.calls) == expected(world)
    pairs = sessions_of(ledger, world)
    assert len(pairs) == len({mine for mine, _ in pairs}) == len({theirs for _, theirs in pairs})


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_that_is_killed_and_starts_again_finds_the_same(tmp_path, seed):
    world = World(Random(seed), Messages)
    world.run(3, 80)
    once = stored(tmp_path / "once", world.calls)
    again = stored(tmp_path / "again", world.calls, restarts=0.2, dice=Random(seed))
    assert found(again, world.calls) == found(once, world.calls) == expected(world)
    assert again.sessions == once.sessions
    heads = [[row.head for row in ledger.requests.values()] for ledger in (once, again)]
    assert heads[0] == heads[1]


def test_a_session_that_the_client_names_holds_its_sub_agents_too(tmp_path):
    headers = [("x-claude-code-session-id", "3f8e6c1a-1111-4222-8333-944445555666")]
    world = World(Random(1), Messages, headers)
    world.run(1, 60)
    ledger = stored(tmp_path, world.calls)
    assert found(ledger, world.calls) == expected(world)
    assert len(ledger.sessions) == 1
