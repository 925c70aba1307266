"""Windows of words, judged one by one: of an attack only some window need be bad."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.grams import BLOCK, CONCEPTS, LETTERS, Grams

SIZE, STRIDE = 2 * BLOCK, BLOCK
"""Words of a window, and from one to the next."""
WHOLE = 60
"""Words up to which a text is one window."""
MANY = 64
"""Windows beyond which a text's length is no further excuse."""
AROUND = 5
"""Windows before and after one that are looked at with it."""
_BITS = 20
"""Of a slot; the number of the window is written above them."""
_BLOCK_BITS = 12
"""Of the number of a block of words; the slot is written above them."""
_BLOCK = np.uint32((1 << _BLOCK_BITS) - 1)
_KINDS = np.array([LETTERS << _BLOCK_BITS, CONCEPTS << _BLOCK_BITS], np.uint32)
_FLOOR = np.array([8.0, 16.0, 6.0])
"""Grams of each kind at least that a sum is divided by the root of: a few weigh little."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The grams of all windows of a text, each once a window."""

    windows: NDArray[np.int32]
    slots: NDArray[np.int32]
    shares: NDArray[np.float64]
    """What each gram counts: one by the root of how many of its kind are in the window."""
    count: int


def count_of(words: int) -> int:
    """How many windows a text of so many words has."""
    return 1 if words <= WHOLE else (words - STRIDE + STRIDE - 1) // STRIDE


def seen(grams: Grams) -> Seen:
    """Every gram in the windows that its word lies in. Windows of a text: 2,047 at most."""
    count = count_of(grams.tokens.starts.size)
    if count == 1:
        keys = grams.slots.copy()
    else:
        later = np.minimum(grams.blocks, count - 1)
        both = (later > 0) & (later == grams.blocks)
        own = (later << _BITS) | grams.slots
        keys = np.concatenate((own, own[both] - (1 << _BITS)))
    keys.sort()
    fresh = np.ones(keys.size, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
    keys = keys[fresh]
    windows, slots = keys >> _BITS, keys & ((1 << _BITS) - 1)
    cells = windows * 3 + (slots >= LETTERS) + (slots >= CONCEPTS)
    counts = np.bincount(cells, minlength=3 * count).reshape(-1, 3)
    shares = (1.0 / np.sqrt(np.maximum(counts, _FLOOR))).ravel()
    return Seen(windows, slots, shares[cells], count)


def scores(grams: Grams, roots: NDArray[np.int8], bias: float) -> NDArray[np.float64]:
    """The logit of each window, where a slot with root r weighs r * |r|, and counts as in `seen`.

    Windows overlap by a half: each is two blocks, without what both of them have.
    """
    words = grams.tokens.starts.size
    count = count_of(words)
    keys = grams.slots.view(np.uint32) << _BLOCK_BITS
    if count > 1:
        keys |= grams.blocks.view(np.uint32)
    keys.sort()
    fresh = np.ones(keys.size, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
    keys = keys.compress(fresh)
    blocks = (keys & _BLOCK).astype(np.int64)
    given = roots.take(keys >> _BLOCK_BITS).astype(np.int16)
    given *= np.abs(given)
    both = np.flatnonzero(keys[1:] - keys[:-1] == 1)
    logits = np.full(count, bias)
    edges = (0, *keys.searchsorted(_KINDS), keys.size)
    shared = both.searchsorted(edges)
    for kind, floor in enumerate(_FLOOR):
        own = slice(edges[kind], edges[kind + 1])
        twice = both[shared[kind] : shared[kind + 1]]
        common = blocks.take(twice)
        counts = _apart(np.bincount(blocks[own], None, count + 1), np.bincount(common, None, count))
        sums = _apart(
            np.bincount(blocks[own], given[own], count + 1),
            np.bincount(common, given.take(twice), count),
        )
        logits += sums / np.sqrt(np.maximum(counts, floor))
    return logits


def _apart[N: (np.int64, np.float64)](blocks: NDArray[N], common: NDArray[N]) -> NDArray[N]:
    """Each block with the next one, without what both have."""
    return blocks[:-1] + blocks[1:] - common


def bounds(window: int, words: int) -> tuple[int, int]:
    """The first word of a window, and the one after its last."""
    if count_of(words) == 1:
        return 0, words
    return window * STRIDE, min(words, window * STRIDE + SIZE)


def in_context(logits: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Each window's logit plus `weight` times the mean of those around it.

    What is around counts, for a trigger word among harmless words is no attack; but only so far,
    or an attack could be hidden by much harmless text.
    """
    sums = np.concatenate(([0.0], np.cumsum(logits)))
    at = np.arange(logits.size)
    first, after = np.maximum(at - AROUND, 0), np.minimum(at + AROUND + 1, logits.size)
    means: NDArray[np.float64] = (sums[after] - sums[first]) / (after - first)
    return logits + weight * means


def excuse(count: int, weight: float) -> float:
    """What is taken from the worst of so many windows: of many, one looks bad by chance."""
    return weight * math.log(min(count, MANY))
