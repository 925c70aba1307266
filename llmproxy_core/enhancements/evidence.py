"""What the store knows of a pattern, as far as suggestions need it: all that they are made from.

Built by the worker from rows; everything in it is bounded there (MOST_CALLS, MOST_EXEMPLARS,
LONGEST_TEXT), and texts are as the store has them: redacted, masked, or left out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Literal

from llmproxy_core.model import Json, Usage
from llmproxy_core.pricing import NO_PRICES, OwnPrices

MOST_CALLS = 2000
MOST_EXEMPLARS = 20
LONGEST_TEXT = 100_000
"""Characters of one text of an exemplar."""

type Wanted = Literal["nothing", "object", "schema", "strict"]
"""The output form that a request asks for by parameter: any JSON object, a schema, a strict one."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One call of the pattern.

    `parameters`: by the common names of operations (`max_tokens`, `temperature`), not the wire's.
    `declared`: names of the tools that the request offers; `called`: those that a model called
    anywhere in the same conversation, before or after; `forced`: those that `tool_choice` names.
    `prefix`: hash of tools and system prompt, as sent, without cache marks; `prefix_tokens`: their
    estimated size. `breakpoints`: cache marks in the request. `conversation`: its root; `turn`
    counts its earlier calls. `owner`: fingerprint of the key, for caches are not shared. `judged`: some signal that counts was observed; `bad`: names of signals
    with a bad verdict. `editable`: False where the body is signed or cannot be edited otherwise.
    """

    id: str
    at: datetime
    provider: str = "openai"
    model: str = ""
    wire: str = "openai.chat"
    owner: str = ""
    conversation: str = ""
    turn: int = 0
    parameters: Mapping[str, Json] = field(default_factory=dict)
    declared: tuple[str, ...] = ()
    called: frozenset[str] = frozenset()
    forced: frozenset[str] = frozenset()
    usage: Usage = field(default_factory=Usage)
    wanted: Wanted = "nothing"
    is_json: bool | None = None
    """Is the answer an object or a list of JSON, and nothing else? None: there is no answer."""
    prefix: str = ""
    prefix_tokens: int = 0
    has_system: bool = False
    breakpoints: int = 0
    judged: bool = True
    bad: frozenset[str] = frozenset()
    editable: bool = True


@dataclass(frozen=True, slots=True)
class Exemplar:
    """The texts of one call. `why`: signal with a bad verdict → in words, empty for a good one."""

    id: str
    system: str = ""
    user: str = ""
    answer: str = ""
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """What answers do wrong, with its place, as the signal `format` words it: `$.topic is missing`,
    `$.items[*].price is not of type number`. See `violations.py`."""

    fault: str
    calls: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """`calls`: the newest, MOST_CALLS at most, in the order of time; `total`: how many there were
    in `days`. `template`: the pattern's text with `{slot}`; `constant`: its constant pieces.
    `tools`: tokens of each tool's definition. `schema`: that answers should fit, if one is known."""

    pattern_id: str
    name: str = ""
    kind: Literal["user", "system", "tools"] = "user"
    type: str = ""
    template: str = ""
    constant: tuple[str, ...] = ()
    calls: tuple[Observed, ...] = ()
    total: int = 0
    days: float = 1.0
    tools: Mapping[str, int] = field(default_factory=dict)
    schema: Mapping[str, Json] | None = None
    violations: tuple[Violation, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    prices: OwnPrices = NO_PRICES

    @property
    def editable(self) -> list[Observed]:
        """Calls that an edit can reach."""
        return [call for call in self.calls if call.editable]

    @property
    def wires(self) -> frozenset[str]:
        return frozenset(call.wire for call in self.editable)

    @property
    def failing(self) -> Counter[str]:
        """Calls per signal with a bad verdict."""
        return Counter(name for call in self.calls if call.judged for name in call.bad)

    def a_day(self, amount: float) -> float:
        """What is true of the sample, for all calls of a day."""
        share = max(1.0, self.total / max(1, len(self.calls)))
        return amount * share / max(self.days, 1e-3)

    @property
    def hash(self) -> str:
        """Of what a question to the advisor rests on, coarse enough that more of the same changes
        nothing: the texts around the slots, where and how calls are made, what fails and how often
        (in tenths of the calls)."""
        judged = sum(call.judged for call in self.calls)
        failing = sorted(
            (name, round(10 * n / judged)) for name, n in self.failing.items() if 20 * n >= judged
        )
        models = sorted({f"{call.provider}/{call.model}" for call in self.editable})
        said = repr((self.pattern_id, self.template, models, sorted(self.wires), failing))
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
