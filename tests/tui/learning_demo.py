"""Patterns, suggestions, experiments and rules, the same in every run."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from llmproxy_core.enhancements import enhancement, life
from llmproxy_core.enhancements.enhancement import Enhancement, Suggestion
from llmproxy_core.experiments import life as steps
from llmproxy_core.experiments.experiment import CONTROL, Experiment, Variant
from llmproxy_core.experiments.tally import Tally
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.store.call_lessons import Applied, CallLessons, CallPattern
from llmproxy_core.store.enhancements import StoredEnhancement
from llmproxy_core.store.experiments import StoredExperiment, Unit
from llmproxy_core.store.learning_rows import PatternKind
from llmproxy_core.store.pattern_detail import Happened, PatternCall, Version
from llmproxy_core.store.patterns import DAYS, PatternLine, Sums
from llmproxy_core.store.transformations import StoredTransformation
from llmproxy_core.store.verdicts import Told
from llmproxy_core.transformations.diff import Change
from llmproxy_core.trial.edits import Tried
from llmproxy_core.tui.learning import Exemplar, PatternAbout
from tests.tui import demo
from tests.tui.demo import NOW
from tests.tui.memory import MemorySource

TRIAGE, SUMMARY, FIX, TITLE, SYSTEM, TOOLS = (demo.uuid(800 + number) for number in range(6))
CLARIFY, CACHE, REJECTED, OLD = (demo.uuid(820 + number) for number in range(4))
RUNNING, WON, HARMED, DRAFT = (demo.uuid(840 + number) for number in range(4))
TEXT = (
    "Answer with one JSON object and nothing else:\n"
    '{"category": "billing" | "account" | "bug", "urgency": 1 to 5}'
)


def sums(calls: int, good: float, **values: Any) -> Sums:
    judged = calls - calls // 20
    known: dict[str, Any] = {
        "input_tokens": calls * 412,
        "output_tokens": calls * 38,
        "cached_tokens": calls * 128,
        "cost_usd": Decimal(calls * 42) / 100_000,
        "p50_ms": 840.0,
        "p95_ms": 2_310.0,
    }
    return Sums(calls, judged, round(judged * good), **(known | values))


def line(id: UUID, name: str, calls: int, good: float, **values: Any) -> PatternLine:
    kind: PatternKind = values.pop("kind", "user")
    bad = values.pop("bad", {})
    dice = random.Random(name)
    days = [dice.randint(calls // 40, calls // 10) for _ in range(DAYS)]
    known: dict[str, Any] = {
        "type": "classification", "type_confidence": 0.9, "given": False, "calls": calls * 3,
        "first_seen": NOW - timedelta(days=40), "last_seen": NOW - timedelta(seconds=calls % 97),
        "days": tuple(days), "sums": sums(calls, good, bad=bad),
    }  # fmt: skip
    return PatternLine(1, "default", id, kind, name, **(known | values))


def lines() -> list[PatternLine]:
    return [
        line(TRIAGE, "Classify this ticket", 1_204, 0.712, candidates=1,
             bad={"format": 214, "truncated": 92, "refusal": 12}),
        line(SUMMARY, "Summarise these minutes in five bullet points", 611, 0.966, given=True,
             type="summarization", bad={"asked_again": 20}),
        line(FIX, "Now run the tests and fix what fails", 320, 0.81, type="agent_step",
             type_confidence=0.4, bad={"tool_result": 41, "correction": 12}),
        line(TITLE, "Write a title for this conversation", 96, 1.0, type="generation"),
        line(demo.uuid(806), "Translate into German", 0, 0.0, type="translation", days=(),
             sums=Sums()),
        line(SYSTEM, "You triage support tickets", 1_204, 0.712, kind="system", versions=3,
             type=None),
        line(TOOLS, "Bash, Edit, Read", 320, 0.81, kind="tools", versions=1, type=None),
    ]  # fmt: skip


def about() -> PatternAbout:
    return PatternAbout(
        total=sums(1_204, 0.712, bad={"format": 214, "truncated": 92, "refusal": 12}),
        pieces=[
            "Classify this ticket of",
            None,
            "into billing, account or bug, and tell how urgent it is from 1 to 5.\n\nTicket:",
            None,
            "\nAnswer in JSON.",
        ],
        models=[
            ("gpt-5.1-mini-2026-01-12", sums(902, 0.67, bad={"format": 201})),
            ("claude-haiku-4-5", sums(302, 0.84, p50_ms=612.0)),
        ],
        days=[
            (date(2026, 3, 1) + timedelta(days=day), sums(60 + 5 * day, 0.7))
            for day in range(DAYS)
        ],
        history=[
            Happened(NOW - timedelta(days=2), "merged", "Classify this complaint", None,
                     "their words are the same", "worker"),
            Happened(NOW - timedelta(days=40), "born", "", None, "32 prompts that are alike", "worker"),
        ],
        nearest=["Classify this review", "Is this ticket urgent?"],
    )  # fmt: skip


def system() -> PatternAbout:
    first = "You triage support tickets.\nBe brief.\nAnswer in JSON."
    third = "You triage support tickets of shops.\nBe brief.\nAnswer in JSON.\nNever guess."
    return PatternAbout(
        total=sums(1_204, 0.712),
        pieces=[third],
        versions=[
            Version(1, first, NOW - timedelta(days=40), NOW - timedelta(days=20), 2_204,
                    sums(800, 0.77, bad={"refusal": 8})),
            Version(2, first.replace("JSON", "YAML"), NOW - timedelta(days=20),
                    NOW - timedelta(days=4), 1_204, sums(800, 0.77, bad={"refusal": 9})),
            Version(3, third, NOW - timedelta(days=4), NOW, 204,
                    sums(400, 0.712, bad={"refusal": 21})),
        ],
    )  # fmt: skip


def suggestion(id: UUID, **values: Any) -> Enhancement:
    known: dict[str, Any] = {
        "type": "format",
        "edit": ({"op": "append_system", "text": TEXT},),
        "confidence": 0.86,
        "reasoning": "214 of 1,144 answers are no JSON: the prompt names three classes and a scale, "
        "but no form.",
        "source_engine": "advisor:anthropic/claude-sonnet-4.5",
    }
    made = enhancement.candidate(
        Suggestion(**(known | values)), str(id), str(TRIAGE), NOW - timedelta(hours=5)
    )
    return made


def suggestions() -> list[StoredEnhancement]:
    cache = suggestion(
        CACHE, type="structure", edit=({"op": "cache_breakpoint", "at": "system"},), aim="cost",
        confidence=0.95, reasoning="4,210 tokens come again in every call and are never cached.",
        source_engine="built-in:cache_breakpoint", saving_usd_per_day=3.42,
        wires=("anthropic.messages",),
    )  # fmt: skip
    cache = life.begin(life.approve(cache, NOW, "mira"), NOW, "worker", str(RUNNING))
    rejected = life.reject(
        suggestion(REJECTED, type="clarification", confidence=0.72),
        NOW,
        "mira",
        "it says so already",
    )
    old = life.begin(life.approve(suggestion(OLD), NOW, "mira"), NOW, "worker", str(HARMED))
    old = life.roll_back(old, NOW, "experiment", "It succeeds less often.", -0.31)
    rows = [
        (suggestion(CLARIFY), "Classify this ticket", 5),
        (cache, "Now run the tests and fix what fails", 20),
        (rejected, "Classify this ticket", 44),
        (old, "Write a title for this conversation", 90),
    ]
    return [
        StoredEnhancement(1, "default", pattern, NOW - timedelta(hours=age), one)
        for one, pattern, age in rows
    ]


def tried() -> Tried:
    text = "You triage support tickets."
    change = Change(
        "/messages/0/content", f'"{text}"', f'"{text}\\n\\nAnswer with one JSON object"'
    )
    return Tried(demo.flows()[3], [change], kept=0.62)


def experiment(id: UUID, name: str, **values: Any) -> Experiment:
    made = Experiment(
        str(id), name, (Variant("enhanced", ({"op": "append_system", "text": TEXT},)),),
        {CONTROL: 0.5, "enhanced": 0.5}, pattern=str(TRIAGE), salt=name, **values,
    )  # fmt: skip
    return made


def conversations(seed: int, many: int, control: float, enhanced: float) -> list[Unit]:
    """The last twentieth of them nobody has judged yet."""
    dice = random.Random(seed)
    found = []
    for number in range(many):
        arm = dice.choice((CONTROL, "enhanced"))
        at = NOW - timedelta(minutes=2 * (many - number))
        judged = at + timedelta(hours=1) if number < many - many // 20 else None
        success = dice.random() < (enhanced if arm == "enhanced" else control)
        found.append(
            Unit(
                UUID(int=dice.getrandbits(128)), arm, demo.flows()[3].id, at,
                at + timedelta(minutes=3), dice.randint(1, 6), success if judged else None,
                int(dice.random() < 0.02), Decimal(dice.randint(20, 90)) / 100_000,
                dice.uniform(400, 2400), 2_100, 1_024 if number % 9 else 0, 1_024, judged,
            )
        )  # fmt: skip
    return found


def stored(one: Experiment, units: list[Unit], **values: Any) -> StoredExperiment:
    tally = Tally.of(unit.outcome for unit in units if unit.judged_at)
    return StoredExperiment(
        1, "default", "Classify this ticket", one, tally, {}, None,
        NOW if units else None, NOW - timedelta(days=3), "mira", None, None, None, None, **values,
    )  # fmt: skip


def experiments() -> tuple[list[StoredExperiment], dict[UUID, list[Unit]]]:
    began = NOW.timestamp() - 86_400
    units = {
        RUNNING: conversations(1, 600, 0.70, 0.76),
        WON: conversations(2, 2_000, 0.70, 0.82),
        HARMED: conversations(3, 240, 0.70, 0.42),
        DRAFT: [],
    }
    running = steps.started(experiment(RUNNING, "json-first", holdout=0.05), began, "mira")
    won = steps.started(experiment(WON, "shorter-answers"), began, "mira")
    won = steps.judged(won, verdict_of(won, units[WON]), NOW.timestamp())
    harmed = steps.started(experiment(HARMED, "no-examples"), began, "llmproxy")
    harmed = steps.judged(harmed, verdict_of(harmed, units[HARMED]), NOW.timestamp())
    draft = experiment(DRAFT, "polite-tone")
    return [stored(one, units[UUID(one.id)]) for one in (running, won, draft, harmed)], units


def verdict_of(one: Experiment, units: list[Unit]) -> Any:
    return Judge(one).verdict(Tally.of(unit.outcome for unit in units if unit.judged_at))


def rule(name: str, when: str, logic: list[dict[str, Any]], **values: Any) -> StoredTransformation:
    at = NOW - timedelta(days=2)
    known: dict[str, Any] = {
        "order": 0, "active": True, "usage_count": 0, "last_used": None, "origin": "database",
        "home": None, "created_at": at, "created_by": "mira", "updated_at": at,
        "updated_by": "mira",
    }  # fmt: skip
    return StoredTransformation(name, when, logic, **(known | values))


def rules() -> list[StoredTransformation]:
    return [
        rule("batch-limit", 'client.user == "batch"',
             [{"op": "clamp", "parameter": "max_tokens", "max": 1000}], order=-10,
             usage_count=12_044, last_used=NOW - timedelta(seconds=4), origin="mitm.toml",
             home="/home/mira/.llmproxy"),
        rule("brief-triage", f'pattern.id == "{TRIAGE}"',
             [{"op": "append_system", "text": TEXT}, {"op": "drop", "parameter": "seed"}],
             usage_count=311, last_used=NOW - timedelta(minutes=9)),
        rule("no-web", 'session.id == "night"', [{"op": "drop_tools", "names": ["web_*"]}],
             active=False, order=5),
        rule("won-shorter-answers", f'pattern.id == "{TITLE}"',
             [{"op": "set", "parameter": "temperature", "value": 0.2}], order=20,
             usage_count=96, last_used=NOW - timedelta(hours=2), origin=f"experiment:{WON}"),
    ]  # fmt: skip


def learnt() -> CallLessons:
    call = demo.flows()[3].id
    return CallLessons(
        patterns=[
            CallPattern("user", TRIAGE, "Classify this ticket", "classification"),
            CallPattern("system", SYSTEM, "You triage support tickets", None, 3),
        ],
        signals=[
            Told(call, "answered", "wire", "good", 1.0, "stop", NOW - timedelta(seconds=20)),
            Told(call, "format", "answer", "bad", 1.0, "/urgency is missing", NOW - timedelta(seconds=20)),
            Told(call, "asked_again", "later", "bad", 0.8, "the same words 40 s later",
                 NOW - timedelta(seconds=2), demo.flows()[2].id),
        ],
        applied=[
            Applied("transformation", "brief-triage", kept=0.62),
            Applied("transformation", "no-web", why="signed"),
            Applied("experiment", "json-first", "enhanced", kept=1.0),
        ],
    )  # fmt: skip


def exemplar(number: int, version: int, verdict: Any, *bad: str) -> Exemplar:
    flow = demo.flows()[number]
    return Exemplar(flow, PatternCall(1, flow.id, version, flow.model, verdict, frozenset(bad)))


def calls() -> list[Exemplar]:
    return [
        exemplar(3, 3, "bad", "format", "asked_again"),
        exemplar(4, 3, "bad", "answered"),
        exemplar(8, 2, "good"),
        exemplar(10, 2, None),
    ]


def source() -> MemorySource:
    """The demo, with all of this in it."""
    made = demo.source()
    known = made.learning
    known.lines, known.abouts = lines(), {TRIAGE: about(), SYSTEM: system()}
    known.calls_of = {TRIAGE: calls()}
    known.suggested, known.tried = suggestions(), {CLARIFY: tried()}
    known.tests, known.conversations = experiments()
    known.stored_rules = rules()
    known.rule_trials = {"brief-triage": [tried(), Tried(demo.flows()[8], left="signed")]}
    known.known = {demo.flows()[2].id: learnt(), demo.flows()[3].id: learnt()}
    return made
