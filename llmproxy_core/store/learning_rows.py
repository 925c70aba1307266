"""What the worker writes of what it learns, as plain values; what is read is in `patterns`,
`experiments`, `enhancements`, `call_lessons`.

Times are aware datetimes (UTC). JSON is plain values. Ids of patterns are UUIDs.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from llmproxy_core.success.signal import Verdict

type PatternKind = Literal["user", "system", "tools"]
type AppliedKind = Literal["transformation", "experiment"]

WORKER = "worker"
NEWS = UUID(int=0)
"""In a `Change`: something has changed that has no id, or too much."""


@dataclass(slots=True)
class AppliedRow:
    """What the proxy did to a request. `name`: of a transformation, or the id of an experiment.

    `arm`: of an experiment. `why`: it was left as it was. `root`: 16 bytes, of the conversation.
    `kept`: the share of the cacheable prefix before the first edit; None: not known.
    """

    ns_id: int
    request_id: UUID
    kind: AppliedKind
    name: str
    arm: str | None = None
    why: str | None = None
    root: bytes | None = None
    kept: float | None = None


@dataclass(slots=True)
class UnlearntRow:
    """A call that the worker of `home` is still to learn from."""

    ns_id: int
    id: UUID
    home: str


@dataclass(slots=True)
class PatternCallRow:
    """The pattern of a call, one of each kind. The first row of a kind stays."""

    ns_id: int
    request_id: UUID
    kind: PatternKind
    pattern_id: UUID
    version: int | None = None
    model: str | None = None


@dataclass(slots=True)
class SignalRow:
    """See `success.signal.Signal`. `at`: of the same signal always the same, such as when the call
    began that told it, so that it is stored once. Of a name and a source the newest counts."""

    ns_id: int
    request_id: UUID
    name: str
    source: str
    verdict: Verdict
    weight: float
    why: str
    at: datetime
    told_by: UUID | None = None


@dataclass(slots=True)
class PatternRow:
    """A pattern as it is now; stored over what it was. `calls`: all of them.

    `pieces`: the template, None for each slot. `structure`: how its calls are made. `state`: what
    the miner needs to go on; empty ones of both change nothing. A name that a person gave, and a
    merge, stay.
    """

    ns_id: int
    id: UUID
    kind: PatternKind
    name: str
    pieces: list[str | None]
    calls: int
    first_seen: datetime
    last_seen: datetime
    type: str | None = None
    type_confidence: float | None = None
    structure: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    merged_into: UUID | None = None


@dataclass(slots=True)
class VersionRow:
    """A wording of a system prompt or a set of tools; stored over what it was. `calls`: of
    all. An empty text changes nothing of it."""

    ns_id: int
    pattern_id: UUID
    number: int
    text_hash: bytes
    text: str
    first_seen: datetime
    last_seen: datetime
    calls: int


@dataclass(slots=True)
class HistoryRow:
    """What became of a pattern: born, reworded, split, merged, renamed, version."""

    ns_id: int
    id: UUID
    at: datetime
    pattern_id: UUID
    what: str
    other: UUID | None = None
    why: str = ""
    actor: str = WORKER


@dataclass(slots=True)
class PatternSum:
    """What is added to the sums of a pattern, a day (UTC) and a model. Where a later signal changes
    what was said of a call, `judged`, `good` and `bad` take back what they had added.

    `call`: the one that it was learnt from. If that was `unlearnt` and no longer is, nothing is
    added: so a batch may be written twice.
    """

    ns_id: int
    pattern_id: UUID
    day: date
    model: str
    calls: int = 0
    judged: int = 0
    good: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    duration_ms: float | None = None
    bad: dict[str, int] = field(default_factory=dict)
    """Signal -> calls."""
    call: UUID | None = None


@dataclass(slots=True)
class UnitRow:
    """A conversation of an experiment as it is now; stored over what it was, until it was judged.

    `success`: no signal that counts was bad; None: nothing says. `cost_usd`: None: not known.
    `latency_ms`: the mean of its calls. `judged_at`: when it was counted.
    """

    ns_id: int
    experiment_id: UUID
    root: bytes
    arm: str
    first_request_id: UUID
    first_at: datetime
    last_at: datetime
    calls: int = 1
    success: bool | None = None
    errors: int = 0
    cost_usd: Decimal | None = None
    latency_ms: float | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    predicted_cached: int = 0
    judged_at: datetime | None = None


@dataclass(slots=True)
class Lessons:
    """What a batch stores of what was learnt."""

    applied: list[AppliedRow] = field(default_factory=list)
    unlearnt: list[UnlearntRow] = field(default_factory=list)
    learnt: list[tuple[int, UUID]] = field(default_factory=list)
    """Of what was `unlearnt` before."""
    patterns: list[PatternRow] = field(default_factory=list)
    versions: list[VersionRow] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    calls: list[PatternCallRow] = field(default_factory=list)
    signals: list[SignalRow] = field(default_factory=list)
    sums: list[PatternSum] = field(default_factory=list)
    units: list[UnitRow] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    def add(self, other: "Lessons") -> None:
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))

    @property
    def ids(self) -> list[UUID]:
        """Those that decide in which week a row belongs."""
        ids = [row.request_id for row in self.applied]
        ids += [row.request_id for row in self.calls]
        return ids + [row.request_id for row in self.signals]
