"""Packed pieces, and the lexicons that some of them need."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.hashing import content_hash
from llmproxy_core.spans.lexicons import DEEPEST, FIRST, LATER, Lexicons
from llmproxy_core.spans.packing import Packer, Unpacker


class Shelf:
    """Where packed pieces are kept."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes] = {}
        self.lexicons = Lexicons()
        self.packer = Packer()

    def put(self, data: bytes) -> bytes:
        digest = content_hash(data)
        self.stored[digest] = self.packer.pack(data, self.lexicons.current)
        if made := self.lexicons.add(digest, data):
            self.stored[made.digest] = self.packer.pack(made.listing)
        return digest

    def get(self, *digests: bytes) -> list[bytes]:
        found = Unpacker(self.fetch).pieces(set(digests))
        return [found[digest] for digest in digests]

    def fetch(self, hashes: set[bytes]) -> dict[bytes, bytes]:
        return {one: self.stored[one] for one in hashes if one in self.stored}


def words(dice: random.Random, size: int) -> bytes:
    return b" ".join(b"%x" % (dice.getrandbits(8) ** 2) for _ in range(size))


@given(st.binary(max_size=3000), st.integers(1, 20))
def test_what_is_packed_comes_back(data, times):
    packed = Packer().pack(data * times)
    assert len(packed) <= len(data) * times + 1
    assert Unpacker(lambda _: {}).unpack(packed) == data * times


def test_a_session_that_repeats_itself_is_packed_with_what_it_said():
    shelf, dice = Shelf(), random.Random(1)
    said = [words(dice, 300) for _ in range(120)]
    for data in said:
        shelf.put(data)
    mixed = b" ".join(dice.choice(said)[:200] for _ in range(20))
    digest = shelf.put(mixed)
    assert len(shelf.stored[digest]) < 0.7 * len(Packer().pack(mixed))
    assert shelf.get(digest) == [mixed]


def test_pieces_come_back_through_all_generations_of_lexicons():
    shelf, dice = Shelf(), random.Random(2)
    said = {shelf.put(data): data for data in (words(dice, 600) for _ in range(700))}
    assert sum(map(len, said.values())) > FIRST + DEEPEST * LATER
    assert shelf.get(*said) == list(said.values())
    for digest, data in random.Random(3).sample(list(said.items()), 20):
        assert shelf.get(digest) == [data]


def test_a_piece_that_is_missing_is_named():
    with pytest.raises(KeyError) as told:
        Shelf().get(bytes(16))
    assert told.value.args == (bytes(16),)


@given(st.binary(max_size=60))
def test_damaged_pieces_raise_nothing_unexpected(data):
    shelf = Shelf()
    shelf.stored[bytes(16)] = data
    with contextlib.suppress(ValueError, KeyError):
        shelf.get(bytes(16))
