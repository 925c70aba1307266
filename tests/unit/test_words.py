import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.words import (
    LONGEST,
    MOST,
    hashed,
    holds,
    low_half,
    packed,
    short,
    words,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Parse the JSON-file!", {"parse", "json", "file"}),
        ("read_file(path=/etc/hosts)", {"read", "file", "path", "etc", "hosts"}),
        ("getUserName 3.14", {"getusername", "14"}),
        ("Grüße aus KÖLN", {"grüße", "aus", "köln"}),
        ("天気予報 today", {"天気", "気予", "予報", "today"}),
        ("雨 rain", {"rain", "雨"}),
        ("ﬁne", {"fine"}),
        ("the of and", set()),
        ("", set()),
    ],
)
def test_a_text_has_these_words(text: str, found: set[str]) -> None:
    assert {word.decode() for word in words(text)} == found


def test_blobs_and_endless_words_are_left_out() -> None:
    assert words("see " + "QUJD/" * 100 + " end " + "x" * (LONGEST + 1)) == {b"see", b"end"}


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(1 < len(word) <= LONGEST for word in words(text))


@given(st.text())
def test_case_makes_no_difference_in_ascii(text: str) -> None:
    plain = text.encode("ascii", "replace").decode()
    assert words(plain.upper()) == words(plain.lower())


@given(st.text(), st.text())
def test_the_words_of_two_texts_are_those_of_both(one: str, other: str) -> None:
    assert words(f"{one}\n{other}") == words(one) | words(other)


@given(st.sets(st.binary(min_size=1)))
def test_hashes_are_sorted_and_fit_into_four_bytes(found: set[bytes]) -> None:
    numbers = hashed(found)
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= MOST
    assert all(-(2**31) <= number < 2**31 for number in numbers)


hashes = st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 2**20), max_size=400)


@given(hashes, hashes)
def test_packed_words_are_found_and_no_others(found: list[int], others: list[int]) -> None:
    data = packed(sorted(found))
    there = set(map(short, found))
    assert all(holds(data, word) and low_half(word) in data for word in found)
    assert not any(holds(data, word) for word in others if short(word) not in there)


def test_packed_words_take_eighteen_bits_each() -> None:
    assert len(packed(hashed(b"word%d" % n for n in range(250)))) < 250 * 18 / 8 + 8
