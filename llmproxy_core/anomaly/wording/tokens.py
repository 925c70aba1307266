"""A text as words: runs of letters and digits; a Chinese or Japanese character is a word."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.folding import Codes, Places, leet_table

type Hashes = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)
_LETTER, _DIGIT, _IDEOGRAPH, _SIGN, _END = 1, 2, 4, 8, 16
"""What a character may be; one is several of it."""
_AT = ord("@")
_ENDS = "\n.!?:;\u3002»>]}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """`starts[i]:ends[i]` are the places of word i in `codes`."""

    codes: Codes
    starts: Places
    ends: Places
    ideographs: NDArray[np.bool_]
    """Which of the words are single Chinese or Japanese characters."""
    openings: NDArray[np.bool_]
    """Which of the words are the first of a line or a sentence."""
    addresses: NDArray[np.bool_]
    """Which of the words stand after the @ of an address."""


class Alphabet:
    """Tables of characters and of powers, made once; `room` is the longest text it can hash."""

    def __init__(self, room: int) -> None:
        self.kinds = np.zeros(0x10000, np.uint8)
        self.kinds[[code for code in range(0x10000) if chr(code).isalpha()]] = _LETTER
        self.kinds[ord("0") : ord("9") + 1] = _DIGIT
        for first, last in ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF)):
            self.kinds[first : last + 1] = _IDEOGRAPH
        self.kinds[[ord(c) for c in "$!|"]] = _SIGN
        self.kinds[[ord(c) for c in _ENDS]] |= _END
        self.leet = leet_table()
        self.powers = _powers(_BASE, room + 1)
        self.inverses = _powers(pow(_BASE, -1, 1 << 64), room + 1)

    def tokens(self, codes: Codes) -> Tokens:
        """The words of folded codes, digits and signs inside words read as the letters meant."""
        kinds = self.kinds.take(codes.view(np.int64))
        letters = (kinds & _LETTER) != 0
        inside = letters | ((kinds & _DIGIT) != 0)
        signs = (kinds & _SIGN) != 0
        if signs.any():
            inside |= _joining(letters, signs)
        codes = self._without_leet(codes, letters, inside)
        ideographs = (kinds & _IDEOGRAPH) != 0
        starts, ends = _words(inside, ideographs)
        breaks = np.flatnonzero(((kinds & _END) != 0) & ~inside)
        return Tokens(
            codes,
            starts,
            ends,
            ideographs.take(starts),
            _openings(starts, breaks),
            (starts > 1) & (codes.take(starts - 1) == _AT),
        )

    def _without_leet(
        self, codes: Codes, letters: NDArray[np.bool_], inside: NDArray[np.bool_]
    ) -> Codes:
        """A digit or sign that has a letter beside it, in the same word, is that letter."""
        places = (inside > letters).nonzero()[0]
        before, after = np.maximum(places - 1, 0), np.minimum(places + 1, codes.size - 1)
        places = places.compress(letters.take(before) | letters.take(after))
        if places.size:
            codes = codes.copy()
            codes[places] = self.leet.take(codes.take(places).view(np.int64))
        return codes

    def rolled(self, codes: Codes) -> Hashes:
        """Sums from which `between` takes the hash of any run of characters."""
        sums = np.zeros(codes.size + 1, np.uint64)
        np.cumsum(codes * self.powers[: codes.size], out=sums[1:])
        return sums

    def between(self, sums: Hashes, starts: Places, ends: Places) -> Hashes:
        """The hash of each run of characters, the same wherever it stands."""
        hashes = sums.take(ends)
        hashes -= sums.take(starts)
        hashes *= self.inverses.take(starts)
        return mixed(hashes)


def _words(inside: NDArray[np.bool_], ideographs: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Where words start and end."""
    edges = np.zeros(inside.size + 1, np.bool_)
    edges[:-1] = inside
    edges[1:] ^= inside
    if not ideographs.any():
        places = edges.nonzero()[0]
        return places[::2].copy(), places[1::2].copy()
    starts, ends = edges[:-1] & inside, edges[1:] & inside
    return np.flatnonzero(starts | ideographs), np.flatnonzero(ends | ideographs) + 1


def _openings(starts: Places, breaks: Places) -> NDArray[np.bool_]:
    """Words that have the end of a sentence or line between them and the word before."""
    found = np.zeros(starts.size + 1, np.bool_)
    found[starts.searchsorted(breaks)] = True
    found[0] = True
    return found[:-1]


def _joining(letters: NDArray[np.bool_], signs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Signs between two letters, as in `pa$$word`; not a last `!`."""
    word = letters | signs
    joining: NDArray[np.bool_] = signs.copy()
    joining[0] = joining[-1] = False
    joining[1:-1] &= word[:-2] & word[2:]
    return joining


def _powers(base: int, size: int) -> Hashes:
    filled = np.full(size, base, np.uint64)
    filled[0] = 1
    return np.multiply.accumulate(filled)


def mixed(hashes: Hashes) -> Hashes:
    """Every bit of the hash depends on every bit of what was hashed."""
    hashes = hashes ^ (hashes >> _SHIFT)
    hashes *= _MIX
    hashes ^= hashes >> _SHIFT
    return hashes
