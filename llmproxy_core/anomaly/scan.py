"""Texts judged outside of any call: lines of `{id, text, role?}`, and what is found in each."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from llmproxy_core.anomaly.detectors import DETECTORS
from llmproxy_core.anomaly.finding import Author, Family, Finding, Kind, Text
from llmproxy_core.anomaly.injection import THRESHOLD, judged

ATTACKS: frozenset[Family] = frozenset({
    "injection", "indirect_injection", "jailbreak", "exfiltration", "hidden_text",
})  # fmt: skip
"""The families that the score of a text is about."""
ROLES: dict[str, tuple[Author, Kind]] = {
    "system": ("system", "text"),
    "developer": ("system", "text"),
    "user": ("user", "text"),
    "human": ("user", "text"),
    "assistant": ("assistant", "text"),
    "model": ("assistant", "text"),
    "tool": ("tool", "result"),
    "function": ("tool", "result"),
    "tool_result": ("tool", "result"),
    "document": ("tool", "document"),
}

type Verdict = Literal["attack", "harmless"]


@dataclass(frozen=True, slots=True)
class Line:
    """A text to judge. A role that nobody knows is taken for the user's."""

    id: object
    text: str
    role: str = "user"


@dataclass(frozen=True, slots=True)
class Scanned:
    """`score` from 0 to 1: how much of an attack on a model the text is, at its worst place."""

    id: object
    score: float
    verdict: Verdict
    findings: list[Finding]

    def told(self) -> dict[str, Any]:
        """What `llmproxy scan --json` prints."""
        keys = ("detector", "family", "score", "severity", "start", "end")
        findings = [{key: asdict(one)[key] for key in keys} for one in self.findings]
        return {
            "id": self.id,
            "score": round(self.score, 9),
            "verdict": self.verdict,
            "findings": findings,
        }


def scan(lines: Iterable[Line], threshold: float = THRESHOLD) -> Iterator[Scanned]:
    """What the detectors say of each; an attack is what scores `threshold` or more."""
    for line in lines:
        author, kind = ROLES.get(line.role.lower(), ROLES["user"])
        text = Text(line.text, author, kind)
        findings = [one for detector in DETECTORS for one in detector.find(text)]
        wording = judged(text)
        scores = [one.score for one in findings if one.family in ATTACKS]
        score = max([0.0, *scores, wording.score if wording else 0.0])
        yield Scanned(line.id, score, "attack" if score >= threshold else "harmless", findings)
