"""The guard's screens on the real store."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from llmproxy_core.home import Home
from llmproxy_core.store import policy_changes, security_policies
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database
from llmproxy_core.store.guard_rows import AnomalyRow, ApprovalRow, DecisionRow
from tests.store import flows
from tests.tui import guard_demo
from tests.tui.stage import until
from tests.tui.test_on_postgres import a_call, on_store

MARK = guard_demo.KEY


def finding(request: UUID, **values: Any) -> AnomalyRow:
    known: dict[str, Any] = {
        "ns_id": 1, "id": flows.new_id(), "request_id": request, "side": "request",
        "at": datetime.now(UTC), "detector": "secrets", "family": "secret", "score": 0.97,
        "severity": "high", "said": "an AWS access key", "text_hash": b"7" * 16, "author": "tool",
        "kind": "result", "tool": "Bash", "excerpt": f"KEY={MARK}", "mark_start": 4,
        "mark_end": 4 + len(MARK),
    }  # fmt: skip
    return AnomalyRow(**(known | values))


def decision(request: UUID, policy: str, outcome: str = "held") -> DecisionRow:
    return DecisionRow(
        ns_id=1, id=flows.new_id(), request_id=request, at=datetime.now(UTC), policy=policy,
        mode="active", action="hold", outcome=outcome, why="a key",
    )  # fmt: skip


def waiting(request: UUID, **values: Any) -> ApprovalRow:
    now = datetime.now(UTC)
    known: dict[str, Any] = {
        "ns_id": 1, "request_id": request, "policy": "ask", "said": "it has a key in it",
        "asked_at": now, "expires_at": now + timedelta(seconds=300),
    }  # fmt: skip
    return ApprovalRow(**(known | values))


def one(database: Database, sql: str) -> Any:
    with database.raw() as connection:
        row = connection.execute(sql).fetchone()
    return row[0] if row else None


async def asked(database: Database, sql: str) -> Any:
    return await asyncio.to_thread(one, database, sql)


async def test_a_finding_is_seen_settled_and_audited(database: Database, home: Home) -> None:
    request, response = a_call("claude-opus-4-5")

    async with on_store(database, home) as (stage, write):
        await stage.press("4")
        await stage.sees("Nothing was found.")
        found = finding(request.id)
        await write(Batch(requests=[request], responses=[response], anomalies=[found]))
        await stage.sees("1 finding", "an AWS access key", f"KEY={MARK}", "claude-cli")
        await stage.press("f")
        await stage.sees("Nothing is left to be looked at.", "1 false positive")
        assert await asked(database, "SELECT status FROM anomalies") == "false_positive"
        action = "SELECT action FROM audit_events ORDER BY seq DESC LIMIT 1"
        assert await asked(database, action) == "anomaly false positive"
        await stage.press("u")
        await stage.sees("1 finding", "an AWS access key")


async def test_the_key_of_a_finding_is_blocked_by_a_policy(database: Database, home: Home) -> None:
    request, response = a_call("claude-opus-4-5")

    async with on_store(database, home) as (stage, write):
        found = finding(request.id)
        await write(Batch(requests=[request], responses=[response], anomalies=[found]))
        await stage.press("4")
        await stage.sees("1 finding")
        await stage.press("b")
        await stage.sees(f"Block the key {request.credential}?")
        await stage.press("enter")
        await stage.is_told("is blocked by the policy")
        await stage.press("5")
        await stage.sees("1 active", f"block-{request.credential}", "block: refuses the call")
        await stage.press("o")
        await until(lambda: "0 active" in stage.text())
        assert await asked(database, "SELECT mode FROM security_policies") == "off"


async def test_a_call_waits_until_a_person_decides(database: Database, home: Home) -> None:
    request, _ = a_call("claude-opus-4-5")

    async with on_store(database, home) as (stage, write):
        await write(
            Batch(
                requests=[request],
                anomalies=[finding(request.id)],
                decisions=[decision(request.id, "ask")],
                approvals=[waiting(request.id)],
            )
        )
        await stage.sees("6 Approvals  1 ")
        await stage.is_told("it has a key in it")
        await stage.press("6")
        await stage.sees("1 call waits", "it has a key in it", f"KEY={MARK}", "s left")
        await stage.press("y")
        await stage.sees("none waits", "approved")
        assert await asked(database, "SELECT state FROM approvals") == "approved"
        await until(lambda: "6 Approvals  1" not in stage.text())


async def test_a_decision_of_somebody_else_is_seen(database: Database, home: Home) -> None:
    request, _ = a_call("claude-opus-4-5")

    async with on_store(database, home) as (stage, write):
        await write(Batch(requests=[request], approvals=[waiting(request.id)]))
        await stage.press("6")
        await stage.sees("1 call waits")
        await write(Batch(approvals=[waiting(request.id, state="expired")]))
        await stage.sees("expired", "none waits")


async def test_what_a_policy_decided_is_counted_and_shown(database: Database, home: Home) -> None:
    request, response = a_call("claude-opus-4-5")
    table = {"name": "ask", "when": 'finding.family == "secret"', "action": "hold"}

    def add() -> None:
        with database.raw() as connection:
            policy_changes.add(connection, security_policies.checked(table), "mira")

    async with on_store(database, home) as (stage, write):
        await asyncio.to_thread(add)
        await write(
            Batch(requests=[request], responses=[response], decisions=[decision(request.id, "ask")])
        )
        await stage.press("5")
        await stage.sees("1 active", "by mira")
        await until(lambda: stage.current().hits_week == 1)
        await stage.press("enter")
        await stage.sees("applied 1 time", "held")
        await stage.press("enter")
        await stage.sees("ask: held", "7 Findings")


async def test_a_policy_is_tested_on_the_calls_of_the_store(database: Database, home: Home) -> None:
    request, response = a_call("claude-opus-4-5")
    request.body = b'{"model":"m","messages":[{"role":"user","content":"my key is %s"}]}' % (
        MARK.encode()
    )
    table = {"name": "no-keys", "when": 'finding.family == "secret"', "action": "block"}

    def add() -> None:
        with database.raw() as connection:
            policy_changes.add(connection, security_policies.checked(table), "mira")

    async with on_store(database, home) as (stage, write):
        await asyncio.to_thread(add)
        await write(Batch(requests=[request], responses=[response]))
        await stage.press("5")
        await stage.sees("no-keys")
        await stage.press("e")
        await stage.sees("no-keys: of 1 call ", "it would have acted on 1", "blocked", "e.g.")
