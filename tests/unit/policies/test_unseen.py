import pytest

from llmproxy_core.policies import Policies
from llmproxy_core.policies.unseen import unseen
from tests.unit.policies.test_engine import policy

HEAD = {"provider.name": "openai", "model": None, "namespace": "interns", "client.name": "x"}
OURS, BY_MODEL = 'namespace == "interns"', 'model == "gpt-5"'
UNDONE = ("deny_tools", "hold")
MORE = {"deny_tools": {"tools": ["*"]}, "allow_models": {"models": ["mini"]}}


def ruled(name: str, when: str, facts=HEAD, **keys):
    made = unseen(Policies([policy(name, when, **keys)]), facts, lambda _: 1.0)
    return made.refused and made.refused.kind, [one.outcome for one in made.decisions]


@pytest.mark.parametrize("action", [*UNDONE, "allow_models"])
def test_what_cannot_be_done_without_the_body_follows_on_fault(action):
    more = MORE.get(action, {})
    assert ruled("p", OURS, action=action, on_fault="open", **more) == (None, ["not done"])
    closed = ruled("p", OURS, action=action, on_fault="closed", **more)
    assert closed == ("unavailable", ["refused unjudged"])
    shadow = ruled("p", OURS, action=action, on_fault="closed", mode="shadow", **more)
    assert shadow == (None, ["not done"])
    assert ruled("p", 'namespace == "a"', action=action, on_fault="closed", **more) == (None, [])


@pytest.mark.parametrize("when", [BY_MODEL, '"sh" in request.tools', 'finding.family == "pii"'])
def test_what_only_the_body_tells_follows_on_fault(when):
    assert ruled("p", when, action="block", on_fault="open")[0] is None
    assert ruled("p", when, action="block", on_fault="closed")[0] == "unavailable"
    elsewhere = f'({when}) and namespace == "a"'
    if "finding" in when:
        assert ruled("p", elsewhere, action="block", on_fault="closed")[0] is None


def test_what_the_head_tells_is_decided_as_ever():
    assert ruled("p", OURS, action="block") == ("forbidden", ["blocked"])
    assert ruled("p", OURS, action="throttle", per_minute=1) == ("rate_limited", ["throttled"])
    in_path = {**HEAD, "model": "gpt-5"}
    assert ruled("p", BY_MODEL, in_path, action="block") == ("forbidden", ["blocked"])
    assert ruled("p", OURS, in_path, action="allow_models", models=["gpt-*"])[0] is None
    assert ruled("p", OURS, in_path, action="allow_models", models=["mini"])[0] == "forbidden"


def test_who_is_allowed_passes_what_comes_after():
    friends = policy("friends", OURS, action="allow", priority=9)
    closed = policy("closed", action="block", on_fault="closed")
    made = unseen(Policies([friends, closed]), HEAD, lambda _: 0.0)
    assert (made.refused, [one.outcome for one in made.decisions]) == (None, ["allowed"])
