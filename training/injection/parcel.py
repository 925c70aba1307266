"""The file that is shipped: weights in one byte each, and the tables to read texts with."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording.grams import CONCEPTS, LETTERS, SLOTS
from training.injection.evaluation import Outcome
from training.injection.fitting import Linear
from training.injection.instances import WEIGHT, Habits, Reader
from training.injection.measures import threshold

_SPREAD = 4.0
"""How many units of the shipped logit the median of harmless texts lies below the threshold."""
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Learnt:
    """A head, and what its logits were on harmless texts of sources left out."""

    linear: Linear
    zero: float
    unit: float
    habits: Habits

    @classmethod
    def of(cls, linear: Linear, outcome: Outcome, habits: Habits) -> Self:
        calm = np.concatenate(outcome.calm)
        zero = threshold(calm)
        return cls(linear, zero, float(zero - np.median(calm)) / _SPREAD, habits)


def squeezed(linear: Linear) -> tuple[NDArray[np.int8], float]:
    """Weights as signed bytes b for step * b * |b|: small weights keep their differences."""
    kinds = np.arange(SLOTS)
    weights = linear.weights * WEIGHT[(kinds >= LETTERS).astype(int) + (kinds >= CONCEPTS)]
    top = float(np.abs(weights).max()) or 1.0
    roots = np.sqrt(np.abs(weights) / top) * 127
    return (np.sign(weights) * np.rint(roots)).astype(np.int8), top / 127**2


def write(path: Path, reader: Reader, heads: dict[str, Learnt]) -> int:
    """The same bytes for the same model; says how many."""
    about: dict[str, object] = {
        "concepts": reader.lexicon.names,
        "stems": reader.lexicon.stems,
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "table": reader.table,
        "keys": reader.lexicon.keys,
        "kinds": reader.lexicon.concepts,
    }
    kept: dict[str, dict[str, float]] = {}
    for name, head in heads.items():
        arrays[name], step = squeezed(head.linear)
        measures = {
            "bias": head.linear.bias,
            "zero": head.zero,
            "unit": head.unit,
            "excuse": head.habits.excuse,
            "sign": head.habits.sign,
        }
        kept[name] = {key: value / step for key, value in measures.items()}
        kept[name]["context"] = head.habits.context
    arrays["about"] = np.array(json.dumps(about | {"heads": kept}))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as parcel:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            parcel.writestr(
                zipfile.ZipInfo(f"{name}.npy", _WHEN), buffer.getvalue(), zipfile.ZIP_DEFLATED
            )
    return path.stat().st_size
