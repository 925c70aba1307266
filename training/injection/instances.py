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
from llmproxy_core.anomaly.wording.signs import Watch
from llmproxy_core.anomaly.wording.tokens import Alphabet
from training.injection.corpus import Document

type Floats = NDArray[np.float64]

WEIGHT = np.array([1.0, 1.2, 1.0])
"""How much words, letters and concepts count beside each other when weights are kept small."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How much the windows around the worst one count beside it, what each e-fold of windows takes
    from it, and what a strong sign adds; in the logits of a fit."""

    context: float
    excuse: float
    sign: float


@dataclass(frozen=True, slots=True)
class Instances:
    """`rows` of document i are `starts[i]:starts[i + 1]`; `signs` are the weights of the strongest
    signs in each. Documents without words are left out."""

    documents: list[Document]
    rows: sparse.csr_matrix
    starts: NDArray[np.int64]
    signs: Floats


class Reader:
    """What the shipped model has, made from scratch."""

    def __init__(self) -> None:
        self.table = make_table()
        self.alphabet = Alphabet(ROOM)
        self.lexicon = read_lexicon(self.alphabet, self.table)
        self.watch = Watch(self.lexicon.names)

    def instances(self, documents: Sequence[Document]) -> Instances:
        """The windows of the first piece of each document."""
        kept: list[Document] = []
        slots, shares, lengths, counts, signs = [], [], [], [], []
        for document in documents:
            codes, _ = folded(document.text[:ROOM], self.table)
            read = grams(codes, self.alphabet, self.lexicon)
            if not read.slots.size:
                continue
            seen = windows.seen(read)
            sign = self.watch.strongest(read.concepts)
            kept.append(document)
            slots.append(seen.slots)
            kinds = (seen.slots >= LETTERS).astype(np.int64) + (seen.slots >= CONCEPTS)
            shares.append((seen.shares * WEIGHT[kinds]).astype(np.float32))
            lengths.append(np.bincount(seen.windows, minlength=seen.count))
            counts.append(seen.count)
            signs.append(sign.weight if sign else 0.0)
        pointers = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
        rows = sparse.csr_matrix(
            (np.concatenate(shares), np.concatenate(slots), pointers),
            shape=(pointers.size - 1, SLOTS),
        )
        starts = np.concatenate(([0], np.cumsum(counts)))
        return Instances(kept, rows, starts, np.array(signs))


def opinions(logits: Floats, instances: Instances, habits: Habits) -> Floats:
    """Of each document the worst window in its context and the signs, as `Model.opinion` has it."""
    worst = np.array(
        [
            windows.in_context(logits[start:end], habits.context).max()
            - windows.excuse(int(end - start), habits.excuse)
            for start, end in pairwise(instances.starts)
        ]
    )
    return worst + habits.sign * instances.signs
