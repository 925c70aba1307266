"""What a linear model sees of a text: words, their neighbours, letters and concepts, hashed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.concepts import Lexicon, joined
from llmproxy_core.anomaly.wording.folding import Codes, Places
from llmproxy_core.anomaly.wording.tokens import Alphabet, Hashes, Tokens, mixed

WORD_BITS = LETTER_BITS = 18
CONCEPT_BITS = 14
_SKIP = np.uint64(0x8EBC6AF09C88C6E3)
_LETTERS = np.uint64(0xE7037ED1A0B428DB)
LETTER_RUN = 5
_REACH = 12
"""Words between two concepts that belong together, at most."""
_LONGEST = 24
"""Letters of a word that are looked at: longer ones are blobs."""

WORDS, LETTERS, CONCEPTS = 0, 1 << WORD_BITS, (1 << WORD_BITS) + (1 << LETTER_BITS)
"""Where the slots of each kind begin."""
SLOTS = CONCEPTS + (1 << CONCEPT_BITS)


@dataclass(frozen=True, slots=True)
class Grams:
    """Slots in the table of weights, and the number of the word to which each gram belongs."""

    tokens: Tokens
    slots: NDArray[np.int32]
    rows: Places
    concepts: Places
    """For each word the number of its concept, 0 for none."""


def grams(codes: Codes, alphabet: Alphabet, lexicon: Lexicon) -> Grams:
    """All grams of folded codes, of `alphabet`'s room at most."""
    tokens = alphabet.tokens(codes)
    sums = alphabet.rolled(tokens.codes)
    words = alphabet.between(sums, tokens.starts, tokens.ends)
    rows = np.arange(words.size)
    pairs, skips = joined(words), mixed(words[:-2] * _SKIP + words[2:])
    letters, letter_rows = _letters(tokens)
    found = lexicon.concepts_of(alphabet, tokens, words, sums)
    concepts, concept_rows = _concepts(found, tokens)
    slots = (
        _slots(np.concatenate((words, pairs, skips)), WORD_BITS, WORDS),
        _slots(letters, LETTER_BITS, LETTERS),
        _slots(concepts, CONCEPT_BITS, CONCEPTS),
    )
    owners = (rows, rows[:-1], rows[:-2], letter_rows, concept_rows)
    return Grams(tokens, np.concatenate(slots), np.concatenate(owners), found)


def _slots(hashes: Hashes, bits: int, first: int) -> NDArray[np.int32]:
    return (hashes >> np.uint64(64 - bits)).astype(np.int32) + np.int32(first)


def _letters(tokens: Tokens) -> tuple[Hashes, Places]:
    """Runs of letters in the words set one space apart."""
    lengths = np.minimum(tokens.ends - tokens.starts, _LONGEST)
    firsts = np.cumsum(lengths + 1) - lengths
    line = np.full(int(lengths.sum()) + lengths.size + 1, 32, np.uint64)
    rows = np.repeat(np.arange(lengths.size), lengths)
    within = np.arange(rows.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    line[firsts[rows] + within] = tokens.codes[tokens.starts[rows] + within]
    owners = np.repeat(np.arange(lengths.size), lengths + 1)
    if line.size < LETTER_RUN:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    runs = line.size - LETTER_RUN + 1
    hashes = line[:runs]
    for step in range(1, LETTER_RUN):
        hashes = hashes * _LETTERS + line[step : step + runs]
    return mixed(hashes), owners[:runs]


def _concepts(found: Places, tokens: Tokens) -> tuple[Hashes, Places]:
    """Concepts alone, at the opening of a sentence, and two or three near each other in order."""
    found = np.where(tokens.addresses, 255, found)
    rows = np.flatnonzero(found)
    kinds = found[rows].astype(np.uint64) + np.uint64(1)
    opening = tokens.openings[rows]
    hashes = [kinds, kinds[opening] + np.uint64(300)]
    owners = [rows, rows[opening]]
    for step in (1, 2, 3):
        near = rows[step:] - rows[:-step] <= _REACH
        pair = kinds[:-step] * np.uint64(1000) + kinds[step:] + np.uint64(100_000)
        hashes.append(pair[near])
        owners.append(rows[:-step][near])
        if step == 2:
            triple = pair * np.uint64(1000) + kinds[1:-1] + np.uint64(10_000_000_000)
            hashes.append(triple[near])
            owners.append(rows[:-step][near])
    return mixed(np.concatenate(hashes) * _SKIP), np.concatenate(owners)
