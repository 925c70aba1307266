import random
from dataclasses import replace
from typing import Any

import pytest

from llmproxy_core.experiments.balance import unbalanced
from llmproxy_core.experiments.experiment import Guard, Variant
from llmproxy_core.experiments.tally import ArmTally, Outcome, Tally
from llmproxy_core.experiments.verdict import Judge


def counted(**arms) -> Tally:
    return Tally({name: ArmTally(good, bad) for name, (good, bad) in arms.items()})


def test_a_better_variant_wins_and_the_reason_says_by_how_much(draft):
    verdict = Judge(draft).verdict(counted(control=(700, 300), short=(800, 200)))

    assert (verdict.kind, verdict.variant) == ("won", "short")
    assert verdict.why == (
        "'short' succeeded in 80.0 % of 1,000 conversations, control in 70.0 % of 1,000: it is "
        "better; the difference is between +3.5 and +17.2 points."
    )


def test_a_worse_variant_has_harmed(draft):
    verdict = Judge(draft).verdict(counted(control=(80, 30), short=(40, 60)))

    assert (verdict.kind, verdict.dropped) == ("harmful", ("short",))
    assert "it is worse" in verdict.why


def test_harm_is_told_of_few_conversations_and_winning_is_not(draft):
    assert Judge(draft).verdict(counted(control=(30, 0), short=(0, 30))).kind == "harmful"
    assert Judge(draft).verdict(counted(control=(0, 30), short=(30, 0))).kind == "open"


def test_a_variant_that_is_not_worth_it_is_futile(draft):
    verdict = Judge(draft).verdict(counted(control=(3500, 1500), short=(3510, 1490)))

    assert verdict.kind == "futile"
    assert "not better by 5 points" in verdict.why


def test_after_the_most_conversations_it_is_futile(draft):
    verdict = Judge(replace(draft, most=200)).verdict(counted(control=(70, 30), short=(75, 25)))

    assert verdict.kind == "futile"
    assert verdict.why.startswith("200 conversations were not enough to tell.")


def test_nothing_is_told_of_nothing(draft):
    verdict = Judge(draft).verdict(Tally())

    assert verdict.kind == "open"
    assert "'short' succeeded in none of 0 conversations" in verdict.why


def test_a_winner_that_breaches_a_guard_has_harmed(draft):
    tally = Tally()
    for number in range(2000):
        arm = ("control", "short")[number % 2]
        good = number % 10 < (9 if arm == "short" else 6)
        cost = (0.01 if arm == "control" else 0.03) * (1 + number % 7)
        tally.add(Outcome(b"%d" % number, arm, good, cost))
    verdict = Judge(draft).verdict(tally)

    assert verdict.kind == "harmful"
    assert "the typical cost of a conversation that went well went from 0.03" in verdict.why
    assert Judge(replace(draft, guards=())).verdict(tally).kind == "won"


@pytest.mark.parametrize("metric", ["cost_usd", "latency_ms", "failed", "cached_share"])
def test_each_guard_is_told_in_words(draft, metric):
    good, bad = {
        "cost_usd": (0.01, 0.09),
        "latency_ms": (800.0, 4000.0),
        "failed": (False, True),
        "cached_share": (0.8, 0.1),
    }[metric]
    tally = Tally()
    for number in range(400):
        arm, value = (("control", good), ("short", bad))[number % 2]
        measured: dict[str, Any] = {metric: value}
        tally.add(Outcome(b"%d" % number, arm, **measured))
    guarded = replace(draft, guards=(Guard(metric, 0.1),))

    assert "which is more than the guard allows" in Judge(guarded).verdict(tally).why


def two(draft):
    shares = {"control": 0.4, "short": 0.3, "long": 0.3}
    return replace(draft, variants=(Variant("short"), Variant("long")), shares=shares)


def test_a_variant_that_harms_is_dropped_and_the_others_go_on(draft):
    verdict = Judge(two(draft)).verdict(
        counted(control=(280, 120), short=(100, 200), long=(215, 85))
    )

    assert (verdict.kind, verdict.dropped) == ("open", ("short",))


def test_the_best_of_the_winners_wins(draft):
    verdict = Judge(two(draft)).verdict(
        counted(control=(560, 240), short=(500, 100), long=(560, 40))
    )

    assert (verdict.kind, verdict.variant) == ("won", "long")


def test_when_all_variants_are_dropped_it_has_harmed(draft):
    one = replace(two(draft), dropped=("long",))
    verdict = Judge(one).verdict(counted(control=(280, 120), short=(100, 200), long=(1, 0)))

    assert verdict.kind == "harmful"


def test_more_variants_need_more_evidence(draft):
    tally = counted(control=(600, 300), short=(667, 233))

    alone = Judge(draft).verdict(tally).compared[0]
    among = Judge(replace(two(draft), shares={"control": 0.3, "short": 0.3, "long": 0.3})).verdict(
        tally
    )
    assert alone.kind == "won"
    assert among.compared[0].kind == "open"
    assert among.compared[0].log_better == pytest.approx(alone.log_better)


def test_outcomes_that_come_late_and_in_any_order_give_the_same_verdict(draft):
    outcomes = [
        Outcome(b"%d" % n, ("control", "short")[n % 2], n % 10 < (8 if n % 2 else 6), 0.01 * n)
        for n in range(1000)
    ]
    mixed = random.Random(6).sample(outcomes, k=len(outcomes))
    one, other = (Judge(draft).verdict(Tally.of(some)) for some in (outcomes, mixed))

    assert (one.kind, one.why) == (other.kind, other.why)
    assert one.compared[0].log_better == other.compared[0].log_better


def test_arms_that_lost_conversations_are_not_compared(draft):
    verdict = Judge(draft).verdict(counted(control=(1000, 400), short=(850, 90)))

    assert verdict.kind == "open"
    assert "conversations of one are missing" in verdict.why


def test_a_variant_whose_bad_answers_never_come_does_not_win(draft):
    tally = counted(control=(700, 300), short=(700, 210))
    assert Judge(draft).verdict(tally).kind == "won"
    tally.arms["short"].unknown = 90
    assert Judge(draft).verdict(tally).kind != "won"
    assert Judge(draft).verdict(Tally.from_json(tally.to_json())).kind != "won"


def test_what_is_as_often_unknown_in_both_arms_takes_no_win(draft):
    tally = counted(control=(600, 400), short=(700, 300))
    for arm in tally.arms.values():
        arm.unknown = 100
    assert Judge(draft).verdict(tally).kind == "won"


@pytest.mark.parametrize(("control", "variant"), [(0, 0), (5, 0), (520, 480), (10_100, 9_900)])
def test_arms_that_differ_by_chance_are_compared(control, variant):
    assert not unbalanced(control, variant, 0.5)
