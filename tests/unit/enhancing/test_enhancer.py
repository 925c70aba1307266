"""What becomes of requests, turn by turn."""

import json
from typing import Any

import pytest

from llmproxy_core.enhancing.enhancer import Enhancer
from tests.unit.enhancing.handing import (
    APPEND,
    NOW,
    PROMPT,
    SYSTEM,
    TOOLS,
    body,
    improving,
    rule,
    said,
    sent,
    user,
)

TICKET = PROMPT.format("the cable and the router of Berta are late")
CLAMP = {"op": "clamp", "parameter": "max_tokens", "max": 10}
EXPERIMENT: dict[str, Any] = {
    "id": "0199-e",
    "name": "brief",
    "variants": [{"name": "brief", "operations": [APPEND]}],
    "shares": {"control": 0.5, "brief": 0.5},
    "status": "running",
    "namespace": "default",
    "steps": [{"at": NOW - 100, "status": "running", "by": "anna", "why": ""}],
}


def conversation(first: str, turns: int) -> list[list[dict[str, str]]]:
    messages = [user(first)]
    found = [[*messages]]
    for n in range(1, turns):
        messages += [said(f"answer {n}"), user(f"And now step {n}?")]
        found.append([*messages])
    return found


def systems(made: list[Any]) -> list[Any]:
    return [json.loads(one.outcome.body).get("system") for one in made]


def test_nothing_is_done_where_nothing_is_handed_over(enhancer):
    data = body(messages=[user("hi")])
    made = sent(enhancer, improving(rule("other", 'model == "gpt-5"')), data)

    assert made.outcome.body is data
    assert made.enhanced is None


def test_rules_are_done_in_their_order_and_told(enhancer):
    rules = improving(
        rule("b", "true", APPEND | {"text": "second"}, order=2),
        rule("a", "true", APPEND | {"text": "first"}, order=1),
        rule("odd", "true", {"op": "cache_breakpoint", "at": 9}),
    )
    made = sent(enhancer, rules, body(system="You are kind.", messages=[user("hi")]))

    assert made.enhanced is not None
    assert made.enhanced.applied == ["a", "b"]
    assert [name for name, _ in made.enhanced.failed] == ["odd"]
    assert json.loads(made.outcome.body)["system"].split("\n\n")[1:] == ["first", "second"]


@pytest.mark.parametrize("kind", ["id", "name", "type", "system", "tools"])
def test_rules_ask_about_patterns(enhancer, learnt, kind: str):
    patterns, ids = learnt
    named = {"id": ids["user"], "name": "summarize ticket", "type": "summarization"}
    rules = improving(rule("r", f'pattern.{kind} == "{(named | ids)[kind]}"'), patterns=patterns)
    request = {"system": SYSTEM, "tools": TOOLS, "messages": [user(TICKET)]}
    other = {"system": "Else.", "tools": [], "messages": [user("What is the time?")]}

    assert sent(enhancer, rules, body(**request)).enhanced is not None
    assert sent(enhancer, rules, body(**other)).enhanced is None


def test_patterns_of_a_conversation_are_those_that_it_began_with(enhancer, learnt):
    patterns, ids = learnt
    rules = improving(rule("r", f'pattern.id == "{ids["user"]}"'), patterns=patterns)
    made = [
        sent(enhancer, rules, body(system="Be kind.", messages=one), at=NOW + n)
        for n, one in enumerate(conversation(TICKET, 4))
    ]
    later = [
        sent(enhancer, rules, body(system="Be kind.", messages=one), at=NOW + n)
        for n, one in enumerate(conversation("Hello there", 3)[:2])
    ]
    asks = [*conversation("Hello there", 2)[1][:2], user(TICKET)]
    after = sent(enhancer, rules, body(system="Be kind.", messages=asks))

    assert {one.enhanced.user for one in made if one.enhanced} == {ids["user"]}
    assert len({*systems(made)}) == 1
    assert [one.enhanced for one in [*later, after]] == [None] * 3


def test_they_are_known_again_by_a_proxy_that_was_started_since(learnt):
    patterns, ids = learnt
    rules = improving(rule("r", f'pattern.id == "{ids["user"]}"'), patterns=patterns)
    made = [
        sent(Enhancer(None, NOW), rules, body(system="Be kind.", messages=one))
        for one in conversation(TICKET, 4)
    ]

    assert len({*systems(made)}) == 1
    assert all(one.enhanced for one in made)


def test_examples_in_a_conversation_are_no_earlier_turns(enhancer, learnt):
    patterns, ids = learnt
    rules = improving(rule("r", f'pattern.id == "{ids["user"]}"'), patterns=patterns)
    messages = [user("An example."), said("Fine."), user(TICKET)]

    assert sent(enhancer, rules, body(messages=messages)).enhanced is not None


def test_patterns_are_those_of_the_namespace(enhancer, learnt):
    patterns, ids = learnt
    rules = improving(rule("r", f'pattern.id == "{ids["user"]}"'), patterns=patterns)
    data = body(messages=[user(TICKET)])

    assert sent(enhancer, rules, data, namespace="other").enhanced is None
    assert sent(enhancer, rules, data).enhanced is not None


def test_patterns_that_were_merged_are_still_known_by_their_ids(enhancer, learnt):
    patterns, ids = learnt
    patterns = patterns | {"merged": {"older": "old", "old": ids["user"], "x": "x"}}
    rules = improving(
        rule("old", 'pattern.id == "old"', APPEND | {"text": "A"}),
        rule("older", 'pattern.id in ["older", "else"]', APPEND | {"text": "B"}),
        rule("now", f'pattern.id == "{ids["user"]}"', APPEND | {"text": "C"}),
        rule("other", 'pattern.id == "x"'),
        trials=[EXPERIMENT | {"pattern": "older", "when": 'pattern.id == "old"'}],
        patterns=patterns,
    )
    made = sent(enhancer, rules, body(messages=[user(TICKET)]))

    assert made.enhanced is not None
    assert made.enhanced.applied == ["now", "old", "older"]
    assert made.enhanced.arms


class TestExperiments:
    def test_all_turns_of_a_conversation_get_the_same(self, enhancer, learnt):
        patterns, ids = learnt
        trial = improving(trials=[EXPERIMENT | {"pattern": ids["user"]}], patterns=patterns)
        arms = set()
        for number in range(20):
            ticket = PROMPT.format(f"the cable and the router number {number} are late")
            made = [
                sent(enhancer, trial, body(system="Be kind.", messages=one), at=NOW + n)
                for n, one in enumerate(conversation(ticket, 4))
            ]
            told = [one.enhanced for one in made if one.enhanced]
            assert len(told) == 4
            assert len({repr(one.arms) + one.root.hex() for one in told}) == 1
            arm = dict(told[0].arms)["0199-e"]
            assert {*systems(made)} == {
                "Be kind." if arm == "control" else "Be kind.\n\nAnswer in one sentence."
            }
            arms.add(arm)
        assert arms == {"control", "brief"}

    def test_what_later_turns_send_was_sent_before(self, enhancer, learnt):
        patterns, ids = learnt
        trial = improving(
            rule("r", f'pattern.id == "{ids["user"]}"', CLAMP),
            trials=[EXPERIMENT | {"shares": {"control": 0.01, "brief": 0.99}}],
            patterns=patterns,
        )
        for one, after in zip(
            turns := [
                sent(enhancer, trial, body(system="Be kind.", messages=one)).outcome.body
                for one in conversation(TICKET, 5)
            ],
            turns[1:],
            strict=False,
        ):
            assert after.startswith(one.removesuffix(b"]}"))

    def test_a_conversation_that_was_under_way_is_left_alone(self, enhancer, learnt):
        trial = improving(trials=[EXPERIMENT])
        first, second = conversation("Hello", 2)
        assert sent(enhancer, trial, body(messages=second)).enhanced is None
        assert sent(enhancer, trial, body(messages=first)).enhanced is not None

    def test_answers_that_are_named_lead_to_their_conversation(self, enhancer, learnt):
        patterns, ids = learnt
        trial = improving(
            rule("r", f'pattern.id == "{ids["user"]}"', CLAMP, {"op": "set", "parameter": "seed", "value": 1}),
            rule("s", f'pattern.id == "{ids["user"]}"', {"op": "set", "parameter": "/metadata/x", "value": 1}),
            trials=[EXPERIMENT],
            patterns=patterns,
        )  # fmt: skip
        wire = "openai.responses"
        first = sent(enhancer, trial, json.dumps({"input": TICKET}).encode(), wire=wire)
        assert first.place is not None
        enhancer.answered("resp_1", first.place)
        follows = json.dumps({"input": "more", "previous_response_id": "resp_1"}).encode()
        second = sent(enhancer, trial, follows, wire=wire)
        unknown = json.dumps({"input": "more", "previous_response_id": "resp_9"}).encode()

        assert first.enhanced is not None
        assert second.enhanced is not None
        assert second.enhanced.arms == first.enhanced.arms
        assert second.enhanced.root == first.enhanced.root
        assert "s" in second.enhanced.applied
        assert sent(enhancer, trial, unknown, wire=wire).enhanced is None

    def test_a_restart_does_not_change_the_arms(self, tmp_path, learnt):
        trial = improving(trials=[EXPERIMENT])
        turns = conversation("Hello", 3)
        told = []
        for messages in turns:
            one = Enhancer(tmp_path / "experiments", NOW)
            told.append(sent(one, trial, body(messages=messages)).enhanced)
            one.close()
        assert told[0] is not None
        assert [one.arms for one in told if one] == [told[0].arms] * 3

    def test_who_is_held_out_is_told_and_left_alone(self, enhancer):
        trial = improving(trials=[EXPERIMENT | {"holdout": 0.5}])
        arms = []
        for number in range(40):
            made = sent(enhancer, trial, body(messages=[user(f"question {number}")]))
            assert made.enhanced is not None
            [(_, arm)] = made.enhanced.arms
            arms.append(arm)
            assert ("system" in json.loads(made.outcome.body)) == (arm == "brief")
        assert {*arms} == {"control", "brief", "holdout"}

    def test_what_harms_is_gone_at_once(self, enhancer):
        turns = conversation("Hello", 2)
        harm = {"at": NOW + 10, "status": "harmful", "by": "llmproxy", "why": ""}
        harmful = EXPERIMENT | {"status": "harmful", "steps": [*EXPERIMENT["steps"], harm]}
        assert sent(enhancer, improving(trials=[EXPERIMENT]), body(messages=turns[0])).enhanced
        assert not sent(enhancer, improving(trials=[harmful]), body(messages=turns[1])).enhanced

    def test_two_users_are_two_conversations(self, enhancer):
        trial = improving(trials=[EXPERIMENT])
        roots = set()
        for who in ("", "anna", "bob"):
            made = sent(enhancer, trial, body(messages=[user("Hello")]), who=who)
            assert made.enhanced is not None
            roots.add(made.enhanced.root)
        assert len(roots) == 3


class TestPromoted:
    """The winner has become a transformation, which people may change or take away."""

    STEPS = (*EXPERIMENT["steps"], {"at": NOW + 50, "status": "promoted", "by": "a", "why": ""})
    ENDED = EXPERIMENT | {
        "status": "promoted", "promoted": "brief", "rule": "winner", "steps": STEPS, "holdout": 0.2,
    }  # fmt: skip

    def ask(self, enhancer: Enhancer, *rules: Any, at: float = NOW + 60) -> dict[str, set[Any]]:
        """What conversations that begin now get, by arm."""
        found: dict[str, set[Any]] = {}
        what = improving(*rules, trials=[self.ENDED])
        for number in range(40):
            made = sent(enhancer, what, body(messages=[user(f"question {number}")]), at=at)
            arm = dict(made.enhanced.arms)["0199-e"] if made.enhanced else ""
            found.setdefault(arm, set()).add(json.loads(made.outcome.body).get("system"))
        return found

    def test_all_but_the_held_out_get_it(self, enhancer):
        rules = rule("winner", "true", APPEND)
        assert self.ask(enhancer, rules) == {"brief": {APPEND["text"]}, "holdout": {None}}

    def test_it_is_done_as_it_is_written_now(self, enhancer):
        rules = rule("winner", "true", APPEND | {"text": "Other."})
        assert self.ask(enhancer, rules)["brief"] == {"Other."}

    @pytest.mark.parametrize(
        "rules", [[], [rule("winner", "true", active=False)], [rule("winner", 'model == "x"')]]
    )
    def test_nobody_gets_what_was_taken_away(self, enhancer, rules):
        assert self.ask(enhancer, *rules) == {"": {None}}

    def test_its_rule_still_matches_when_its_pattern_became_another(self, enhancer, learnt):
        """Also on later turns of conversations that began before the patterns were merged."""
        patterns, ids = learnt
        ended = self.ENDED | {"pattern": ids["user"], "holdout": 0}
        winner = rule("winner", f'pattern.id == "{ids["user"]}"', APPEND)
        heir = json.loads(json.dumps(patterns).replace(ids["user"], "heir"))
        heir["merged"] = {ids["user"]: "between", "between": "heir"}
        before = improving(winner, trials=[ended], patterns=patterns)
        after = improving(winner, trials=[ended], patterns=heir)
        turns = conversation(TICKET, 2)
        made = [
            sent(enhancer, before, body(messages=turns[0]), at=NOW + 60),
            sent(enhancer, after, body(messages=turns[1]), at=NOW + 99),
            sent(enhancer, after, body(messages=[user(TICKET + " and more")]), at=NOW + 99),
        ]
        assert systems(made) == [APPEND["text"]] * 3
        told = [one.enhanced for one in made if one.enhanced]
        assert [one.arms for one in told] == [[("0199-e", "brief")]] * 3
        assert told[2].user == "heir"

    def test_conversations_under_way_keep_what_they_had(self, enhancer):
        during = improving(trials=[EXPERIMENT])
        after = improving(rule("winner", "true", APPEND), trials=[self.ENDED | {"holdout": 0}])
        arms = set()
        for number in range(20):
            turns = conversation(f"question {number}", 2)
            made = [
                sent(enhancer, during, body(messages=turns[0])),
                sent(enhancer, after, body(messages=turns[1]), at=NOW + 99),
            ]
            assert made[0].enhanced
            assert made[1].enhanced
            assert made[0].enhanced.arms == made[1].enhanced.arms
            assert len({*systems(made)}) == 1
            arms.add(made[0].enhanced.arms[0][1])
        assert arms == {"control", "brief"}


def test_frames_of_a_voice_session_are_one_conversation(enhancer):
    trial = improving(rule("r", "true", {"op": "append_system", "text": "X"}), trials=[EXPERIMENT])
    frames = [
        {"type": "session.update", "session": {"instructions": "Be kind."}},
        {"type": "conversation.item.create", "item": {"type": "message"}},
        {"type": "response.create"},
    ]
    made = [
        sent(enhancer, trial, json.dumps(one).encode(), wire="openai.realtime", unit=b"u" * 16)
        for one in frames
    ]

    assert len({one.enhanced.root for one in made if one.enhanced}) == 1
    assert json.loads(made[0].outcome.body)["session"]["instructions"] == "Be kind.\n\nX"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"messages":3}'])
def test_odd_bodies_pass_as_they_are(enhancer, learnt, data: bytes):
    patterns, ids = learnt
    what = improving(
        rule("r", f'pattern.id != "{ids["user"]}" or true'), trials=[EXPERIMENT], patterns=patterns
    )
    if b"messages" not in data:
        assert sent(enhancer, what, data).outcome.body == data
    else:
        sent(enhancer, what, data)
