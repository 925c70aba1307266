"""What `llmproxy patterns mine` tells of prompts."""

from collections.abc import Iterable
from dataclasses import dataclass

from llmproxy_core.patterns.mining import learned, once
from llmproxy_core.patterns.types import type_of


@dataclass(frozen=True, slots=True)
class Line:
    """The pattern of a prompt, its name, and what it asks for."""

    pattern: str
    name: str
    type: str | None


class Report:
    """Learns from all prompts; then tells of each."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._miner = learned(texts)
        self._lines = {
            one.id: Line(
                one.id, one.name, type_of(list(one.examples)).type if one.examples else None
            )
            for one in self._miner.current()
        }

    def line(self, text: str) -> Line:
        """Of one of the prompts."""
        id = self._miner.find(text)
        if id is not None:
            return self._lines[id]
        return Line(once(text), "", type_of([text]).type)
