"""Operations and rules on stored calls: what they would have changed."""

from typing import Any
from uuid import UUID

import pytest

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.operations import read_operations
from llmproxy_core.store import call_lessons
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow
from llmproxy_core.store.database import Database
from llmproxy_core.store.learning_rows import Lessons
from llmproxy_core.store.transformations import checked
from llmproxy_core.store.writer import Writer
from llmproxy_core.trial import edits
from tests.store import flows, lessons

BODY = b'{"model":"gpt-4o","max_tokens":900,"messages":[{"role":"user","content":"Hi"}]}'
CLAMP = {"op": "clamp", "parameter": "max_tokens", "max": 100}


def a_call(**changes: Any) -> RequestRow:
    known: dict[str, Any] = {"body": BODY, "body_bytes": len(BODY)}
    return flows.a_request(**known | changes)


def store(database: Database, *requests: RequestRow, known: Lessons | None = None) -> None:
    writer = Writer(database)
    answers = [flows.a_response(request) for request in requests]
    writer.write(Batch(requests=[*requests], responses=answers, lessons=known or Lessons()))
    writer.close()


def on(database: Database, id: UUID, *operations: dict[str, Any]) -> edits.Tried:
    found = edits.on_call(database, id, read_operations(operations))
    assert found is not None
    return found


def test_the_exact_difference_is_told(database: Database) -> None:
    request = a_call()
    store(database, request)

    found = on(database, request.id, CLAMP)

    assert found.lines == ["@ /max_tokens", "- 900", "+ 100"]
    assert (found.left, found.kept) == ("", 1.0)


def test_what_changes_the_beginning_says_what_is_left_of_a_cached_prompt(
    database: Database,
) -> None:
    request = a_call()
    store(database, request)

    assert on(database, request.id, {"op": "append_system", "text": "Be brief."}).kept < 1


def test_a_body_that_was_not_kept_whole_is_left_alone_and_says_so(database: Database) -> None:
    request = a_call(body=b"{}", body_bytes=2, body_kept="skeleton")
    store(database, request)

    found = on(database, request.id, CLAMP)

    assert (found.changes, found.left) == ([], "its body was not kept as it was")


def test_a_call_that_is_not_there_is_none(database: Database) -> None:
    assert edits.on_call(database, flows.new_id(), read_operations([CLAMP])) is None


def test_an_edit_is_shown_on_the_first_call_that_it_changes(database: Database) -> None:
    short = a_call(body=BODY.replace(b"900", b"90"), body_bytes=len(BODY) - 1)
    long = a_call()
    store(database, short, long)

    found = edits.on_first(database, [short.id, long.id], read_operations([CLAMP]))

    assert found is not None
    assert found.flow.id == long.id


def test_a_rule_is_tried_on_the_calls_that_it_is_for(database: Database) -> None:
    request, other = a_call(), a_call()
    pattern = lessons.a_pattern()
    known = Lessons(patterns=[pattern], calls=[lessons.of_pattern(request, pattern)])
    store(database, request, other, known=known)
    table = {"name": "short", "when": f'pattern.id == "{pattern.id}"', "logic": [CLAMP]}

    found = edits.of_rule(database, checked(table), 5)

    assert [one.flow.id for one in found] == [request.id]


def test_a_rule_that_can_be_done_nowhere_says_so(database: Database) -> None:
    breakpoint = {"op": "cache_breakpoint", "at": "system"}
    rule = checked({"name": "odd", "when": 'wire == "anthropic.messages"', "logic": [breakpoint]})
    rule = rule.model_copy(update={"when": 'wire == "openai.chat"'})

    with pytest.raises(ConfigError, match="it can be done in no request"):
        edits.of_rule(database, rule, 5)


def test_of_a_call_its_patterns_signals_and_changes_are_read(database: Database) -> None:
    request = a_call()
    pattern, tools = lessons.a_pattern(), lessons.a_pattern(kind="tools", name="bash")
    known = Lessons(
        patterns=[pattern, tools],
        calls=[lessons.of_pattern(request, tools), lessons.of_pattern(request, pattern)],
        signals=[lessons.a_signal(request)],
        applied=[lessons.a_change(request, "brief", kept=0.5)],
    )
    store(database, request, known=known)

    with database.connect() as connection:
        found = call_lessons.of_call(connection, request.id)
        nothing = call_lessons.of_call(connection, flows.new_id())

    assert [(one.kind, one.name) for one in found.patterns] == [
        ("user", "classify this ticket"),
        ("tools", "bash"),
    ]
    assert [one.name for one in found.signals] == ["answered"]
    assert [(one.kind, one.name, one.kept) for one in found.applied] == [
        ("transformation", "brief", 0.5)
    ]
    assert nothing == call_lessons.CallLessons()
