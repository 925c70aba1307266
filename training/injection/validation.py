"""The shipped file on validation.jsonl.gz, read by the detector itself. Nothing is chosen by it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llmproxy_core.anomaly.wording.model import read_model
from training.injection.corpus import HARD, Document, read
from training.injection.measures import Caught, caught


@dataclass(frozen=True, slots=True)
class Checked:
    """`hard`: share of sources of hard harmless texts that the shipped threshold flags."""

    overall: Caught
    by_context: Caught
    sources: list[Caught]
    flagged: float
    hard: dict[str, float]


def validated(corpus: Path, model: Path) -> Checked:
    """All of it as user's text: the corpus does not say who wrote what."""
    judge = read_model(model.read_bytes())
    documents = read(corpus, "validation")
    found = [judge.opinion(one.text, "user") for one in documents]
    logits = np.array([-20.0 if one is None else one.logit for one in found])
    attacks = np.array([one.attack for one in documents])
    calm = logits[~attacks]
    by_context = np.array([one.by_context for one in documents])
    hard = {one.source for one in documents if one.family == "benign_hard"} | {HARD}
    return Checked(
        caught("all", logits[attacks], calm),
        caught("by context", logits[by_context], calm),
        [
            caught(source, logits[_of(documents, source, attack=True)], calm)
            for source in sorted({one.source for one in documents if one.attack})
        ],
        float((calm > 0).mean()),
        {
            source: float((logits[chosen] > 0).mean())
            for source in sorted(hard)
            if (chosen := _of(documents, source, attack=False))
        },
    )


def _of(documents: list[Document], source: str, *, attack: bool) -> list[int]:
    return [at for at, one in enumerate(documents) if one.source == source and one.attack == attack]
