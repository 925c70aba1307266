"""Which session a request belongs to."""

import json
from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.model import Response
from llmproxy_core.providers.formats import read_request
from llmproxy_core.worker.naming import address
from llmproxy_core.worker.sessions import GAP, Placed, Sessions
from tests.worker.ledger import Ledger
from tests.worker.traffic import NOON, SECOND, Call

CLAUDE = "3f8e6c1a-1111-4222-8333-944445555666"


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(Ledger())


def place(sessions: Sessions, call: Call, ns_id: int = 1) -> Placed:
    opened, body = call.opened()
    request, _ = read_request(call.wire, call.path, [], body)
    placed = sessions.place(ns_id, opened, request, body)
    sessions.began(placed)
    return placed


def embedding(number: int, at: int, **more: Any) -> Call:
    """What is no conversation."""
    return Call(number, at, wire="openai.embeddings", path="/v1/embeddings", **more)


def answer(sessions: Sessions, placed: Placed, at: int, id: str | None = None) -> None:
    sessions.answered(placed.id, at, placed.found.node, "openai.responses", Response(id=id))


@pytest.mark.parametrize(
    ("headers", "hints", "source", "external_id"),
    [
        ([("X-Claude-Code-Session-Id", CLAUDE)], {}, "x-claude-code-session-id", CLAUDE),
        ([("session-id", "s1"), ("thread-id", "t1")], {}, "session-id", "s1"),
        ([("session_id", "s1")], {}, "session_id", "s1"),
        ([("thread-id", "t1")], {}, "thread-id", "t1"),
        ([("conversation_id", "c1")], {}, "conversation_id", "c1"),
        ([("X-Session-Id", "mine")], {"prompt_cache_key": CLAUDE}, "x-session-id", "mine"),
        ([], {"conversation": "conv_1"}, "conversation", "conv_1"),
        ([], {"conversation": {"id": "conv_1"}}, "conversation", "conv_1"),
        ([], {"prompt_cache_key": CLAUDE}, "prompt_cache_key", CLAUDE),
        ([], {"prompt_cache_key": "app"}, "prompt_cache_key", "app"),
        (
            [],
            {"metadata": {"user_id": f"user_ab_account__session_{CLAUDE}"}},
            "metadata.user_id",
            CLAUDE,
        ),
        (
            [],
            {"metadata": {"user_id": json.dumps({"session_id": CLAUDE})}},
            "metadata.user_id",
            CLAUDE,
        ),
        ([], {"metadata": {"user_id": "ann"}}, "metadata.user_id", "ann"),
        ([], {}, "messages", None),
    ],
)
def test_the_id_that_a_client_sends_names_the_session(
    sessions, headers, hints, source, external_id
):
    placed = place(sessions, Call(headers=headers, hints=hints))
    assert (placed.source, placed.external_id) == (source, external_id)


def test_a_unique_id_is_one_session_wherever_it_stands(sessions):
    by_header = place(sessions, Call(headers=[("x-claude-code-session-id", CLAUDE)]))
    by_body = place(sessions, Call(hints={"metadata": {"user_id": f"u_session_{CLAUDE}"}}))
    assert by_header.id == by_body.id


def test_a_short_id_in_two_places_is_two_sessions(sessions):
    one = place(sessions, Call(headers=[("x-session-id", "1")]))
    two = place(sessions, Call(headers=[("conversation_id", "1")]))
    assert one.id != two.id


def test_a_short_id_of_two_users_of_the_proxy_is_two_sessions(sessions):
    ann, bob, again = (
        place(sessions, Call(number, headers=[("x-session-id", "1")], proxy_user=user))
        for number, user in enumerate(("ann", "bob", "ann"), 1)
    )
    assert ann.id == again.id != bob.id


def test_namespaces_do_not_share_sessions(sessions):
    call = Call(headers=[("x-session-id", "1")])
    assert place(sessions, call, 1).id != place(sessions, call, 2).id


def test_an_id_names_the_same_session_after_a_restart():
    call = Call(headers=[("x-session-id", "1")])
    assert place(Sessions(Ledger()), call).id == place(Sessions(Ledger()), call).id


def test_a_pause_ends_the_session_of_a_client_without_ids_or_conversations(sessions):
    first = place(sessions, embedding(1, NOON))
    second = place(sessions, embedding(2, NOON + GAP, client="127.0.0.1:59999"))
    third = place(sessions, embedding(3, NOON + 2 * GAP + SECOND))
    assert first.id == second.id != third.id
    assert first.source == "gap"


def test_a_long_answer_keeps_the_session_going(sessions):
    first = place(sessions, embedding(1, NOON))
    answer(sessions, first, NOON + 10 * GAP)
    assert place(sessions, embedding(2, NOON + 10 * GAP + SECOND)).id == first.id


@pytest.mark.parametrize(
    "other",
    [
        {"client": "10.0.0.9:40000"},
        {"credential": "fp_2"},
        {"user_agent": "other/2"},
        {"hints": {"metadata": {"user_id": "bob"}}},
    ],
)
def test_clients_that_differ_have_their_own_sessions(sessions, other):
    assert place(sessions, Call(1)).id != place(sessions, Call(1, NOON + SECOND, **other)).id
    one, two = embedding(1, NOON), embedding(2, NOON, **other)
    assert place(sessions, one).id != place(sessions, two).id


def test_an_answer_that_is_continued_keeps_its_session(sessions):
    first = place(sessions, Call(1))
    answer(sessions, first, NOON, "resp_1")
    hints = {"previous_response_id": "resp_1"}
    call = Call(2, NOON + 100 * GAP, wire="openai.responses", hints=hints)
    assert place(sessions, call).id == first.id


def test_an_unknown_answer_that_is_continued_names_a_session(sessions):
    calls = [
        Call(n, NOON + n * 10 * GAP, hints={"previous_response_id": "resp_x"}) for n in range(2)
    ]
    one, two = (place(sessions, call) for call in calls)
    assert one.id == two.id
    assert one.external_id == "resp_x"


def test_a_journal_that_lags_finds_the_session_of_its_time(sessions):
    early = place(sessions, embedding(1, NOON))
    late = place(sessions, embedding(2, NOON + 10 * GAP))
    lagging = place(sessions, embedding(3, NOON + SECOND))
    assert lagging.id == early.id != late.id
    assert place(sessions, embedding(4, NOON + 10 * GAP)).id == late.id


@pytest.mark.parametrize(
    ("client", "host"),
    [("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "[::1]"), ("", ""), ("unix", "unix")],
)
def test_the_port_of_a_client_is_no_part_of_it(client, host):
    assert address(client) == host


def test_the_ids_are_uuids_of_version_8(sessions):
    id = place(sessions, Call()).id
    assert isinstance(id, UUID)
    assert id.version == 8
