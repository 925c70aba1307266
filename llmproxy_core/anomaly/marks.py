"""Marks that stand in the place of a secret: what was masked before it was written is found again.

See `masking.masker` for what a mark looks like. Nothing is known of the value but its fingerprint.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Final

from llmproxy_core.anomaly.finding import Detector, Family, Finding, Severity, Text
from llmproxy_core.anomaly.secrets.detector import MILD, all_rules

MARK = re.compile(r"\[(secret|pii):([a-z0-9][a-z0-9-]{0,63}):(fp_[0-9a-f]{12})\]")
FAMILIES: Final[dict[str, Family]] = {"secret": "secret", "pii": "pii"}
DETECTORS = {"secret": "secrets", "pii": "pii"}
"""What the detectors are called that find them."""
SCORE = 0.9


class Marks:
    name = "marks"

    def find(self, text: Text) -> list[Finding]:
        """Where there is no mark, 0.1 µs a KB."""
        if ":fp_" not in text.text:
            return []
        return [_finding(found) for found in MARK.finditer(text.text)]


class Unmarked:
    """A detector that goes by words: to it a mark would be words about secrets. In its place stands
    one that says nothing, as long as the mark, so that findings stand where they did."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.name = detector.name

    def find(self, text: Text) -> list[Finding]:
        if ":fp_" in text.text:
            plain = MARK.sub(lambda found: "it".ljust(len(found[0])), text.text)
            text = replace(text, text=plain)
        return self._detector.find(text)


def _finding(found: re.Match[str]) -> Finding:
    kind, rule, _ = found.groups()
    what = _whats().get(rule, "a secret") if kind == "secret" else f"personal data ({rule})"
    return Finding(
        f"{DETECTORS[kind]}.{rule}",
        FAMILIES[kind],
        SCORE,
        _severity(kind, rule),
        found.start(),
        found.end(),
        f"This was {what}; it is masked.",
    )


def _severity(kind: str, rule: str) -> Severity:
    if kind == "pii" or rule in MILD:
        return "medium"
    return "critical" if rule == "private-key" else "high"


@cache
def _whats() -> dict[str, str]:
    return {rule.id: rule.what for rule in all_rules()}
