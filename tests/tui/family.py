"""A session with all that a tree can have: branches, a retry, a sub-agent, compaction, asides."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from llmproxy_core.conversations.cache import Change, Miss
from llmproxy_core.store import tree
from llmproxy_core.store.flows import Session
from llmproxy_core.store.overview import Family, SessionTree
from llmproxy_core.store.tree import TreeNode
from tests.tui import demo
from tests.tui.memory import MemorySource

SESSION = demo.uuid(1, demo.NOW)
CALL = "toolu_01Explore"


def node(number: int, parent: int | None = None, **values: Any) -> TreeNode:
    """A call that began `10 * number` seconds after the session."""
    at = demo.NOW - timedelta(minutes=30) + timedelta(seconds=10 * number)
    took = values.pop("took", 2400.0)
    open_ = values.get("state") == "open"
    known: dict[str, Any] = {
        "id": id_of(number),
        "parent_id": None if parent is None else id_of(parent),
        "relation": "root" if parent is None else "append",
        "parent_call": None,
        "branch": 0,
        "started_at": at,
        "ended_at": None if open_ else at + timedelta(milliseconds=took),
        "state": "complete",
        "provider": "anthropic",
        "model": "claude-opus-4-5",
        "n_messages": 2 * number + 1,
        "preview": f"Question {number}",
        "text_start": "" if open_ else f"Answer {number}.",
        "n_tool_calls": 0,
        "error": None,
        "input_tokens": None if open_ else 4000 + 900 * number,
        "output_tokens": None if open_ else 210,
        "cached_tokens": None if open_ else 3900 + 880 * number,
        "cache_write_tokens": None if open_ else 800,
        "cost_usd": None if open_ else Decimal("0.0212"),
        "duration_ms": None if open_ else took,
        "status": None if open_ else 200,
    }
    return TreeNode(**(known | values))


def id_of(number: int) -> UUID:
    at = demo.NOW - timedelta(minutes=30) + timedelta(seconds=10 * number)
    return demo.uuid(500 + number, at)


def nodes() -> list[TreeNode]:
    """As the store gives them, branches numbered by it."""
    haiku: dict[str, Any] = {"model": "claude-haiku-4-5"}
    made = [
        node(0, preview="Fix the flaky clock tests", text_start="I look at the tests first."),
        node(1, branch=None, **haiku, preview="Write a title", text_start="Flaky clocks"),
        node(2, 0, preview="[tool_result] 3 failed", text_start="I let an agent look for callers",
             n_tool_calls=1),
        node(3, 2, relation="subagent", parent_call=CALL, **haiku,
             preview="Find all callers of now()", text_start="I search.", n_tool_calls=2),
        node(4, 3, **haiku, preview="[tool_result] clock.py:12", text_start="There are three."),
        node(5, 2, preview="[tool_result] There are three.", state="failed", status=529,
             error="Overloaded", text_start="", input_tokens=None, output_tokens=None,
             cached_tokens=None, cost_usd=None),
        node(6, 5, relation="retry", preview="[tool_result] There are three.",
             text_start="Three callers read it twice."),
        node(7, 6, preview="Use a monotonic clock", text_start="Done, the tests pass.",
             cached_tokens=0, cost_usd=Decimal("0.1640")),
        node(8, 6, relation="branch", preview="Use a fake clock instead",
             text_start="Then the tests need a fixture.", estimated=True, state="partial"),
        node(9, 8, preview="Yes, do that", text_start="Done."),
        node(10, 9, relation="compaction", preview="This session is continued from another",
             text_start="I go on with the fixture."),
        node(11, 10, preview="Now run everything", state="open"),
    ]  # fmt: skip
    for one in made:
        one.branch = None if one.branch is None else 0
    tree._number(made)
    return made


def session() -> Session:
    return replace(
        demo.sessions()[0], requests=len(nodes()), responses=len(nodes()) - 1, external_id="abc"
    )


def missed() -> Miss:
    change = Change("the tool Bash", '"description":"Runs it"', '"description":"Runs a command"')
    return Miss("client", 9_900, 0, change, 10.0, 300, Decimal("0.1428"))


def source(made: MemorySource | None = None) -> MemorySource:
    """The demo's source, whose first session has a tree."""
    made = made or demo.source()
    found = nodes()
    made.trees[SESSION] = SessionTree(session(), found, tree.branches(found), {CALL: "Task"})
    made.kin[SESSION] = Family(subagents=1, branches=1, compactions=1)
    made.missed[id_of(7)] = missed()
    for one in found:
        flow = demo.flow(
            0, (demo.NOW - one.started_at).total_seconds(), id=one.id, session_id=SESSION,
            api=demo.ANTHROPIC, preview=one.preview, model=one.model, request_model=one.model,
            state=one.state,
        )  # fmt: skip
        made.details[one.id] = demo.detail(flow)
    return made
