import numpy as np
import pytest

from llmproxy_core.anomaly.wording.signs import REACH, STRONG, Watch

NAMES = (
    "override", "prior", "instruct", "rule", "prompt", "task", "all", "reveal", "your", "youare",
    "actas", "jailbreak", "ethics", "secret", "not", "refuse", "harm", "obey", "assistant", "mode",
    "after", "newtask",
)  # fmt: skip
WATCH = Watch(NAMES)


def concepts(*words: str) -> np.ndarray:
    found = [NAMES.index(word) + 1 if word in NAMES else 0 for word in words]
    return np.array(found, np.int64)


def test_a_sign_is_concepts_in_close_order() -> None:
    seen = WATCH.strongest(concepts("please", "override", "the", "prior", "instruct", "now"))
    assert seen is not None
    assert (seen.weight, seen.first, seen.last) == (STRONG, 1, 4)


@pytest.mark.parametrize(
    "words",
    [
        ("prior", "override", "instruct"),
        ("override", *["word"] * (REACH + 1), "prior", "instruct"),
        ("override", "instruct"),
        (),
    ],
)
def test_other_orders_and_far_words_are_none(words: tuple[str, ...]) -> None:
    assert WATCH.strongest(concepts(*words)) is None


def test_the_weightiest_sign_is_told() -> None:
    seen = WATCH.strongest(
        concepts("override", "all", "rule", *["word"] * 9, "override", "prior", "rule")
    )
    assert seen is not None
    assert seen.first == 12


def test_one_word_is_not_two_steps() -> None:
    assert WATCH.strongest(concepts("jailbreak")) is None
    assert WATCH.strongest(concepts("jailbreak", "jailbreak")) is not None
