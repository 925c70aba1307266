"""What the rules of this package give back."""

from dataclasses import dataclass

from llmproxy_core.anomaly.finding import Severity


@dataclass(frozen=True, slots=True)
class Danger:
    """`score` from 0 to 1; `said` goes on from "The command ..."."""

    score: float
    severity: Severity
    said: str
