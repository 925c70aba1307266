"""The life of an enhancement: which status may follow which, who may cause it, and why it did.

```
candidate ──approve──→ approved ──begin──→ experimenting ──promote──→ promoted
    │  └──────begin (auto_experiment)─────────↗   │                      │
    └─reject─→ rejected ←─reject─┘                └─────roll back──→ rolled_back
               └──────────────── reconsider → candidate ←────────────────┘
```
Nothing is promoted that no experiment has shown to be better.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from llmproxy_core.enhancements.enhancement import Change, Enhancement, Status
from llmproxy_core.errors import EnhancementError

type Step = Literal["approve", "reject", "begin", "promote", "roll_back", "reconsider"]

STEPS: Mapping[Step, Mapping[Status, Status]] = {
    "approve": {"candidate": "approved"},
    "reject": {"candidate": "rejected", "approved": "rejected"},
    "begin": {"candidate": "experimenting", "approved": "experimenting"},
    "promote": {"experimenting": "promoted"},
    "roll_back": {"experimenting": "rolled_back", "promoted": "rolled_back"},
    "reconsider": {"rejected": "candidate", "rolled_back": "candidate"},
}
LONGEST = 2000
"""Characters of a reason."""


def approve(one: Enhancement, at: datetime, who: str, why: str = "") -> Enhancement:
    """A person wants an experiment. Raises EnhancementError, as all steps do, where it may not be."""
    return _moved(one, "approve", at, who, why or "approved")


def reject(one: Enhancement, at: datetime, who: str, why: str) -> Enhancement:
    """It is not to be tried. The reason is kept, and told to the advisor when it is asked again."""
    return _moved(one, "reject", at, who, why)


def begin(
    one: Enhancement, at: datetime, who: str, experiment_id: str, auto_experiment: bool = False
) -> Enhancement:
    """The experiment `experiment_id` runs. A candidate that nobody approved needs the setting."""
    if one.status == "candidate" and not auto_experiment:
        raise EnhancementError(
            f"enhancement {one.id}: nobody has approved it; approve it, or set "
            "learning.auto_experiment = true"
        )
    moved = _moved(one, "begin", at, who, f"experiment {experiment_id} has begun")
    return replace(moved, experiment_id=experiment_id, effectiveness_score=None)


def promote(
    one: Enhancement, at: datetime, who: str, why: str, effectiveness: float
) -> Enhancement:
    """The experiment was won: the edit stays."""
    moved = _moved(one, "promote", at, who, why)
    return replace(moved, was_applied=True, effectiveness_score=_score(effectiveness))


def roll_back(
    one: Enhancement, at: datetime, who: str, why: str, effectiveness: float | None = None
) -> Enhancement:
    """It does harm, does nothing, or a person does not want it any more."""
    moved = _moved(one, "roll_back", at, who, why)
    kept = one.effectiveness_score if effectiveness is None else _score(effectiveness)
    return replace(moved, effectiveness_score=kept)


def reconsider(one: Enhancement, at: datetime, who: str, why: str) -> Enhancement:
    """A person wants to try it (again)."""
    return replace(_moved(one, "reconsider", at, who, why), experiment_id=None)


def applied(one: Enhancement) -> Enhancement:
    """A request has left with the edit."""
    return replace(one, was_applied=True)


def steps(one: Enhancement) -> list[Step]:
    """What may happen to it now."""
    return [step for step, moves in STEPS.items() if one.status in moves]


def _moved(one: Enhancement, step: Step, at: datetime, who: str, why: str) -> Enhancement:
    after = STEPS[step].get(one.status)
    if after is None:
        able = ", ".join(steps(one)) or "nothing"
        raise EnhancementError(
            f"enhancement {one.id}: it is {one.status}; {step} is not possible, but {able} is"
        )
    if not who.strip() or not why.strip():
        raise EnhancementError(f"enhancement {one.id}: {step} needs who does it, and why")
    change = Change(at, who.strip(), one.status, after, why.strip()[:LONGEST])
    return replace(one, status=after, history=(*one.history, change))


def _score(value: float) -> float:
    if not -1 <= value <= 1:
        raise EnhancementError(f"an effectiveness of {value} is not between -1 and 1")
    return value
