"""A text as words: runs of letters and digits; a Chinese or Japanese character is a word."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.folding import Codes, Places, leet_table

type Hashes = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)
_OTHER, _LETTER, _DIGIT, _IDEOGRAPH, _SIGN = range(5)
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
        self.kinds = np.full(0x10000, _OTHER, np.uint8)
        self.kinds[[code for code in range(0x10000) if chr(code).isalpha()]] = _LETTER
        self.kinds[ord("0") : ord("9") + 1] = _DIGIT
        for first, last in ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF)):
            self.kinds[first : last + 1] = _IDEOGRAPH
        self.kinds[[ord(c) for c in "$!|"]] = _SIGN
        self.ends = np.zeros(0x10000, np.bool_)
        self.ends[[ord(c) for c in _ENDS]] = True
        self.leet = leet_table()
        self.powers = _powers(_BASE, room + 1)
        self.inverses = _powers(pow(_BASE, -1, 1 << 64), room + 1)

    def tokens(self, codes: Codes) -> Tokens:
        """The words of folded codes, digits and signs inside words read as the letters meant."""
        kinds = self.kinds[codes]
        inside = (kinds == _LETTER) | (kinds == _DIGIT)
        if (kinds == _SIGN).any():
            inside |= _joining(kinds)
        codes, inside = self._without_leet(codes, kinds, inside)
        ideographs = kinds == _IDEOGRAPH
        opens, closes = inside.copy(), inside.copy()
        opens[1:] &= ~inside[:-1]
        closes[:-1] &= ~inside[1:]
        starts = np.flatnonzero(opens | ideographs)
        ends = np.flatnonzero(closes | ideographs) + 1
        return Tokens(
            codes,
            starts,
            ends,
            ideographs[starts],
            self._openings(codes, starts, ends),
            (starts > 1) & (codes[starts - 1] == 0x40),
        )

    def _without_leet(
        self, codes: Codes, kinds: NDArray[np.uint8], inside: NDArray[np.bool_]
    ) -> tuple[Codes, NDArray[np.bool_]]:
        """A digit or sign that has a letter beside it, in the same word, is that letter."""
        odd = inside & (kinds != _LETTER)
        letters = kinds == _LETTER
        beside = np.zeros(codes.size, np.bool_)
        beside[1:] |= letters[:-1]
        beside[:-1] |= letters[1:]
        places = np.flatnonzero(odd & beside)
        if places.size:
            codes = codes.copy()
            codes[places] = self.leet[codes[places]]
        return codes, inside

    def _openings(self, codes: Codes, starts: Places, ends: Places) -> NDArray[np.bool_]:
        """Words that have the end of a sentence or line between them and the word before."""
        count = np.zeros(codes.size + 1, np.int32)
        np.cumsum(self.ends[codes], out=count[1:])
        before = np.zeros(starts.size, np.int64)
        before[1:] = ends[:-1]
        found: NDArray[np.bool_] = count[starts] > count[before]
        found[:1] = True
        return found

    def rolled(self, codes: Codes) -> Hashes:
        """Sums from which `between` takes the hash of any run of characters."""
        sums = np.zeros(codes.size + 1, np.uint64)
        np.cumsum(codes * self.powers[: codes.size], out=sums[1:])
        return sums

    def between(self, sums: Hashes, starts: Places, ends: Places) -> Hashes:
        """The hash of each run of characters, the same wherever it stands."""
        return mixed((sums[ends] - sums[starts]) * self.inverses[starts])


def _joining(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Signs between two letters, as in `pa$$word`; not a last `!`."""
    signs = kinds == _SIGN
    word = (kinds == _LETTER) | signs
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
    hashes = (hashes ^ (hashes >> _SHIFT)) * _MIX
    return hashes ^ (hashes >> _SHIFT)
