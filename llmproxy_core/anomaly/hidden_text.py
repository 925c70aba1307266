"""Text that people do not see and models read: invisible characters, turned directions, letters
of other alphabets, markup that is not shown, orders in disguise. `reveal` gives back what was
hidden, so that other detectors can judge it."""

from collections.abc import Callable, Iterator

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.hidden import direction, encoded, invisible, lookalikes, markup
from llmproxy_core.anomaly.hidden.cues import cues
from llmproxy_core.anomaly.hidden.revealed import Revealed
from llmproxy_core.anomaly.reading.scanning import beyond_ascii

__all__ = ["HiddenText", "Revealed", "reveal"]

NAME = "hidden_text"
MOST = 30
"""Findings of one text."""
LEAST = 0.2
"""Scores below are not worth a finding."""
LEAST_CUES = 0.5
"""A hidden text with less is no order."""

type Judge = Callable[[str], float]
"""How sure it is that a text is an attack, from 0 to 1."""


def reveal(text: str) -> Iterator[Revealed]:
    """All that is hidden in a text."""
    odd = beyond_ascii(text)
    if odd and invisible.INVISIBLE.search(odd):
        yield from invisible.found(text)
    if odd and direction.CONTROL.search(odd):
        yield from direction.found(text)
    if odd and lookalikes.LOOKALIKE.search(odd):
        yield from lookalikes.found(text)
    yield from markup.found(text)
    yield from encoded.found(text)


class HiddenText:
    """`judge`: what judges the hidden texts besides their words."""

    name = NAME

    def __init__(self, judge: Judge | None = None) -> None:
        self._judge = judge

    def find(self, text: Text) -> list[Finding]:
        found: list[Finding] = []
        for hidden in reveal(text.text):
            finding = self._finding(hidden)
            if finding is not None:
                found.append(finding)
        found.sort(key=lambda one: (-one.score, one.start))
        return found[:MOST]

    def _finding(self, hidden: Revealed) -> Finding | None:
        ordered = cues(hidden.text) if hidden.text else 0.0
        if self._judge is not None and hidden.text:
            ordered = max(ordered, self._judge(hidden.text))
        score = hidden.score
        if ordered >= LEAST_CUES:
            score = min(max(score, hidden.score + hidden.weight * ordered), 0.98)
        if score < LEAST:
            return None
        orders = ordered >= LEAST_CUES
        said = f"There is {hidden.how}{', and it gives orders' if orders else ''}."
        return Finding(NAME, "hidden_text", score, hidden.severity, hidden.start, hidden.end, said)
