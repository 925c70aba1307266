"""Findings and decisions, as a person would tell them."""

from typing import Any

import pytest

from llmproxy_core.store.guard_rows import PolicyDecision
from llmproxy_core.tui import guard_words
from tests.tui import demo, guard_demo


def decided(action: str, outcome: str, mode: str = "active", **values: Any) -> PolicyDecision:
    known: dict[str, Any] = {
        "ns_id": 1, "namespace": "default", "request_id": demo.uuid(1), "id": demo.uuid(2),
        "at": demo.NOW, "policy": "ask", "mode": mode, "action": action, "outcome": outcome,
        "why": "", "findings": [],
    }  # fmt: skip
    return PolicyDecision(**(known | values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"author": "user", "kind": "text", "tool": ""}, "a text of the user"),
        ({"author": "tool", "kind": "result", "tool": "Bash"}, "a result of Bash"),
        ({"author": "assistant", "kind": "arguments", "tool": "Bash"}, "arguments for Bash"),
        ({"author": "system", "kind": "text", "tool": ""}, "a text of the system"),
    ],
)
def test_where_a_finding_stands_is_said_by_who_wrote_it(values: dict[str, str], said: str) -> None:
    assert guard_words.where(guard_demo.finding(1, 0, **values)) == said


def test_a_finding_without_an_excerpt_says_that_none_is_kept() -> None:
    told = guard_words.finding(guard_demo.finding(1, 0, excerpt=""), demo.NOW)

    assert "no excerpt is kept of this call" in told.plain


@pytest.mark.parametrize(
    ("action", "outcome", "said"),
    [
        ("block", "blocked", "ask: blocked"),
        ("redact_store", "redacted", "ask: masked in the store"),
        ("deny_tools", "denied", "ask: tools taken out"),
        ("hold", "denied", "ask: denied"),
        ("hold", "gone", "ask: the program hung up"),
        ("block", "refused unjudged", "ask: refused unjudged"),
    ],
)
def test_what_a_policy_did_is_said_in_words(action: str, outcome: str, said: str) -> None:
    assert guard_words.decision(decided(action, outcome)).plain == said


def test_in_shadow_it_is_said_what_would_have_been() -> None:
    told = guard_words.decision(decided("block", "blocked", "shadow", why="a key"))

    assert told.plain == "ask (shadow): would have been blocked  a key"


def test_a_call_that_waited_is_told_by_its_end() -> None:
    waited, ended = decided("hold", "waiting"), decided("hold", "approved")

    assert guard_words.final([waited, ended]) == [ended]
    assert guard_words.final([waited]) == [waited]
    again = decided("hold", "not asked")
    assert guard_words.final([waited, again]) == [waited, again]


def test_the_head_of_a_call_tells_the_worst_and_what_was_done() -> None:
    found = guard_demo.findings()[:2]
    [line] = guard_words.summary(
        found, [decided("block", "blocked"), decided("flag", "", "shadow")]
    )

    assert line.plain == " ▲ 2 findings: secret, indirect injection  ask: blocked  (7 shows them)"
    assert guard_words.summary([], []) == []


@pytest.mark.parametrize(
    ("request_marks", "answer_marks", "said"),
    [
        (0, 0, ""),
        (2, 0, "2 in the request: only their marks are stored"),
        (1, 3, "1 in the request and 3 in the answer: only their marks are stored"),
    ],
)
def test_what_is_masked_is_counted(request_marks: int, answer_marks: int, said: str) -> None:
    assert guard_words.masked(request_marks, answer_marks) == said


def test_a_call_in_which_nothing_was_found_says_so() -> None:
    assert guard_words.report([], [], "", demo.NOW).plain == guard_words.NOTHING
