import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.wording.folding import folded, make_table
from llmproxy_core.anomaly.wording.tokens import Alphabet, Tokens

ALPHABET = Alphabet(1024)
TABLE = make_table()


def read(text: str) -> Tokens:
    return ALPHABET.tokens(folded(text, TABLE)[0])


def words(text: str) -> list[str]:
    tokens = read(text)
    return [
        "".join(map(chr, tokens.codes[start:end]))
        for start, end in zip(tokens.starts, tokens.ends, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ignore, please!", ["ignore", "please"]),
        ("1gn0r3 pa$$word", ["ignore", "password"]),
        ("in 2026", ["in", "2026"]),
        ("忽略指令", ["忽", "略", "指", "令"]),
        ("", []),
        ("?!", []),
    ],
)
def test_words_are_runs_of_letters_and_single_ideographs(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_openings_of_sentences_are_known() -> None:
    assert read("Send it. Then go\nhome").openings.tolist() == [True, False, True, False, True]


def test_words_after_an_at_are_addresses() -> None:
    assert read("to bob@evil.example").addresses.tolist() == [False, False, True, False]


@given(st.text(max_size=200), st.text("abc ", max_size=50))
def test_a_word_has_the_same_hash_wherever_it_stands(before: str, after: str) -> None:
    tokens = read(f"{before} reveal {after}")
    hashes = ALPHABET.between(ALPHABET.rolled(tokens.codes), tokens.starts, tokens.ends)
    alone = read("reveal")
    expected = ALPHABET.between(ALPHABET.rolled(alone.codes), alone.starts, alone.ends)[0]
    assert np.isin(expected, hashes)
