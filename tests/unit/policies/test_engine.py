from typing import Any

import pytest

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.verdicts import Judged
from llmproxy_core.policies import Policies
from llmproxy_core.policies.policy import phases
from llmproxy_core.policies.ruling import ruling, told, unjudged
from llmproxy_core.sections.policies import PolicyConfig

FACTS = {"provider.name": "openai", "model": "gpt-5", "namespace": "default"}
SECRET = 'finding.family == "secret"'


def found(family: Any = "secret", text: str = "key abcdef", new: bool = True) -> Located:
    finding = Finding("secrets.aws", family, 0.95, "high", 4, 10, "There is a key in it.")
    return Located(finding, Text(text), b"h" * 16, text[4:10], new)


def policy(name: str, when: str = SECRET, **keys: Any) -> PolicyConfig:
    return PolicyConfig(name=name, when=when, **keys)


def decided(policies: Policies, *findings: Located, model: str = "gpt-5") -> list[tuple[str, ...]]:
    judged = Judged([*findings])
    hits = policies.hits("request", {**FACTS, "model": model}, judged.found)
    return [(d.policy, d.mode, d.outcome) for d in ruling(hits, judged, model).decisions]


def test_a_policy_about_findings_applies_where_one_fits():
    policies = Policies([policy("p", action="block")])
    assert decided(policies, found("pii"), found("secret")) == [("p", "active", "blocked")]
    assert decided(policies, found("pii")) == []


def test_a_policy_about_calls_applies_without_any_finding():
    policies = Policies([policy("p", 'provider.name == "openai"', action="flag")])
    assert decided(policies) == [("p", "active", "flagged")]


def test_policies_are_asked_by_priority_then_by_name():
    policies = Policies(
        [policy("b"), policy("z", priority=5), policy("a"), policy("y", priority=-1)]
    )
    assert [name for name, *_ in decided(policies, found())] == ["z", "a", "b", "y"]


def test_a_policy_that_is_off_is_never_asked():
    assert decided(Policies([policy("p", mode="off")]), found()) == []


def test_allow_takes_its_findings_from_the_policies_after_it():
    policies = Policies(
        [
            policy("mine", SECRET + ' and finding.author == "user"', action="allow", priority=1),
            policy("stop", "finding.score > 0.5", action="block"),
        ]
    )
    assert decided(policies, found()) == [("mine", "active", "allowed")]
    both = decided(policies, found(), found("pii"))
    assert both == [("mine", "active", "allowed"), ("stop", "active", "blocked")]


def test_allow_without_findings_ends_it_for_the_whole_call():
    policies = Policies(
        [policy("friend", 'model == "gpt-5"', action="allow", priority=1), policy("stop")]
    )
    assert decided(policies, found()) == [("friend", "active", "allowed")]


def test_allow_in_shadow_takes_nothing_from_others():
    policies = Policies(
        [
            policy("mine", action="allow", mode="shadow", priority=1),
            policy("stop", action="block"),
        ]
    )
    assert decided(policies, found()) == [
        ("mine", "shadow", "allowed"),
        ("stop", "active", "blocked"),
    ]


def test_shadow_tells_and_does_nothing():
    judged = Judged([found()])
    policies = Policies([policy("p", action="block", mode="shadow")])
    made = ruling(policies.hits("request", FACTS, judged.found), judged, "gpt-5")
    assert made.refused is None
    assert [(d.mode, d.outcome) for d in made.decisions] == [("shadow", "blocked")]


def test_a_policy_with_a_rate_of_false_positives_is_in_shadow_until_it_is_proven():
    config = policy("p", action="block", max_false_positive_rate=0.05)
    assert decided(Policies([config]), found()) == [("p", "shadow", "blocked")]
    assert decided(Policies([config], proven=["p"]), found()) == [("p", "active", "blocked")]


def test_after_a_refusal_nothing_more_is_done_but_told():
    judged = Judged([found()])
    policies = Policies([policy("a", action="block", priority=1), policy("b", action="hold")])
    made = ruling(policies.hits("request", FACTS, judged.found), judged, "gpt-5")
    assert made.refused is not None
    assert made.refused.policy.name == "a"
    assert made.holding is None
    assert [d.outcome for d in made.decisions] == ["blocked", "not reached"]


def test_only_the_models_of_a_list_pass():
    policies = Policies([policy("m", "true", action="allow_models", models=["gpt-*", "o3"])])
    assert decided(policies) == []
    assert decided(policies, model="claude-opus-4-5") == [("m", "active", "blocked")]
    assert decided(policies, model="") == [("m", "active", "blocked")]


def test_a_throttle_counts_and_refuses_with_the_time_to_wait():
    config = policy("slow", "true", action="throttle", per_minute=10)
    hits = Policies([config]).hits("request", FACTS, [])
    passed = ruling(hits, Judged(), "gpt-5", lambda _: 0.0)
    waits = ruling(hits, Judged(), "gpt-5", lambda _: 6.0)
    assert passed.refused is None
    assert not passed.decisions
    assert waits.refused is not None
    assert (waits.refused.kind, waits.refused.retry_after) == ("rate_limited", 6.0)


def test_decisions_name_the_new_findings_that_they_rest_on():
    judged = Judged([found(new=False), found("pii"), found()])
    hits = Policies([policy("p")]).hits("request", FACTS, judged.found)
    assert [d.findings for d in ruling(hits, judged, "").decisions] == [(1,)]


def test_nothing_secret_is_said():
    judged = Judged([found(text="key SECRET")])
    hits = Policies([policy("p", action="block")]).hits("request", FACTS, judged.found)
    made = ruling(hits, judged, "")
    assert made.refused is not None
    assert "There is a key in it" in made.refused.said
    assert "SECRET" not in made.refused.said + made.decisions[0].why


def test_the_words_of_a_policy_come_before_ours():
    one = Policies([policy("p", action="block", message="Ask security.")]).all[0]
    assert told(one, "because") == "Ask security."


@pytest.mark.parametrize(
    ("judged", "refused"),
    [
        (Judged(), False),
        (Judged(left=1), True),
        (Judged(faults=["pii: hangs"]), True),
        (None, True),
    ],
    ids=["whole", "left", "fault", "never"],
)
def test_what_could_not_be_judged_is_stopped_by_a_policy_that_fails_closed(judged, refused):
    closed = Policies([policy("c", action="flag", on_fault="closed")]).of("request")
    opened = Policies([policy("o", action="block")]).of("request")
    assert (unjudged(closed, judged) is not None) is refused
    assert unjudged(opened, judged) is None


def test_a_policy_that_cannot_apply_to_a_call_does_not_stop_it_unjudged():
    config = policy(
        "c", SECRET + ' and model == "gpt-5" and finding.score > 0.9', on_fault="closed"
    )
    policies = Policies([config]).of("request")
    assert unjudged(policies, None, {**FACTS, "model": "gpt-5"}) is not None
    assert unjudged(policies, None, {**FACTS, "model": "gpt-4"}) is None


def test_a_policy_in_shadow_stops_nothing_that_could_not_be_judged():
    shadow = Policies([policy("c", mode="shadow", on_fault="closed")])
    assert unjudged(shadow.of("request"), None) is None
    assert not shadow.closed


@pytest.mark.parametrize(
    ("action", "asked", "expected"),
    [
        ("flag", {"response.status"}, {"answer"}),
        ("block", {"tool", "finding.score"}, {"tool_call"}),
        ("block", {"finding.score"}, {"request", "tool_call"}),
        ("flag", {"finding.score"}, {"request", "tool_call", "answer"}),
        ("deny_tools", {"model"}, {"request"}),
        ("redact_wire", {"finding.family"}, {"request"}),
        ("block", {"model"}, {"request"}),
    ],
)
def test_when_a_policy_is_asked_follows_from_what_it_looks_at(action, asked, expected):
    assert phases(action, frozenset(asked)) == expected
