"""Events as sentences, and the alert."""

from dataclasses import replace
from typing import Any

import pytest

from llmproxy_core.home import Home
from llmproxy_core.store.progress import Losses
from llmproxy_core.tui.sentences import sentence
from tests.tui import demo
from tests.tui.memory import MemorySource
from tests.tui.stage import on_stage, until

DISTRUST = {
    "program": "python3.12",
    "client": "127.0.0.1:41002",
    "host": "api.openai.com",
    "distrusts_ca": True,
}


async def test_events_are_sentences(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 24)) as stage:
        await stage.press("3")
        await stage.sees(
            "python3.12 (127.0.0.1:41002) does not trust the CA for api.openai.com: "
            "see `llmproxy cert`"
        )
        await stage.sees("the proxy started on 127.0.0.1:8080")


@pytest.mark.parametrize("lost", ["prefix", "rule", "name"])
def test_a_clash_of_namespaces_says_where_to_look(lost: str) -> None:
    data = {"lost": lost, "namespace": "market", "loser": "shop", "prefix": "shop_"}
    told = sentence(demo.event(50, "namespace_clash", 0, **data))
    assert told.tone == "warn"
    assert "shop" in told.text
    assert told.text.endswith("see `llmproxy ns list`")


async def test_an_event_appears_when_it_happens(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await stage.press("3")
        await stage.sees("5 events")
        source.happen(demo.event(50, "proxy_started", 0, address="127.0.0.1:9999"))
        await stage.sees("the proxy started on 127.0.0.1:9999")


async def test_a_program_that_does_not_trust_the_ca_raises_an_alert(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        assert "▲" not in stage.text()
        source.happen(demo.event(50, "tls_failed", 1, **DISTRUST))
        await stage.sees("▲ python3.12 (127.0.0.1:41002) does not trust the CA", "llmproxy cert")
        await stage.press("2")
        await stage.sees("▲ python3.12")
        await stage.press("x")
        await until(lambda: "▲" not in stage.text())


async def test_an_old_failure_raises_no_alert(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        source.happen(demo.event(50, "tls_failed", 3600, **DISTRUST))
        await stage.pilot.pause(0.3)
        assert "▲" not in stage.text()


async def test_an_event_about_a_call_opens_it(source: MemorySource, home: Home) -> None:
    about = demo.flows()[2].id
    source.event_list.insert(
        0, replace(demo.event(60, "row_refused", 1, table="responses"), request_id=about)
    )
    async with on_stage(source, home) as stage:
        await stage.press("3")
        await stage.sees("6 events")
        await stage.press("enter")
        await until(lambda: stage.detail.flow_id == about)


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("gap", {"records": 1, "bytes": 10}, "1 record (10 B) could not be written"),
        ("gap", {"reason": "max_bytes", "bodies": 2, "bytes": 10}, "2 bodies (10 B) not kept"),
        ("gap", {"reason": "damaged", "bytes": 2000}, "a journal is damaged: 2.0 kB"),
        ("fault", {"where": "capture", "error": "boom"}, "capture failed and let the traffic pass"),
        ("fault", {"where": "Approvals", "error": "boom"}, "Approvals failed and refused the call"),
        ("fault", {"where": "Policies.request", "error": "boom"}, "what on_fault says: boom"),
        ("policy_clash", {"policy": "no-keys"}, "mitm.toml has the policy no-keys"),
        ("transformation_clash", {"transformation": "cap"}, "mitm.toml has the transformation cap"),
        (
            "tls_failed",
            {"host": "x", "error": "eof", "distrusts_ca": False},
            "broke off TLS with x",
        ),
        ("row_refused", {"table": "requests", "reason": "too long"}, "refused: too long"),
        ("proxy_stopped", {}, "the proxy stopped"),
        ("new_kind", {"a": 1, "b": "x\x1b[2J"}, "new_kind a=1, b=x"),
        ("tls_failed", {}, "a program does not trust the CA for an LLM host"),
    ],
)
def test_every_kind_of_event_can_be_told(kind: str, data: dict[str, object], words: str) -> None:
    assert words in sentence(demo.event(1, kind, 0, **data)).text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"reason": "max_bytes", "records": 0, "bodies": 3, "bytes": 9000},
            "raise spool.max_bytes",
        ),
        ({"reason": "min_free_bytes", "records": 2, "bodies": 0, "bytes": 1}, "free disk space"),
        ({"reason": "unwritable", "records": 2, "bodies": 0, "bytes": 1}, "free disk space"),
        ({"reason": "damaged", "bytes": 812}, "check the disk"),
    ],
)
def test_a_loss_says_what_to_do(data: dict[str, Any], words: str) -> None:
    assert words in sentence(demo.event(1, "gap", 0, **data)).text


async def test_losses_stand_in_the_status_bar(source: MemorySource, home: Home) -> None:
    source.losses = Losses(records=12, bodies=1, damaged=1, refused=2)
    async with on_stage(source, home, size=(140, 24)) as stage:
        await stage.sees("▲ 12 lost records, 1 lost body, 1 damaged journal, 2 refused rows")


async def test_a_loss_raises_an_alert(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(140, 24)) as stage:
        source.happen(demo.event(50, "gap", 1, reason="max_bytes", records=4, bodies=0, bytes=9000))
        await stage.sees("▲ 4 records (9.0 kB) not kept: the journal was at spool.max_bytes")
