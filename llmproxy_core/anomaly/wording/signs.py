"""Orders that hardly a harmless text has: concepts that follow each other closely.

A linear model weighs an order against all that stands around it; these count wherever they stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Places = NDArray[np.int64]
type Concepts = NDArray[np.int64]

REACH = 4
"""Words from one concept of a sign to the next, at most."""
STRONG, WEAK = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Sign:
    """`steps` are the names of concepts of which one must come next."""

    weight: float
    steps: tuple[tuple[str, ...], ...]


SIGNS = (
    Sign(STRONG, (("override",), ("prior",), ("instruct", "rule", "prompt", "task"))),
    Sign(STRONG, (("override",), ("all",), ("prior",))),
    Sign(STRONG, (("reveal",), ("your", "prior"), ("prompt", "instruct"))),
    Sign(STRONG, (("youare", "actas"), ("jailbreak",))),
    Sign(STRONG, (("jailbreak",), ("jailbreak",))),
    Sign(WEAK, (("override",), ("all", "your"), ("instruct", "rule", "prompt", "ethics"))),
    Sign(WEAK, (("reveal",), ("your", "prior"), ("secret",))),
    Sign(WEAK, (("actas", "youare"), ("ethics", "rule"))),
    Sign(WEAK, (("not",), ("refuse", "ethics"), ("ethics", "harm", "rule"))),
    Sign(WEAK, (("not",), ("obey",), ("rule", "instruct", "ethics"))),
    Sign(WEAK, (("youare",), ("not",), ("assistant",))),
    Sign(WEAK, (("jailbreak",), ("mode",))),
    Sign(WEAK, (("after",), ("prior",), ("task",))),
    Sign(WEAK, (("newtask",), ("instruct", "task", "rule"))),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The words `first` to `last` are a sign."""

    weight: float
    first: int
    last: int


class Watch:
    """Looks for signs among concepts, once over."""

    def __init__(self, names: Sequence[str]) -> None:
        number = {name: at for at, name in enumerate(names, 1)}
        self._parts: dict[int, list[tuple[int, int]]] = {}
        for sign, one in enumerate(SIGNS):
            # the last step first, so that one word is not two steps of a sign
            for step in reversed(range(len(one.steps))):
                for name in one.steps[step]:
                    self._parts.setdefault(number[name], []).append((sign, step))
        self._watched = np.zeros(256, np.bool_)
        self._watched[list(self._parts)] = True
        self._leads = self._leading()

    def strongest(self, concepts: Concepts) -> Seen | None:
        """The first of the weightiest signs."""
        best: Seen | None = None
        reached: dict[tuple[int, int], tuple[int, int]] = {}
        rows = self._linked(np.flatnonzero(self._watched.take(concepts)), concepts)
        for row, concept in zip(rows.tolist(), concepts.take(rows).tolist(), strict=True):
            for sign, step in self._parts[concept]:
                first, last = reached.get((sign, step - 1), (row, row)) if step else (row, row)
                if step and ((sign, step - 1) not in reached or row - last > REACH):
                    continue
                reached[sign, step] = (first, row)
                weight = SIGNS[sign].weight
                if step + 1 == len(SIGNS[sign].steps) and (best is None or weight > best.weight):
                    best = Seen(weight, first, row)
        return best

    def _linked(self, rows: Places, concepts: Concepts) -> Places:
        """Of these words the ones that a step of a sign follows, or that follow one: a few."""
        kinds = concepts.take(rows)
        linked = np.zeros(rows.size, np.bool_)
        for step in range(1, REACH + 1):
            near = self._leads[kinds[:-step], kinds[step:]]
            near &= rows[step:] - rows[:-step] <= REACH
            linked[:-step] |= near
            linked[step:] |= near
        return rows.compress(linked)

    def _leading(self) -> NDArray[np.bool_]:
        """Which concepts may follow each other in a sign."""
        leads = np.zeros((256, 256), np.bool_)
        for concept, parts in self._parts.items():
            for sign, step in parts:
                for other, others in self._parts.items():
                    leads[concept, other] |= (sign, step + 1) in others
        return leads
