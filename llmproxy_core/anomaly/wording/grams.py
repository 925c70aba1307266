"""What a linear model sees of a text: words, their neighbours, letters and concepts, hashed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.concepts import Lexicon, joined
from llmproxy_core.anomaly.wording.folding import Codes, Places
from llmproxy_core.anomaly.wording.tokens import Alphabet, Hashes, Tokens, mixed

type Slots = NDArray[np.int32]
type Blocks = NDArray[np.int32]

WORD_BITS = LETTER_BITS = 18
CONCEPT_BITS = 14
_SKIP = np.uint64(0x8EBC6AF09C88C6E3)
_LETTERS = np.uint64(0xE7037ED1A0B428DB)
_LETTERS_SQUARED = np.uint64(0xE7037ED1A0B428DB**2 & 0xFFFFFFFFFFFFFFFF)
_SPACE = np.uint64(32)
LETTER_RUN = 5
BLOCK = 20
"""Words of a block; windows are made of these."""
_REACH = 12
"""Words between two concepts that belong together, at most."""
_LONGEST = 24
"""Letters of a word that are looked at: longer ones are blobs."""

WORDS, LETTERS, CONCEPTS = 0, 1 << WORD_BITS, (1 << WORD_BITS) + (1 << LETTER_BITS)
"""Where the slots of each kind begin."""
SLOTS = CONCEPTS + (1 << CONCEPT_BITS)


@dataclass(frozen=True, slots=True)
class Grams:
    """Slots in the table of weights, and the number of the block to whose words each gram belongs."""

    tokens: Tokens
    slots: Slots
    blocks: Blocks
    concepts: Places
    """For each word the number of its concept, 0 for none."""


def grams(codes: Codes, alphabet: Alphabet, lexicon: Lexicon) -> Grams:
    """All grams of folded codes, of `alphabet`'s room at most."""
    tokens = alphabet.tokens(codes)
    sums = alphabet.rolled(tokens.codes)
    words = alphabet.between(sums, tokens.starts, tokens.ends)
    blocks = np.arange(words.size, dtype=np.int32) // np.int32(BLOCK)
    pairs, skips = joined(words), mixed(words[:-2] * _SKIP + words[2:])
    letters, owners = _letters(tokens, blocks)
    found = lexicon.concepts_of(alphabet, tokens, words, sums)
    concepts, rows = _concepts(found, tokens)
    slots = (
        _slots(words, WORD_BITS, WORDS),
        _slots(pairs, WORD_BITS, WORDS),
        _slots(skips, WORD_BITS, WORDS),
        _slots(letters, LETTER_BITS, LETTERS),
        _slots(concepts, CONCEPT_BITS, CONCEPTS),
    )
    every = (blocks, blocks[:-1], blocks[:-2], owners, blocks.take(rows))
    return Grams(tokens, np.concatenate(slots), np.concatenate(every), found)


def _slots(hashes: Hashes, bits: int, first: int) -> Slots:
    slots = (hashes >> np.uint64(64 - bits)).astype(np.int32)
    slots += np.int32(first)
    return slots


def _letters(tokens: Tokens, blocks: Blocks) -> tuple[Hashes, Blocks]:
    """Runs of letters in the words set one space apart."""
    sizes = np.minimum(tokens.ends - tokens.starts, _LONGEST)
    sizes += 1
    spaces = np.cumsum(sizes)
    size = int(spaces[-1]) + 1 if spaces.size else 1
    if size < LETTER_RUN:
        return np.zeros(0, np.uint64), np.zeros(0, np.int32)
    spaces -= sizes
    places = np.repeat(tokens.starts - spaces - 1, sizes)
    places += np.arange(places.size)
    line = np.empty(size, np.uint64)
    tokens.codes.take(places, out=line[:-1], mode="clip")
    line[spaces] = line[-1] = _SPACE
    runs = size - LETTER_RUN + 1
    edges = np.minimum(np.append(spaces[::BLOCK], runs), runs)
    return mixed(_runs(line)), np.repeat(blocks[::BLOCK], edges[1:] - edges[:-1])


def _runs(line: Hashes) -> Hashes:
    """Of LETTER_RUN letters each, as a polynomial."""
    pairs = line[:-1] * _LETTERS
    pairs += line[1:]
    fours = pairs[:-2] * _LETTERS_SQUARED
    fours += pairs[2:]
    hashes = fours[:-1] * _LETTERS
    hashes += line[LETTER_RUN - 1 :]
    return hashes


def _concepts(found: Places, tokens: Tokens) -> tuple[Hashes, Places]:
    """Concepts alone, at the opening of a sentence, and two or three near each other in order."""
    if tokens.addresses.any():
        found = np.where(tokens.addresses, 255, found)
    rows = found.nonzero()[0]
    kinds = found.take(rows).astype(np.uint64)
    kinds += np.uint64(1)
    opening = np.flatnonzero(tokens.openings.take(rows))
    owners, hashes = [rows, rows.take(opening)], [kinds, kinds.take(opening) + np.uint64(300)]
    for step in (1, 2, 3):
        near = np.flatnonzero(rows[step:] - rows[:-step] <= _REACH)
        pair = kinds[:-step] * np.uint64(1000) + kinds[step:] + np.uint64(100_000)
        hashes.append(pair.take(near))
        owners.append(rows.take(near))
        if step == 2:
            triple = pair * np.uint64(1000) + kinds[1:-1] + np.uint64(10_000_000_000)
            hashes.append(triple.take(near))
            owners.append(rows.take(near))
    return mixed(np.concatenate(hashes) * _SKIP), np.concatenate(owners)
