"""What stands in a hidden place."""

from dataclasses import dataclass

from llmproxy_core.anomaly.finding import Severity


@dataclass(frozen=True, slots=True)
class Revealed:
    """`text`: what was hidden, made readable ("" where only the hiding can be seen); it may hold
    anything, secrets too. `start:end`: where it stands. `how` ends "There is ...".
    `score`: of the hiding alone; `weight`: how much more it is if the text gives orders."""

    text: str
    start: int
    end: int
    how: str
    score: float
    severity: Severity = "high"
    weight: float = 0.0
