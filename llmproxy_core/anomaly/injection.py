"""Attempts to take a model over: by a user (injection, jailbreak) or through what a tool brings.

Who wrote a text matters as much as what it says: results and documents have weights of their own,
for which any order is out of place. The operator's own system prompt is not judged, nor is what a
model thinks, nor the arguments that it gives to tools.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmproxy_core.anomaly.finding import Family, Finding, Severity, Text
from llmproxy_core.anomaly.wording import disguises
from llmproxy_core.anomaly.wording.disguises import View

if TYPE_CHECKING:
    from llmproxy_core.anomaly.wording.model import Opinion

THRESHOLD = 0.5
"""The score that one in a hundred harmless texts of sources never seen reaches."""
_SEVERITIES: tuple[tuple[float, Severity], ...] = ((0.95, "high"), (0.8, "medium"), (0.0, "low"))
_SAID: dict[Family, str] = {
    "injection": "the user's text tries to replace or reveal the instructions of the model",
    "jailbreak": "the user's text tries to talk the model out of its rules",
    "indirect_injection": "text from a tool or document gives orders to the model",
}


@dataclass(frozen=True, slots=True)
class Injection:
    """One detector for three families: the wording is judged once."""

    name: str = "injection"

    def find(self, text: Text) -> list[Finding]:
        """At most one finding, about the worst place, from `THRESHOLD` on."""
        found = judged(text)
        return [found] if found is not None and found.score >= THRESHOLD else []


def warm() -> None:
    """Reads the model, so that the first call need not wait for it (about 0.15 s with numpy)."""
    from llmproxy_core.anomaly.wording.model import shipped

    shipped()


def judged(text: Text) -> Finding | None:
    """The worst place of a text, however harmless; None where there is nothing to judge."""
    from llmproxy_core.anomaly.wording.model import shipped

    if text.author == "system" or text.kind in ("reasoning", "arguments"):
        return None
    foreign = text.author == "tool" or text.kind in ("result", "document")
    model, head = shipped(), "tool" if foreign else "user"
    plain = model.opinion(text.text, head)
    if plain is None:
        return None
    best, view = plain, View(text.text, plain.start, plain.end, "")
    for other in disguises.turned(text.text, plain.turned):
        opinion = model.opinion(other.text, head)
        if opinion is not None and opinion.logit > best.logit:
            best, view = opinion, other
    return _finding(best, view, foreign)


def _finding(opinion: Opinion, view: View, foreign: bool) -> Finding:
    family: Family = "jailbreak" if opinion.persona else "injection"
    if foreign:
        family = "indirect_injection"
    score = 1 / (1 + math.exp(-max(-30.0, min(30.0, opinion.logit))))
    severity = next(name for least, name in _SEVERITIES if score >= least)
    said = _SAID[family] + (f", {view.said}" if view.said else "")
    return Finding("injection", family, score, severity, view.start, view.end, said)
