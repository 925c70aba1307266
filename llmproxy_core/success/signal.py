"""One observation about one call."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

type Verdict = Literal["good", "bad"]
type Source = Literal["wire", "answer", "later", "user", "advisor"]
"""Who says so: the provider, the words of the answer, what came later in the conversation, a person
who was asked (or said so by himself), the advisor."""

LONGEST = 300
"""Characters of a `why`."""


@dataclass(frozen=True, slots=True)
class Signal:
    """`weight`, from 0 to 1: how sure it is that the verdict is right. `why`: for people; of what
    was said it quotes a few words at most. `by`: the later call that told it.

    A call has one signal of a name, or one for each `by`.
    """

    request: UUID
    name: str
    verdict: Verdict
    source: Source
    weight: float
    why: str
    by: UUID | None = None


def worded(text: str) -> str:
    """`text` in one line, cut to what a `why` may have."""
    line = " ".join(text[: LONGEST * 4].split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
