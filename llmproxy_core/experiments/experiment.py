"""What is tried: a control, variants, who gets them, and when it is decided.

Kept as JSON in the store and in the rulebook; `Experiment.of` reads it and says what is wrong.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast, get_args

from llmproxy_core import expressions
from llmproxy_core.errors import ConfigError, ExpressionError
from llmproxy_core.expressions.triggers import SAME, VARIABLES
from llmproxy_core.model import Json

type Status = Literal[
    "draft", "running", "won", "harmful", "futile", "stopped", "promoted", "rolled_back"
]
type Metric = Literal["cost_usd", "latency_ms", "failed", "cached_share"]

STATUSES: tuple[Status, ...] = get_args(Status.__value__)
METRICS: tuple[Metric, ...] = get_args(Metric.__value__)
CONTROL = "control"
"""The arm in which nothing is changed."""
HOLDOUT = "holdout"
"""Conversations in which nothing is ever changed, whatever wins."""
ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
LEAST_SHARE = 0.01
"""Of an arm: less would be compared for years."""
MOST_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """A list of operations, in the TOML form of `transformations`."""

    name: str
    operations: tuple[dict[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """What must not become worse, and by how much it may.

    `worse_by`: for `cost_usd` and `latency_ms` a part of the control's (0.2: a fifth more), for
    `failed` and `cached_share` a difference (0.05: five points).
    """

    metric: Metric
    worse_by: float


GUARDS = (
    Guard("cost_usd", 0.25),
    Guard("latency_ms", 0.25),
    Guard("failed", 0.02),
    Guard("cached_share", 0.05),
)
"""Unless an experiment names its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the status: `at` in seconds since 1970, `by` a person or `llmproxy`."""

    at: float
    status: Status
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """`shares`: of the conversations, by arm; what is left is in no arm. `holdout`: a share that is
    never changed, also not after promotion. `min_effect`: the least difference of success rates
    that is worth having. `alpha`: how often a variant that is no better may win. `most`:
    conversations after which one gives up. `dropped`: variants that have harmed.

    The time of each step is in `steps`: arms are for conversations that began in it.
    """

    id: str
    name: str
    variants: tuple[Variant, ...]
    shares: Mapping[str, float]
    pattern: str | None = None
    when: str = ""
    holdout: float = 0.0
    salt: str = ""
    guards: tuple[Guard, ...] = GUARDS
    counting: tuple[str, ...] = ()
    """Names of the signals that count; empty: all."""
    min_effect: float = 0.05
    alpha: float = 0.05
    most: int = 20_000
    status: Status = "draft"
    promoted: str | None = None
    """The variant that won, or that everybody gets now."""
    dropped: tuple[str, ...] = ()
    steps: tuple[Step, ...] = field(default=())

    @classmethod
    def of(cls, value: Any) -> "Experiment":
        """From JSON. Raises ConfigError: which experiment, what, and what to do."""
        try:
            found = cls(**{**_fields(value), **_parts(value)})
            found.check()
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise ConfigError(f"An experiment cannot be read: {error}.") from error
        return found

    def to_json(self) -> dict[str, Json]:
        """What `of` reads."""
        return cast(dict[str, Json], asdict(self) | {"shares": dict(self.shares)})

    def variant(self, name: str | None) -> Variant | None:
        return next((one for one in self.variants if one.name == name), None)

    def check(self) -> None:
        """Raises ConfigError."""
        problem = next(_problems(self), None)
        if problem:
            raise ConfigError(f"Experiment {self.name or self.id!r}: {problem}")

    def since(self, status: Status) -> float:
        """When it came into a status, seconds since 1970; infinite: never."""
        return next((step.at for step in self.steps if step.status == status), math.inf)


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    lists = ("counting", "dropped")
    return dict(value) | {name: tuple(value[name]) for name in lists if name in value}


def _parts(value: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "variants": tuple(
            Variant(one["name"], tuple(one.get("operations", ()))) for one in value["variants"]
        ),
        "shares": {name: float(share) for name, share in value["shares"].items()},
    }
    if "guards" in value:
        parts["guards"] = tuple(Guard(**one) for one in value["guards"])
    if "steps" in value:
        parts["steps"] = tuple(Step(**one) for one in value["steps"])
    return parts


def _problems(one: Experiment) -> Iterator[str]:
    names = [variant.name for variant in one.variants]
    if not ID.fullmatch(one.id):
        yield f"its id is {one.id!r}; letters, digits, '_', '.' and '-' can be, 64 at most."
    yield from _problems_of_expression(one.when)
    yield from _problems_of_variants(one, names)
    yield from _problems_of_shares(one, names)
    yield from _problems_of_numbers(one)
    for guard in one.guards:
        if guard.metric not in METRICS:
            yield f"there is no guard {guard.metric!r}; there are {', '.join(METRICS)}."
        if not 0 <= guard.worse_by <= 10:
            yield f"worse_by of the guard {guard.metric} is {guard.worse_by}; 0 to 10 can be."
    if one.status not in STATUSES:
        yield f"there is no status {one.status!r}; there are {', '.join(STATUSES)}."
    if one.promoted is not None and one.promoted not in names:
        yield f"there is no variant {one.promoted!r} to promote; there are {', '.join(names)}."


def _problems_of_expression(when: str) -> Iterator[str]:
    try:
        if when:
            expressions.compile(when, VARIABLES, SAME)
    except ExpressionError as error:
        yield f"when: {error}"


def _problems_of_variants(one: Experiment, names: Sequence[str]) -> Iterator[str]:
    if not names:
        yield "it needs a variant: variants = [{name = ..., operations = [...]}]."
    if len(names) > MOST_VARIANTS:
        yield f"{len(names)} variants are too many to compare; {MOST_VARIANTS} can be."
    if taken := {CONTROL, HOLDOUT}.intersection(names):
        yield f"a variant cannot be called {taken.pop()!r}, which is an arm without a change."
    if len(set(names)) < len(names) or not all(names):
        yield "each variant needs a name of its own."


def _problems_of_shares(one: Experiment, names: Sequence[str]) -> Iterator[str]:
    arms = {CONTROL, *names}
    if one.shares.keys() != arms:
        yield f"shares must name {', '.join(sorted(arms))}, and nothing else."
    for name, share in one.shares.items():
        if not LEAST_SHARE <= share < 1:
            yield f"the share of {name} is {share}; {LEAST_SHARE} to 0.99 can be."
    if sum(one.shares.values()) > 1 + 1e-9:
        yield f"the shares add up to {sum(one.shares.values()):g}; 1 is all there is."
    if not 0 <= one.holdout <= 0.5:
        yield f"the holdout is {one.holdout}; 0 to 0.5 can be."


def _problems_of_numbers(one: Experiment) -> Iterator[str]:
    if not 0.005 <= one.min_effect <= 0.5:
        yield f"min_effect is {one.min_effect}; 0.005 to 0.5 can be, 0.05 is five points."
    if not 0.001 <= one.alpha <= 0.2:
        yield f"alpha is {one.alpha}; 0.001 to 0.2 can be."
    if not 100 <= one.most <= 10_000_000:
        yield f"most is {one.most}; 100 to 10,000,000 conversations can be."
