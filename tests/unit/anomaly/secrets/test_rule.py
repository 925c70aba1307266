"""Every rule finds what it is for."""

import random

import pytest

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.detector import Secrets, all_rules
from llmproxy_core.anomaly.secrets.rule import Rule, rules
from tests.unit.anomaly.secrets.secret_samples import name, sample

PLACES = (
    '{name}_key="{value}"',
    "export {NAME}_API_KEY={value}\n",
    '{{"{name}_secret": "{value}"}}',
    "here is the {name}_token you asked for: {value} ",
    'curl -H "{name}_token: {value}" https://api.acme.test/v1/me\n',
    'client = Client({name}_key="{value}")',
)
SECRETS = Secrets()
SAMPLES = 8
OWN_TESTS = {"private-key", "putty-private-key"}
SAMPLED = [rule for rule in rules() if rule.kind != "placed" and rule.id not in OWN_TESTS]


def hits(rule: Rule, rng: random.Random) -> tuple[int, int]:
    """Of how many texts with a value of the rule it was found in how many."""
    found = asked = 0
    for _ in range(SAMPLES):
        value, called = sample(rule, rng), name(rule, rng) or "the"
        for place in PLACES:
            text = place.format(name=called, NAME=called.upper(), value=value)
            start = text.index(value)
            asked += 1
            found += any(
                one.start <= start + 1 and one.end >= start + len(value) - 2
                for one in SECRETS.find(Text(text))
            )
    return asked, found


def test_values_of_all_rules_are_found_in_999_of_1000_places():
    rng = random.Random(5)
    asked, found = map(sum, zip(*(hits(rule, rng) for rule in SAMPLED), strict=True))
    assert found / asked >= 0.999


@pytest.mark.parametrize("rule", SAMPLED, ids=lambda rule: rule.id)
def test_a_rule_finds_nine_of_ten_values_made_for_it(rule: Rule):
    asked, found = hits(rule, random.Random(rule.id))
    assert found >= 0.9 * asked


def test_there_are_more_than_two_hundred_rules_each_with_its_own_name():
    ids = [rule.id for rule in all_rules()]
    assert len(ids) == len(set(ids)) > 200


def test_hyperscan_takes_every_trigger():
    hyperscan = pytest.importorskip("hyperscan", reason="it has no wheels for this machine")
    for rule in all_rules():
        hyperscan.Database().compile(expressions=[rule.trigger])  # raises what it cannot read


def test_a_rule_says_by_which_words_it_can_be_told_that_it_has_nothing():
    rng = random.Random(7)
    for rule in SAMPLED:
        text = f"{name(rule, rng)}_key={sample(rule, rng)}".lower().encode()
        assert any(word in text for word in rule.words), rule.id
