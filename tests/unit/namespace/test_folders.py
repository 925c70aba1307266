import json
from typing import Any

from llmproxy_core.namespace import folders
from llmproxy_core.namespace.folders import Folders

SESSION = "3c8c8f21-d754-401a-9908-6b0583efaecb"
HEADERS = [("X-Claude-Code-Session-Id", SESSION)]
ANNA, BEN = ("anna", "fp_0123456789ab"), ("ben", "fp_0123456789ab")


def body(folder: str | None = None, **values: Any) -> bytes:
    told = {"system": f"Primary working directory: {folder}\n"} if folder else {}
    return json.dumps(told | values).encode()


def test_calls_beside_the_conversation_are_of_its_folder():
    known = Folders()

    assert known.sessions(ANNA, HEADERS, body("/srv/shop")) == ["/srv/shop"]
    assert known.sessions(ANNA, HEADERS, body()) == ["/srv/shop"]
    assert known.sessions(ANNA, [], body(prompt_cache_key=SESSION)) == [SESSION, "/srv/shop"]


def test_what_is_told_now_counts():
    known = Folders()
    known.sessions(ANNA, HEADERS, body("/srv/shop"))

    assert known.sessions(ANNA, HEADERS, body("/srv/other")) == ["/srv/other"]
    assert known.sessions(ANNA, HEADERS, body()) == ["/srv/other"]


def test_nobody_gets_a_folder_by_naming_the_session_of_another():
    known = Folders()
    known.sessions(ANNA, HEADERS, body("/srv/shop"))

    assert known.sessions(BEN, HEADERS, body()) == []


def test_ids_that_two_sessions_may_share_are_not_remembered():
    known = Folders()
    known.sessions(ANNA, [("session-id", "1")], body("/srv/shop", user="anna"))

    assert known.sessions(ANNA, [("session-id", "1")], body(user="anna")) == ["anna"]


def test_the_one_used_least_lately_is_forgotten(monkeypatch):
    monkeypatch.setattr(folders, "MOST", 2)
    known = Folders()
    ids = [f"{number}-{SESSION}" for number in range(3)]
    for id in (ids[0], ids[1]):
        known.sessions(ANNA, [("session-id", id)], body(f"/srv/{id}"))
    known.sessions(ANNA, [("session-id", ids[0])], body())
    known.sessions(ANNA, [("session-id", ids[2])], body("/srv/new"))

    found = [known.sessions(ANNA, [("session-id", id)], body()) for id in ids]
    assert [len(one) for one in found] == [1, 0, 1]
