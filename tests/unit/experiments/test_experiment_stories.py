"""From requests to a decision: conversations as clients send them, judged while they come."""

import json
import random
from dataclasses import replace

import pytest

from llmproxy_core.experiments.assignment import arm
from llmproxy_core.experiments.begun import Begun
from llmproxy_core.experiments.experiment import Experiment
from llmproxy_core.experiments.life import judged, promoted, started
from llmproxy_core.experiments.roots import root
from llmproxy_core.experiments.tally import Outcome, Tally
from llmproxy_core.experiments.verdict import Judge
from llmproxy_core.namespace.whole import fields_of

START = 1_800_000_000.0
SAID = {"role": "assistant", "content": "Here it is."}
MORE = {"role": "user", "content": "Thanks. And now?"}


class Traffic:
    """Conversations of three turns about one pattern, while an experiment lives."""

    def __init__(self, experiment: Experiment, rates: dict[str | None, float]) -> None:
        self.experiment, self.tally = experiment, Tally()
        self._rates, self._dice = rates, random.Random(6)
        self._begun, self._judge = Begun(None, START), Judge(experiment)

    def converse(self, number: int) -> list[str | None]:
        """The arms of its turns; judged when it is over."""
        messages = [{"role": "user", "content": f"Summarise the report {number}."}]
        at, arms, unit = START + number, [], b""
        for turn in range(3):
            body = json.dumps({"model": "m", "messages": messages}).encode()
            known = root("openai.chat", [], fields_of(body), body)
            found = self._begun.find(known, at + turn, lambda: (self.experiment.id,))
            assert found is not None
            unit = found.root
            arms.append(arm(self.experiment, unit, found.begun))
            messages += [SAID, MORE | {"content": f"More of {turn}."}]
        name = arms[0]
        if name is not None:
            good = self._dice.random() < self._rates[name]
            self.tally.add(Outcome(unit, name, good, 0.01 * (1 + self._dice.random())))
            self.experiment = judged(self.experiment, self._judge.verdict(self.tally), at)
        return arms


def test_a_better_variant_is_found_and_promoted_for_all_but_the_holdout(draft):
    one = started(replace(draft, holdout=0.1), START, "ann")
    traffic = Traffic(one, {"control": 0.6, "short": 0.9})
    number = 0
    while traffic.experiment.status == "running":
        assert len(set(traffic.converse(number))) == 1
        number += 1
        assert number < 1000
    assert traffic.experiment.status == "won"

    at = START + number
    traffic.experiment = promoted(traffic.experiment, at, "bob", "proven")
    arms = [traffic.converse(number + n)[0] for n in range(300)]
    assert arms.count("short") == pytest.approx(270, abs=25)
    assert "control" not in arms


def test_a_harmful_variant_is_gone_by_itself_within_conversations_too(draft):
    traffic = Traffic(started(draft, START, "ann"), {"control": 0.7, "short": 0.3})
    number = 0
    while traffic.experiment.status == "running":
        traffic.converse(number)
        number += 1
        assert number < 500

    assert traffic.experiment.status == "rolled_back"
    assert "it is worse" in traffic.experiment.steps[-2].why
    assert traffic.converse(number) == [None, None, None]
    assert traffic.tally.judged == number
