"""A finding with what it is in."""

from dataclasses import dataclass, replace
from typing import Any, Self

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.hashing import Hash

LONGEST = 4096
"""Characters of a value that are remembered."""


@dataclass(frozen=True, slots=True)
class Located:
    """`value`: the characters that the finding rests on. `hash`: of the text. `new`: it was not in
    a request before, as far as is remembered; then the text is there whole."""

    finding: Finding
    text: Text
    hash: Hash
    value: str
    new: bool = True

    @classmethod
    def of(cls, finding: Finding, text: Text, hash: Hash) -> Self:
        return cls(finding, text, hash, text.text[finding.start : finding.end])

    def remembered(self) -> "Located":
        """As it is kept of an element that may come again."""
        return replace(
            self, text=replace(self.text, text=""), value=self.value[:LONGEST], new=False
        )

    def facts(self) -> dict[str, Any]:
        """By the names that expressions use."""
        one, text = self.finding, self.text
        return {
            "finding.detector": one.detector,
            "finding.family": one.family,
            "finding.score": one.score,
            "finding.severity": one.severity,
            "finding.said": one.said,
            "finding.author": text.author,
            "finding.kind": text.kind,
            "finding.tool": text.tool or None,
        }
