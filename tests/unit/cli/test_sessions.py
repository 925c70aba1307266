"""`sessions` on a real database."""

import json
from decimal import Decimal
from uuid import UUID

import pytest

from llmproxy_core.store.batch import Batch
from llmproxy_core.store.writer import Writer
from tests.store.flows import AT, SESSION, a_request, a_response, a_session, new_id
from tests.unit.cli.command import Command

TEXT = [{"role": "user", "content": "Why is the sky blue? " * 20}]
HEADS = [bytes([n]) * 16 for n in range(4)]


@pytest.fixture
def llmproxy(tmp_path, database):
    return Command(tmp_path, {"LLMPROXY_DATABASE_URL": database.url})


@pytest.fixture
def ids(database) -> list[UUID]:
    """A turn, one that goes on with another system, and a sub-agent of it."""
    made = [new_id() for _ in range(3)]
    rows = [
        a_request(id=made[0], head=HEADS[0], **asked("You help.", TEXT)),
        a_request(
            id=made[1],
            head=HEADS[1],
            parent_id=made[0],
            relation="append",
            **asked("You helped.", [*TEXT, *TEXT]),
        ),
        a_request(
            id=made[2],
            head=HEADS[2],
            parent_id=made[1],
            relation="subagent",
            parent_call="call_7",
            **asked("Look.", TEXT),
        ),
    ]
    usage = {"input_tokens": 5000, "output_tokens": 10, "cost_usd": Decimal("0.01")}
    answers = [
        a_response(
            row, model="claude-sonnet-4-5", cached_tokens=0, cache_write_tokens=4000, **usage
        )
        for row in rows
    ]
    writer = Writer(database)
    writer.write(Batch(requests=rows, responses=answers, sessions=[a_session(requests=3)]))
    writer.close()
    return made


def asked(system, messages):
    body = {"model": "claude-sonnet-4-5", "system": system, "messages": messages}
    return {
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
        "wire": "anthropic.messages",
        "headers": [],
        "body": json.dumps(body).encode(),
        "body_bytes": len(json.dumps(body)),
    }


def test_a_session_is_shown_as_a_tree(llmproxy, ids):
    done = llmproxy("sessions", "show", SESSION.hex[-8:])
    lines = done.stdout.splitlines()
    root, appended, missed, agent = (
        line for line in lines if (line[8:10] != "  " and "[" in line) or "!" in line
    )
    assert root.startswith(f"{ids[0].hex[-8:]} root [0]")
    assert appended.startswith(f"{ids[1].hex[-8:]} append [0]")
    assert "4,000 of 4,000 cached tokens were not read: the client changed system block 1" in missed
    assert agent.startswith(f"  {ids[2].hex[-8:]} subagent [1] for call_7")
    assert lines[-2].split()[:3] == ["0", "root", "2"]
    assert lines[-1].split()[:3] == ["1", "subagent", "1"]


def test_a_session_as_json_has_nodes_branches_and_misses(llmproxy, ids):
    whole = json.loads(llmproxy("sessions", "show", str(SESSION), "--json").stdout)
    assert [node["relation"] for node in whole["nodes"]] == ["root", "append", "subagent"]
    assert [branch["requests"] for branch in whole["branches"]] == [2, 1]
    (miss,) = whole["misses"]
    assert (miss["id"], miss["cause"], miss["lost"]) == (str(ids[1]), "client", 4000)


def test_sessions_are_listed(llmproxy, ids):
    (line,) = llmproxy("sessions", "list").stdout.splitlines()
    assert line.startswith(SESSION.hex[-8:])
    assert f"{AT.astimezone():%Y-%m-%d}" in line


def test_a_session_that_is_not_there_is_said_to_be_missing(llmproxy, ids):
    done = llmproxy("sessions", "show", "ffffffff")
    assert done.returncode == 4
    assert "there is no session 'ffffffff'" in done.stderr


def test_calls_that_continue_each_other_in_a_circle_are_all_shown(llmproxy, database):
    first, second = new_id(), new_id()
    rows = [
        a_request(id=one, parent_id=other, relation="append", head=head)
        for one, other, head in ((first, second, HEADS[0]), (second, first, HEADS[1]))
    ]
    writer = Writer(database)
    writer.write(Batch(requests=rows, sessions=[a_session(requests=2)]))
    writer.close()

    shown = llmproxy("sessions", "show", str(SESSION)).stdout
    assert shown.count(first.hex[-8:]) == shown.count(second.hex[-8:]) == 1
