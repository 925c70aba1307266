"""Documents as rows of a sparse matrix, a row a window, read just as the detector reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from llmproxy_core.anomaly.wording import windows
from llmproxy_core.anomaly.wording.concepts import read_lexicon
from llmproxy_core.anomaly.wording.folding import folded, make_table
from llmproxy_core.anomaly.wording.grams import CONCEPTS, LETTERS, SLOTS, grams
from llmproxy_core.anomaly.wording.model import ROOM
from llmproxy_core.anomaly.wording.tokens import Alphabet
from training.injection.corpus import Document

type Floats = NDArray[np.float64]

WEIGHT = np.array([1.0, 1.2, 1.0])
"""How much words, letters and concepts count beside each other when weights are kept small."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How much the windows around the worst one count beside it, and what each e-fold of windows
    takes from it, in the logits of a fit."""

    context: float
    excuse: float


@dataclass(frozen=True, slots=True)
class Instances:
    """`rows` of document i are `starts[i]:starts[i + 1]`. Documents without words are left out."""

    documents: list[Document]
    rows: sparse.csr_matrix
    starts: NDArray[np.int64]


class Reader:
    """What the shipped model has, made from scratch."""

    def __init__(self) -> None:
        self.table = make_table()
        self.alphabet = Alphabet(ROOM)
        self.lexicon = read_lexicon(self.alphabet, self.table)

    def instances(self, documents: Sequence[Document]) -> Instances:
        """The windows of the first piece of each document."""
        kept: list[Document] = []
        slots, shares, lengths, counts = [], [], [], []
        for document in documents:
            codes, _ = folded(document.text[:ROOM], self.table)
            seen = windows.seen(grams(codes, self.alphabet, self.lexicon)) if codes.size else None
            if seen is None or not seen.slots.size:
                continue
            kept.append(document)
            slots.append(seen.slots.astype(np.int32))
            kinds = (seen.slots >= LETTERS).astype(np.int64) + (seen.slots >= CONCEPTS)
            shares.append((seen.shares * WEIGHT[kinds]).astype(np.float32))
            lengths.append(np.bincount(seen.windows, minlength=seen.count))
            counts.append(seen.count)
        pointers = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
        rows = sparse.csr_matrix(
            (np.concatenate(shares), np.concatenate(slots), pointers),
            shape=(pointers.size - 1, SLOTS),
        )
        return Instances(kept, rows, np.concatenate(([0], np.cumsum(counts))))


def opinions(logits: Floats, starts: NDArray[np.int64], habits: Habits) -> Floats:
    """Of each document the worst window in its context, as `Model.opinion` has it."""
    return np.array(
        [
            windows.in_context(logits[start:end], habits.context).max()
            - windows.excuse(int(end - start), habits.excuse)
            for start, end in pairwise(starts)
        ]
    )
