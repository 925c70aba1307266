"""The experiment that an enhancement has to win."""

import json
from collections.abc import Sequence
from datetime import datetime

from llmproxy_core.enhancements import life
from llmproxy_core.enhancements.effectiveness import arm, effectiveness
from llmproxy_core.enhancements.enhancement import Enhancement
from llmproxy_core.errors import EnhancementError
from llmproxy_core.experiments.experiment import (
    CONTROL,
    GUARDS,
    HOLDOUT,
    Experiment,
    Guard,
    Variant,
)
from llmproxy_core.experiments.tally import Tally

VARIANT = "enhanced"
HELD_OUT = 0.05
"""Of the conversations, unless told otherwise: by these what is promoted keeps being measured."""


def experiment(
    one: Enhancement,
    id: str,
    name: str,
    *,
    share: float = 0.5,
    holdout: float = HELD_OUT,
    counting: Sequence[str] = (),
    guards: tuple[Guard, ...] = GUARDS,
    min_effect: float = 0.05,
) -> Experiment:
    """A draft: the pattern's conversations with the edit, beside those without. `share`: of the
    enhanced. `counting`: names of signals that count; empty: all. Its salt is the enhancement's id,
    so another try of the same draws the same arms.

    Raises ConfigError where it cannot be, e.g. a share that is none.
    """
    made = Experiment(
        id=id,
        name=name,
        variants=(Variant(VARIANT, tuple(dict(operation) for operation in one.edit)),),
        shares={CONTROL: 1 - share, VARIANT: share},
        pattern=one.pattern_id,
        when=_when(one.wires),
        holdout=holdout,
        salt=one.id,
        guards=guards,
        counting=tuple(counting),
        min_effect=min_effect,
    )
    made.check()
    return made


def followed(one: Enhancement, ended: Experiment, tally: Tally, at: datetime) -> Enhancement:
    """What becomes of an enhancement when its experiment has come to an end, or been rolled back.

    The same enhancement where nothing follows: the experiment is not decided, or it was told
    before. A win is followed when the experiment is promoted, which a person may have to do.
    Raises EnhancementError: it is another one's experiment.
    """
    if one.experiment_id != ended.id:
        raise EnhancementError(
            f"enhancement {one.id}: its experiment is {one.experiment_id}, not {ended.id}"
        )
    untouched = CONTROL if CONTROL in tally.arms else HOLDOUT
    score = effectiveness(arm(tally.arm(untouched)), arm(tally.arm(VARIANT)), one.aim)
    why = ended.steps[-1].why if ended.steps else ended.status
    who = f"experiment:{ended.id}"
    if ended.status == "promoted" and one.status == "experimenting":
        return life.promote(one, at, who, why, score if score is not None else 0.0)
    over = ended.status in ("harmful", "futile", "stopped", "rolled_back")
    if over and one.status in ("experimenting", "promoted"):
        return life.roll_back(one, at, who, why, score)
    return one


def _when(wires: Sequence[str]) -> str:
    return f"wire in {json.dumps(sorted(wires))}" if wires else ""
