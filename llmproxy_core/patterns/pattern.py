"""A pattern: what the miner knows of the prompts of one template."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, get_args

from llmproxy_core.patterns.pieces import named, wording
from llmproxy_core.patterns.shape import shape
from llmproxy_core.patterns.templates import Runs, gaps

type Kind = Literal["user", "system", "tools"]
KINDS: tuple[str, ...] = get_args(Kind.__value__)
EXAMPLES = 32
"""Prompts kept of each pattern, to see whether it is to be divided or merged."""
COMPARED = 4
"""Of them, to see which numbers differ."""
EXAMPLES_SIZE = 96_000
"""Characters of all of them together."""


@dataclass(slots=True)
class Pattern:
    """A template with its prompts. The id stays, whatever becomes of name and template."""

    id: str
    kind: str
    runs: Runs
    name: str = ""
    given: bool = False
    """Whether a person gave the name: it is not changed then."""
    calls: int = 0
    born: int = 0
    """Its number among all patterns of the miner: lower is older."""
    merged_into: str | None = None
    examples: dict[str, int] = field(default_factory=dict)
    """Prompts, and when each came last, as far as that was noticed; ns since 1970, 0: nobody knows."""

    def pieces(self) -> list[str | None]:
        """The wording, with None for each slot."""
        fitting = (text for text in self.examples if gaps(self.runs, shape(text)) is not None)
        texts = list(islice(fitting, COMPARED))
        return wording(self.runs, texts) if texts else [None]

    def keep(self, text: str, place: int, at: int = 0) -> None:
        """Takes an example: instead of the one at this place, if there are enough."""
        if text in self.examples:
            self.examples[text] = max(at, self.examples[text])
        elif len(self.examples) < EXAMPLES and self._size() + len(text) <= EXAMPLES_SIZE:
            self.examples[text] = at
        elif place < len(self.examples) and len(text) <= EXAMPLES_SIZE // 4:
            kept = list(self.examples.items())
            kept[place] = text, at
            self.examples = dict(kept)
            while self._size() > EXAMPLES_SIZE:
                self.drop_first()

    def drop_first(self) -> int:
        """Leaves out an example; its characters."""
        first = next(iter(self.examples))
        del self.examples[first]
        return len(first)

    def drop_before(self, at: int) -> bool:
        """Leaves out the examples that came before (ns since 1970); were there any?"""
        kept = {text: last for text, last in self.examples.items() if last >= at}
        fewer = len(kept) < len(self.examples)
        self.examples = kept
        return fewer

    def _size(self) -> int:
        return sum(map(len, self.examples))

    def rename(self, taken: Collection[str]) -> None:
        """Takes a name of its wording, unless a person gave it one, or it is not known any more."""
        if not self.given and (self.examples or not self.name):
            self.name = named(self.pieces(), taken, list(self.examples))

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "runs": list(self.runs),
            "name": self.name,
            "given": self.given,
            "calls": self.calls,
            "born": self.born,
            "merged_into": self.merged_into,
            "examples": list(self.examples.items()),
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "Pattern":
        """Raises KeyError, TypeError or ValueError for what `to_json` did not write."""
        return cls(**{**row, "runs": tuple(row["runs"]), "examples": dict(row["examples"])})
