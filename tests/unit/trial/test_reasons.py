"""Why a rule does nothing to a stored call."""

from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.sections.operations import OPERATIONS, read_operations
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.transformations import checked
from llmproxy_core.trial import edits, reasons
from tests.store import flows, lessons
from tests.unit.trial.test_edits import CLAMP, a_call, store

SIGNED = [("content-type", "application/json"), ("content-digest", "sha-256=:x:")]


@pytest.fixture
def call(database: Database) -> RequestRow:
    request = a_call()
    store(database, request)
    return request


def unfit(database: Database, id: UUID, when: str, **operation: Any) -> list[str]:
    table = {"name": "short", "when": when, "logic": [operation or CLAMP]}
    return reasons.unfit(database, checked(table), id)


def test_of_a_trigger_it_is_told_which_part_does_not_hold(
    database: Database, call: RequestRow
) -> None:
    when = 'model == "gpt-4o" and (pattern.name == "triage" and request.max_tokens > 1000)'
    assert unfit(database, call.id, when) == [
        'pattern.name == "triage" does not hold: pattern.name is not known',
        "request.max_tokens > 1000 does not hold: request.max_tokens is 900",
    ]
    either = 'model == "x" or wire == "y"'
    (said,) = unfit(database, call.id, either)
    assert said == f'{either} does not hold: model is "gpt-4o", wire is "openai.chat"'
    assert unfit(database, call.id, 'model == "gpt-4o"') == []


def test_a_format_in_which_it_cannot_be_done_is_told(database: Database, call: RequestRow) -> None:
    (said,) = unfit(database, call.id, "true", op="cache_breakpoint", at="system")
    assert said.startswith("it cannot be done in openai.chat: ")


def test_a_call_that_is_gone_is_told(database: Database) -> None:
    assert unfit(database, flows.new_id(), "true") == ["the call cannot be read"]


def test_what_was_done_to_it_when_it_was_sent_is_told(database: Database) -> None:
    done, left, other = a_call(), a_call(), a_call()
    rows = [
        lessons.a_change(done, "short"),
        lessons.a_change(left, "short", why="signed"),
        lessons.a_change(other, "long"),
    ]
    store(database, done, left, other, known=Lessons(applied=rows))
    assert "was done to it" in reasons.before(database, "short", done.id)
    assert reasons.before(database, "short", left.id).endswith("when it was sent: signed")
    assert reasons.before(database, "short", other.id) == ""


def test_a_signed_request_is_left_as_it_is_and_says_so(database: Database) -> None:
    request = a_call(headers=SIGNED)
    store(database, request)
    found = edits.on_call(database, request.id, read_operations([CLAMP]))
    assert found is not None
    assert (found.changes, found.left) == ([], "the client has signed the request")


def test_of_every_operation_it_is_told_what_it_finds_done() -> None:
    assert reasons.NOTHING_TO_DO.keys() == OPERATIONS.keys()
    tables: list[dict[str, Any]] = [
        CLAMP,
        {"op": "model", "to": "gpt-5"},
        {"op": "add_header", "name": "x-a", "value": "{b}"},
        {"op": "replace_text", "role": "user", "find": "{a}", "replacement": "{0}"},
    ]
    said = reasons.idle(read_operations(tables))
    assert said[0].startswith("clamp: the request has no max_tokens")
    assert said[1:] == [
        "model: it is gpt-5 already",
        "add_header: the header x-a is so already",
        "replace_text: no text of the user has it",
    ]
