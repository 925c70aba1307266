"""What people's verdicts on findings teach: which findings are not told again.

Two rules, for each namespace and detector:

- **The text.** What was a false positive in a text is not told of that text again.
- **The threshold.** Once LEAST texts were false positives, findings are told above a threshold: the
  one at which the errors among the texts that people have judged cost least, a false positive that
  is told 1, a confirmed finding that is not told MISS; of several the lowest. Scores from SURE on are
  always told. So some confirmed findings of a low score keep the threshold below them.

A text counts once, by the last verdict on it. Nothing of this changes what is masked.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from llmproxy_core.hashing import Hash

LEAST = 3
MISS = 5
SURE = 0.95
MOST_TEXTS = 5000
"""Harmless texts of a namespace that are remembered, the last ones."""

type Thresholds = dict[str, dict[str, float]]
"""Namespace -> detector -> the score above which a finding is told."""
type Harmless = dict[str, frozenset[str]]
"""Namespace -> `detector:hash of the text`."""


class Label(NamedTuple):
    """A verdict of a person. `harmless`: the finding was a false positive."""

    namespace: str
    detector: str
    score: float
    text_hash: Hash
    harmless: bool


class Learned:
    """Never changes."""

    __slots__ = ("_harmless", "_thresholds")

    def __init__(
        self, thresholds: Thresholds | None = None, harmless: Harmless | None = None
    ) -> None:
        self._thresholds = thresholds or {}
        self._harmless = harmless or {}

    @classmethod
    def of(cls, labels: Iterable[Label]) -> Self:
        """`labels`: the oldest first."""
        last = {(one.namespace, one.detector, one.text_hash): one for one in labels}
        grouped: dict[tuple[str, str], list[Label]] = {}
        harmless: dict[str, list[str]] = {}
        for one in last.values():
            grouped.setdefault((one.namespace, one.detector), []).append(one)
            if one.harmless:
                harmless.setdefault(one.namespace, []).append(_key(one.detector, one.text_hash))
        thresholds: Thresholds = {}
        for (namespace, detector), group in grouped.items():
            if (found := threshold(group)) > 0:
                thresholds.setdefault(namespace, {})[detector] = found
        return cls(
            thresholds,
            {name: frozenset(keys[-MOST_TEXTS:]) for name, keys in harmless.items()},
        )

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        """What `written` gave. What has another shape is left out."""
        return cls(
            {
                str(namespace): {str(one): float(score) for one, score in scores.items()}
                for namespace, scores in _tables(content.get("thresholds"))
                if all(isinstance(score, int | float) for score in scores.values())
            },
            {
                str(namespace): frozenset(map(str, keys))
                for namespace, keys in _items(content.get("harmless"))
                if isinstance(keys, list)
            },
        )

    def written(self) -> dict[str, Any]:
        """As JSON values; nothing where nothing was learned."""
        found = {
            "thresholds": self._thresholds,
            "harmless": {name: sorted(keys) for name, keys in self._harmless.items()},
        }
        return {key: value for key, value in found.items() if value}

    def tells(self, namespace: str, detector: str, score: float, text_hash: Hash) -> bool:
        """Is such a finding worth telling, and worth asking policies about?"""
        if score <= self._thresholds.get(namespace, {}).get(detector, -1.0):
            return False
        harmless = self._harmless.get(namespace)
        return harmless is None or _key(detector, text_hash) not in harmless


NOTHING = Learned()


def threshold(labels: Iterable[Label]) -> float:
    """The score above which findings of one detector are told; 0: all are."""
    scores = [(one.score, one.harmless) for one in labels]
    false = sorted({score for score, harmless in scores if harmless and score < SURE})
    if sum(harmless for _, harmless in scores) < LEAST:
        return 0.0
    costs = [(_cost(scores, at), at) for at in (0.0, *false)]
    return min(costs)[1]


def _cost(scores: Iterable[tuple[float, bool]], at: float) -> int:
    return sum(
        int(score > at) if harmless else MISS * int(score <= at) for score, harmless in scores
    )


def _key(detector: str, text_hash: Hash) -> str:
    return f"{detector}:{text_hash.hex()}"


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else ()


def _tables(value: Any) -> Iterable[tuple[Any, Mapping[Any, Any]]]:
    return [(key, inner) for key, inner in _items(value) if isinstance(inner, Mapping)]
