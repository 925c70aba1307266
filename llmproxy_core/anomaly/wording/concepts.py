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
_SIEVE = np.uint64(0xFFFF)


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
        lengths = tokens.ends - tokens.starts
        room = np.where(tokens.ideographs, tokens.codes.size - tokens.starts, lengths)
        stems = np.array(self.stems, np.int64)
        which, rows = np.nonzero(room >= stems[:, None])
        starts = tokens.starts[rows]
        hashes = (
            alphabet.between(sums, starts, starts + stems[which]),
            words ^ _WORD,
            joined(words),
        )
        every = np.arange(words.size)
        found = np.zeros(words.size, np.int64)
        self._look_up(found, np.concatenate(hashes), np.concatenate((rows, every, every[:-1])))
        return found

    def _look_up(self, found: Places, hashes: Hashes, rows: Places) -> None:
        """Notes the concepts of the hashes that are keys; of several of a row the last."""
        hits = np.flatnonzero(self.sieve[hashes & _SIEVE])
        slots = np.searchsorted(self.keys, hashes[hits])
        slots[slots == self.keys.size] = 0
        same = self.keys[slots] == hashes[hits]
        found[rows[hits[same]]] = self.concepts[slots[same]]


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
    sieve = np.zeros(int(_SIEVE) + 1, np.bool_)
    sieve[keys & _SIEVE] = True
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
