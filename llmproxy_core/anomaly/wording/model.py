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
from llmproxy_core.anomaly.wording.signs import REACH, Watch
from llmproxy_core.anomaly.wording.tokens import Alphabet

ROOM = 1 << 14
"""Characters that are read at once; longer texts are read in pieces that overlap."""
OVERLAP = 1 << 9
_BLOB, _PERCENTS = 16, 7
"""Letters and digits in a row, or percent signs, that may be a text in some encoding."""
_SPACED = 6
"""Letters in a row that stand alone, of a text with blanks between its letters."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """How much a text is worded like an attack. `logit` is 0 where one in a hundred harmless texts
    of sources never seen is as bad; `start:end` is the worst place, in characters."""

    logit: float
    start: int
    end: int
    persona: bool
    """The worst place is rather a jailbreak than an injection."""
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
    sign: float
    """What a strong sign adds."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Of the text at `places`; the words from `first` until before `after` are the worst."""

    read: Grams
    places: Places
    logit: float
    first: int
    after: int


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
        self._watch = Watch(lexicon.names)
        self._number = {name: at for at, name in enumerate(lexicon.names, 1)}

    def opinion(self, text: str, head: str) -> Opinion | None:
        """Of a text without a word: None. A text of a million characters costs its length."""
        codes, places = folded(text, self.table)
        chosen = self.heads[head]
        worst: _Piece | None = None
        count, longest = 0, 0
        for start in range(0, max(1, codes.size - OVERLAP), ROOM - OVERLAP):
            read = grams(codes[start : start + ROOM], self.alphabet, self.lexicon)
            if not read.tokens.starts.size:
                continue
            logits = windows.scores(read, chosen.roots, chosen.bias)
            piece = self._judged(read, places[start : start + ROOM], logits, chosen)
            count += logits.size
            longest = max(longest, int((read.tokens.ends - read.tokens.starts).max()))
            if worst is None or piece.logit > worst.logit:
                worst = piece
        if worst is None:
            return None
        turned = self._disguises(worst.read)
        if longest >= _BLOB or text.count("%") > _PERCENTS:
            turned |= {"encoded"}
        return self._said(worst, count, chosen, turned)

    def _judged(
        self, read: Grams, places: Places, logits: NDArray[np.float64], head: Head
    ) -> _Piece:
        """A sign and the words after it are what a finding rests on; without one the worst window."""
        judged = windows.in_context(logits, head.context)
        window = int(judged.argmax())
        sign = self._watch.strongest(read.concepts)
        if sign is None:
            first, after = windows.bounds(window, read.tokens.starts.size)
            return _Piece(read, places, float(judged[window]), first, after)
        logit = float(judged[window]) + head.sign * sign.weight
        after = min(sign.last + 1 + REACH, read.tokens.starts.size)
        return _Piece(read, places, logit, sign.first, after)

    def _said(self, piece: _Piece, count: int, head: Head, turned: frozenset[Disguise]) -> Opinion:
        starts, ends = piece.read.tokens.starts, piece.read.tokens.ends
        around = piece.read.concepts[
            max(0, piece.first - windows.STRIDE) : piece.after + windows.STRIDE
        ]
        named = np.bincount(around, minlength=len(self.lexicon.names) + 2)
        logit = piece.logit - windows.excuse(count, head.excuse)
        return Opinion(
            (logit - head.zero) / head.unit,
            int(piece.places[starts[piece.first]]),
            int(piece.places[ends[piece.after - 1] - 1]) + 1,
            self._count(named, _PERSONA) > self._count(named, _INJECTION),
            turned,
        )

    def _disguises(self, piece: Grams) -> frozenset[Disguise]:
        named = np.bincount(piece.concepts, minlength=len(self.lexicon.names) + 2)
        found: set[Disguise] = {
            name for name in ("rotated", "backwards") if self._count(named, (name,)) > 1
        }
        tokens = piece.tokens
        single = (tokens.ends - tokens.starts == 1) & ~tokens.ideographs
        if np.count_nonzero(single) >= _SPACED:
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
