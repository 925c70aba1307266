"""An enhancement: an exact edit that may make the answers of a pattern better, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from llmproxy_core.enhancements.edit import Operation, digest

type EnhancementType = Literal["clarification", "context", "structure", "examples", "format"]
type Status = Literal[
    "candidate", "approved", "rejected", "experimenting", "promoted", "rolled_back"
]
type Aim = Literal["success", "cost"]
"""What is to become better. One that aims at cost must do no harm to success."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a life. `who`: a login name, `experiment:ID`, `worker`, or the source engine."""

    at: datetime
    who: str
    before: Status | None
    after: Status
    why: str


@dataclass(frozen=True, slots=True)
class Enhancement:
    """`id` and `pattern_id` are UUIDs as text; `confidence` from 0 to 1.

    `source_engine`: `advisor:MODEL` or `built-in:RULE`. `was_applied`: a request has left with the
    edit. `effectiveness_score`: see `effectiveness.py`; None while nothing is known.
    `saving_usd_per_day` is the estimate of who suggested it; None: it does not aim at cost, or
    prices are not known. `wires`: formats that the edit is for; empty: all of the pattern. `history`: oldest first, the birth included.
    """

    id: str
    pattern_id: str
    type: EnhancementType
    edit: tuple[Operation, ...]
    confidence: float
    reasoning: str
    source_engine: str
    aim: Aim = "success"
    status: Status = "candidate"
    was_applied: bool = False
    effectiveness_score: float | None = None
    experiment_id: str | None = None
    saving_usd_per_day: float | None = None
    wires: tuple[str, ...] = ()
    history: tuple[Change, ...] = ()

    @property
    def digest(self) -> str:
        return digest(self.edit)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a rule or the advisor proposes for a pattern, before it is an enhancement."""

    type: EnhancementType
    edit: tuple[Operation, ...]
    confidence: float
    reasoning: str
    source_engine: str
    aim: Aim = "success"
    saving_usd_per_day: float | None = None
    wires: tuple[str, ...] = ()


def candidate(suggestion: Suggestion, id: str, pattern_id: str, at: datetime) -> Enhancement:
    """An enhancement at its birth; whether it may be one, `choice.chosen` has told."""
    born = Change(at, suggestion.source_engine, None, "candidate", suggestion.reasoning)
    return Enhancement(
        id=id,
        pattern_id=pattern_id,
        type=suggestion.type,
        edit=suggestion.edit,
        confidence=suggestion.confidence,
        reasoning=suggestion.reasoning,
        source_engine=suggestion.source_engine,
        aim=suggestion.aim,
        saving_usd_per_day=suggestion.saving_usd_per_day,
        wires=suggestion.wires,
        history=(born,),
    )


def tried(enhancements: Sequence[Enhancement]) -> frozenset[str]:
    """Digests of all edits that exist for a pattern, whatever became of them."""
    return frozenset(one.digest for one in enhancements)
