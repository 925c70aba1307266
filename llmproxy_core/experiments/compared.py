"""A variant beside the control, in numbers."""

from dataclasses import dataclass
from typing import Literal

from llmproxy_core.experiments.guards import Watch

type Kind = Literal["open", "won", "harmful", "futile"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A variant beside the control. `low`, `high`: of the difference of the rates, each end wrong
    with a probability of at most `alpha` (shared among the variants).

    `log_better`, `log_worse`, `log_slight`: evidence against "no better", "no worse" and "better
    by `min_effect`"; 3 is 1 in 20.
    """

    variant: str
    kind: Kind
    low: float
    high: float
    log_better: float
    log_worse: float
    log_slight: float
    control_good: int
    control_judged: int
    variant_good: int
    variant_judged: int
    watches: tuple[Watch, ...] = ()
    unbalanced: bool = False
    """The arms have not as many conversations as were drawn for them: something is missing."""

    @property
    def breached(self) -> list[Watch]:
        return [one for one in self.watches if one.breached]
