"""Multiple-instance learning: a linear model that judges windows, learnt from whole documents.

A document that is an attack need have one bad window only. Rounds alternate between scoring the
windows and fitting again, with the weight of an attack on its worst windows. Half of the weight
of attacks goes to the made ones. What the sources call attacks is taken for one only where a
model that learnt from made attacks finds it worse than most harmless texts: some sources count
plain requests as attacks.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier

from training.injection.corpus import Document
from training.injection.instances import Habits, Instances, opinions

type Floats = NDArray[np.float64]
type Numbers = NDArray[np.int64]

PENALTY = 1e-5
EPOCHS = 5
SAMPLED, WORST = 5, 3
"""Windows of a document that a round looks at: so many at random, and so many of the worst."""
DOUBT = 0.97
"""The share of harmless texts that an attack must be worse than to be learnt from."""
MADE_SHARE = 0.5
SEED = 0
DOUBTING = Habits(context=1.0, excuse=0.0, sign=20.0)


@dataclass(frozen=True, slots=True)
class Linear:
    """Of a window: rows @ weights + bias."""

    weights: Floats
    bias: float

    def windows(self, instances: Instances) -> Floats:
        logits: Floats = instances.rows @ self.weights + self.bias
        return logits

    def opinions(self, instances: Instances, habits: Habits) -> Floats:
        return opinions(self.windows(instances), instances, habits)


@dataclass(frozen=True, slots=True)
class Part:
    """Some documents of the instances."""

    instances: Instances
    chosen: Numbers

    @property
    def documents(self) -> list[Document]:
        return [self.instances.documents[at] for at in self.chosen]


def taught(harmless: Sequence[Part], made: Part) -> Linear:
    """A model from harmless texts and made ones alone."""
    parts = [*harmless, made]
    return _round(parts, _round(parts, None))


def learnt(harmless: Sequence[Part], made: Part, attacks: Part, teacher: Linear) -> Linear:
    """The same with the attacks of the corpus that the teacher does not doubt."""
    least = np.quantile(
        np.concatenate([teacher.opinions(one.instances, DOUBTING)[one.chosen] for one in harmless]),
        DOUBT,
    )
    sure = teacher.opinions(attacks.instances, DOUBTING)[attacks.chosen] > least
    parts = [*harmless, made, Part(attacks.instances, attacks.chosen[sure])]
    return _round(parts, teacher)


def _round(parts: Sequence[Part], before: Linear | None) -> Linear:
    dice = np.random.default_rng(SEED)
    rows, owners, logits, first = [], [], [], 0
    for part in parts:
        given = before.windows(part.instances) if before else None
        picked, owner = _picked(part, given, dice)
        rows.append(part.instances.rows[picked])
        owners.append(owner + first)
        logits.append(given[picked] if given is not None else np.zeros(picked.size))
        first += part.chosen.size
    documents = [one for part in parts for one in part.documents]
    owner = np.concatenate(owners)
    weights = _shared(document_weights(documents), owner, np.concatenate(logits), documents)
    labels = np.array([one.attack for one in documents])[owner]
    return _fit(sparse.vstack(rows, format="csr"), labels, weights)


def _picked(
    part: Part, logits: Floats | None, dice: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Rows of windows, and for each the number of its document within the part."""
    rows: list[int] = []
    owners: list[int] = []
    for number, at in enumerate(part.chosen):
        start, end = part.instances.starts[at : at + 2]
        if end - start <= SAMPLED:
            found = set(range(start, end))
        else:
            found = set(start + dice.choice(end - start, SAMPLED, replace=False))
            if logits is not None:
                found |= set(start + np.argsort(-logits[start:end], kind="stable")[:WORST])
        rows += sorted(int(one) for one in found)
        owners += [number] * len(found)
    return np.array(rows, np.int64), np.array(owners, np.int64)


def document_weights(documents: Sequence[Document]) -> Floats:
    """By the root of a source's size, so that large sources do not drown small ones."""
    sizes = Counter((one.source, one.attack) for one in documents)
    weights = np.array([sizes[one.source, one.attack] ** -0.5 for one in documents])
    attack = np.array([one.attack for one in documents])
    made = np.array([one.source.startswith("made") for one in documents])
    for label in (False, True):
        real, grown = (attack == label) & ~made, (attack == label) & made
        share = MADE_SHARE if real.any() and grown.any() else 1.0
        for chosen, part in ((real, 1 - share if grown.any() else 1.0), (grown, share)):
            if chosen.any():
                weights[chosen] *= part / weights[chosen].sum()
    return weights * len(documents) / 2


def _shared(weights: Floats, owner: Numbers, logits: Floats, documents: list[Document]) -> Floats:
    """Each document's weight among its windows: of attacks on the worst, of others half so."""
    evenly = 1.0 / np.bincount(owner, minlength=weights.size)[owner]
    odds = np.exp(np.clip(logits, -20, 20))
    worst = odds / np.bincount(owner, odds, minlength=weights.size)[owner]
    attack = np.array([one.attack for one in documents])[owner]
    found: Floats = weights[owner] * np.where(attack, worst, (worst + evenly) / 2)
    return found


def _fit(rows: sparse.csr_matrix, labels: NDArray[np.bool_], weights: Floats) -> Linear:
    fit = SGDClassifier(
        loss="log_loss", alpha=PENALTY, max_iter=EPOCHS, tol=None, random_state=SEED, average=True
    ).fit(rows, labels, sample_weight=weights * (weights.size / weights.sum()))
    return Linear(fit.coef_[0], float(fit.intercept_[0]))
