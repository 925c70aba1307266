"""Words of many languages that mean the same to an attack, as one concept.

`concepts.txt` is read when the model is trained; what comes of it is shipped with the model.
"""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.folding import Places, folded
from llmproxy_core.anomaly.wording.tokens import Alphabet, Hashes, Tokens, mixed

_WORD = np.uint64(0x51ED270B9F7E3A11)
_NEXT = np.uint64(0xA24BAED4963EE407)
_LONGEST_STEM = 8


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`keys` are sorted hashes; `concepts` the number of the concept of each, from 1."""

    names: tuple[str, ...]
    keys: Hashes
    concepts: NDArray[np.uint8]
    stems: tuple[int, ...]
    """How many letters the stems have; 0 stands for whole words."""
    sieve: NDArray[np.bool_]
    """Low bits that some key has: most words are put aside by a look at it."""

    def concepts_of(
        self, alphabet: Alphabet, tokens: Tokens, words: Hashes, sums: Hashes
    ) -> Places:
        """For each word the number of its concept, 0 for none; longer matches come first."""
        room = tokens.ends - tokens.starts
        if tokens.ideographs.any():
            room = np.where(tokens.ideographs, tokens.codes.size - tokens.starts, room)
        every = np.arange(words.size)
        looked = (
            self._stems(alphabet, tokens.starts, room, sums),
            self._sieved(words ^ _WORD, every),
            self._sieved(joined(words), every),
        )
        hashes, rows = (np.concatenate(parts) for parts in zip(*looked, strict=True))
        return self._noted(words.size, hashes, rows)

    def _stems(
        self, alphabet: Alphabet, starts: Places, room: Places, sums: Hashes
    ) -> tuple[Hashes, Places]:
        """What may be keys among the stems of the words, and the word of each."""
        lengths = np.array(self.stems, np.int64)
        hashes = sums.take(starts + lengths[:, None], mode="clip")
        hashes -= sums.take(starts)
        hashes *= alphabet.inverses.take(starts)
        hashes = mixed(hashes)
        hits = self.sieve.take(hashes.astype(np.uint16)).ravel().nonzero()[0]
        which, rows = np.divmod(hits, max(1, starts.size))
        fits = room.take(rows) >= lengths.take(which)
        return hashes.take(hits).compress(fits), rows.compress(fits)

    def _sieved(self, hashes: Hashes, rows: Places) -> tuple[Hashes, Places]:
        hits = self.sieve.take(hashes.astype(np.uint16)).nonzero()[0]
        return hashes.take(hits), rows.take(hits)

    def _noted(self, words: int, hashes: Hashes, rows: Places) -> Places:
        """The concepts of the hashes that are keys; of several of a row the last."""
        found = np.zeros(words, np.int64)
        slots = self.keys.searchsorted(hashes)
        slots[slots == self.keys.size] = 0
        same = (self.keys.take(slots) == hashes).nonzero()[0]
        found[rows.take(same)] = self.concepts.take(slots.take(same))
        return found


def joined(words: Hashes) -> Hashes:
    """The hash of each word with the next one."""
    return mixed(words[:-1] * _NEXT + words[1:])


def read_lexicon(alphabet: Alphabet, table: NDArray[np.uint16]) -> Lexicon:
    """The lexicon of `concepts.txt`."""
    text = (files("llmproxy_core.anomaly.wording") / "concepts.txt").read_text("utf-8")
    names: list[str] = []
    entries: dict[int, int] = {}
    stems: set[int] = set()
    for line in text.splitlines():
        name, _, words = line.partition(":")
        if line.startswith("#"):
            continue
        names.append(name)
        for word in words.split():
            key, stem = _key(word, alphabet, table)
            entries.setdefault(key, len(names))
            stems.add(stem)
    keys = np.array(sorted(entries), np.uint64)
    concepts = np.array([entries[int(key)] for key in keys], np.uint8)
    return lexicon_of(tuple(names), keys, concepts, tuple(sorted(stems - {0})))


def lexicon_of(
    names: tuple[str, ...], keys: Hashes, concepts: NDArray[np.uint8], stems: tuple[int, ...]
) -> Lexicon:
    """The lexicon whose arrays were kept."""
    sieve = np.zeros(1 << 16, np.bool_)
    sieve[keys.astype(np.uint16)] = True
    return Lexicon(names, keys, concepts, stems, sieve)


def _key(word: str, alphabet: Alphabet, table: NDArray[np.uint16]) -> tuple[int, int]:
    """The hash that stands for an entry, and the length of its stem (0: whole words)."""
    codes, _ = folded(word.strip("*").replace("_", " "), table)
    tokens = alphabet.tokens(codes)
    sums = alphabet.rolled(tokens.codes)
    words = alphabet.between(sums, tokens.starts, tokens.ends)
    hangul = codes.size and 0xAC00 <= codes[0] <= 0xD7A3
    if tokens.ideographs.any() or hangul or word.endswith("*"):
        stem = min(codes.size, _LONGEST_STEM)
        return int(alphabet.between(sums, np.array([0]), np.array([stem]))[0]), stem
    if words.size == 1:
        return int((words ^ _WORD)[0]), 0
    return int(joined(words)[0]), 0
