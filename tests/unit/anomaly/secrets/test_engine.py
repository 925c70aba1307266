"""With hyperscan and without it the same is found."""

import random
import sys
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.detector import Secrets, all_rules
from llmproxy_core.anomaly.secrets.engine import Hyperscan, Words, engine
from tests.unit.anomaly.guard_corpus import rows
from tests.unit.anomaly.secrets.leaky_files import leaks
from tests.unit.anomaly.secrets.lookalike_texts import lookalikes
from tests.unit.anomaly.secrets.secret_samples import name, sample
from tests.unit.anomaly.secrets.test_rule import SAMPLED

pytest.importorskip("hyperscan", reason="it has no wheels for this machine")
FAST, SLOW = Secrets(Hyperscan(all_rules())), Secrets(Words(all_rules()))


def agree(text: str) -> None:
    assert SLOW.find(Text(text)) == FAST.find(Text(text))


def test_both_find_the_same_in_what_people_leak_and_what_looks_like_it():
    for seed in range(3):
        for text in [*(leak.text for leak in leaks(seed)), *lookalikes(seed)]:
            agree(text)


def test_both_find_the_same_values_of_every_rule():
    rng = random.Random(11)
    for rule in SAMPLED:
        agree(f'see {name(rule, rng) or "the"}_key: "{sample(rule, rng)}" and so on')


def test_both_find_the_same_in_the_corpus():
    for row in rows("generated from gitleaks rules", "gitleaks declared", "secret look-alikes"):
        agree(str(row["text"]))


@given(
    st.lists(
        st.sampled_from(["key", "=", " ", '"', "pass", "AKIA", "a1B2c3D4e5", "://", "@", "\n"])
    )
)
def test_both_find_the_same_in_scraps(scraps: list[str]):
    agree("".join(scraps))


def test_a_machine_without_hyperscan_gets_the_other():
    with mock.patch.dict(sys.modules, {"hyperscan": None}):
        assert isinstance(engine(all_rules()), Words)
    assert isinstance(engine(all_rules()), Hyperscan)


@pytest.mark.parametrize("text", ["", "a", "\x00" * 50])
def test_nothing_is_found_in_nothing(text: str):
    agree(text)
