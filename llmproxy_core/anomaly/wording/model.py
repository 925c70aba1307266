"""The linear model over wording: a file of weights, made by `training.injection`."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from llmproxy_core.anomaly.wording import windows
from llmproxy_core.anomaly.wording.concepts import Lexicon, lexicon_of
from llmproxy_core.anomaly.wording.disguises import Disguise
from llmproxy_core.anomaly.wording.folding import Places, folded
from llmproxy_core.anomaly.wording.grams import Grams, grams
from llmproxy_core.anomaly.wording.tokens import Alphabet

ROOM = 1 << 14
"""Characters that are read at once; longer texts are read in pieces that overlap."""
OVERLAP = 1 << 9
_SPACED = 6
"""Letters in a row that stand alone, of a text with blanks between its letters."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """How much a text is worded like an attack. `logit` is 0 where one in a hundred harmless texts
    of sources never seen is as bad; `start:end` is the worst window, in characters."""

    logit: float
    start: int
    end: int
    persona: bool
    """The worst window is rather a jailbreak than an injection."""
    turned: frozenset[Disguise]
    """How its words, or some of them, seem to be disguised."""


@dataclass(frozen=True, slots=True)
class Head:
    """Roots of the weights of the slots, and what makes logits comparable: (logit - zero) / unit.

    All in the measure of the roots' squares."""

    roots: NDArray[np.int8]
    bias: float
    zero: float
    unit: float
    context: float
    """How much the windows around the worst one count beside it."""
    excuse: float
    """What each e-fold of windows takes from the worst one."""


class Model:
    """Stateless once made; `heads` by who wrote: "user", "tool"."""

    def __init__(
        self,
        table: NDArray[np.uint16],
        lexicon: Lexicon,
        alphabet: Alphabet,
        heads: dict[str, Head],
    ) -> None:
        self.table, self.lexicon, self.alphabet, self.heads = table, lexicon, alphabet, heads
        self._number = {name: at for at, name in enumerate(lexicon.names, 1)}

    def opinion(self, text: str, head: str) -> Opinion | None:
        """Of a text without a word: None. A text of a million characters costs its length."""
        codes, places = folded(text, self.table)
        chosen = self.heads[head]
        found: list[tuple[Grams, NDArray[np.float64], Places]] = []
        for start in range(0, max(1, codes.size - OVERLAP), ROOM - OVERLAP):
            piece = grams(codes[start : start + ROOM], self.alphabet, self.lexicon)
            if piece.tokens.starts.size:
                logits = windows.scores(windows.seen(piece), chosen.roots, chosen.bias)
                found.append((piece, logits, places[start : start + ROOM]))
        if not found:
            return None
        every = np.concatenate([logits for _, logits, _ in found])
        judged = windows.in_context(every, chosen.context)
        worst = int(judged.argmax())
        logit = float(judged[worst]) - windows.excuse(every.size, chosen.excuse)
        for piece, logits, where in found:
            if worst < logits.size:
                return self._said(logit, worst, piece, where, chosen)
            worst -= logits.size
        return None

    def _said(self, logit: float, window: int, piece: Grams, places: Places, head: Head) -> Opinion:
        tokens = piece.tokens
        first, after = windows.bounds(window, tokens.starts.size)
        named = np.bincount(piece.concepts[first:after], minlength=len(self.lexicon.names) + 2)
        return Opinion(
            (logit - head.zero) / head.unit,
            int(places[tokens.starts[first]]),
            int(places[tokens.ends[after - 1] - 1]) + 1,
            self._count(named, _PERSONA) > self._count(named, _INJECTION),
            self._disguises(piece),
        )

    def _disguises(self, piece: Grams) -> frozenset[Disguise]:
        named = np.bincount(piece.concepts, minlength=len(self.lexicon.names) + 2)
        found: set[Disguise] = {
            name for name in ("rotated", "backwards") if self._count(named, (name,)) > 1
        }
        tokens = piece.tokens
        single = (tokens.ends - tokens.starts == 1) & ~tokens.ideographs
        runs = np.cumsum(np.concatenate(([0], single)))
        if (runs[_SPACED:] - runs[:-_SPACED] == _SPACED).any():
            found.add("spaced")
        return frozenset(found)

    def _count(self, named: NDArray[np.int64], names: tuple[str, ...]) -> int:
        return sum(int(named[self._number[name]]) for name in names if name in self._number)


_PERSONA = ("actas", "jailbreak", "refuse", "ethics", "harm", "fiction", "youare")
_INJECTION = ("override", "instruct", "prompt", "reveal", "secret", "marker", "newtask", "send")


@cache
def shipped() -> Model:
    """The model in the package, read on first use."""
    return read_model((files("llmproxy_core.anomaly.wording") / "model.npz").read_bytes())


def read_model(raw: bytes) -> Model:
    """The model that `training.injection` has written."""
    with np.load(BytesIO(raw), allow_pickle=False) as kept:
        about = json.loads(str(kept["about"]))
        lexicon = lexicon_of(
            tuple(about["concepts"]), kept["keys"], kept["kinds"], tuple(about["stems"])
        )
        heads = {name: Head(kept[name], **one) for name, one in about["heads"].items()}
        return Model(kept["table"], lexicon, Alphabet(ROOM), heads)
