"""From the tables `[[limits]]` to the counters that a call meets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from llmproxy_core.globs import any_of
from llmproxy_core.limits.call import Call, Kind, Refusal
from llmproxy_core.limits.counters import Bucket, Day, Minute, Slots
from llmproxy_core.limits.ledger import Ledger, counter_id
from llmproxy_core.plural import counted
from llmproxy_core.sections.limits import Fact, LimitConfig

SHOWN = 64
"""Characters of a value in a sentence."""
WORDS: dict[Fact, str] = {
    "namespace": "namespace",
    "key": "key",
    "proxy_user": "user",
    "model": "model",
    "provider": "provider",
}


MODEL = Call._fields.index("model")


@dataclass(frozen=True, slots=True)
class Meter:
    """A counter that a call meets, and what to say of it. `id`: the words that name the counter."""

    limit: str
    kind: Kind
    id: str
    counter: Bucket | Minute | Day | Slots
    allowed: float
    burst: int
    terms: str
    whose: str
    unpriced: Literal["allow", "refuse"]

    def refusal(self, wait: float, amount: float) -> Refusal:
        if wait == float("inf"):
            asked = (
                counted(round(amount), "token") if self.kind == "tokens" else f"{amount:.4g} USD"
            )
            said = (
                f"llmproxy: this call may take {asked}, more than all that the limit "
                f"{self.limit} gives {self.whose}: {self.terms}. Ask for less output."
            )
            return Refusal(self.limit, self.kind, None, said)
        said = (
            f"llmproxy: the limit {self.limit} for {self.whose} is reached: {self.terms}. "
            f"Try again in {max(1, round(wait + 0.5))} s."
        )
        return Refusal(self.limit, self.kind, wait, said)

    def unknown_price(self, call: Call) -> Refusal:
        said = (
            f"llmproxy: nobody knows what the model {shown(call.model)} costs, and the limit "
            f"{self.limit} refuses what it cannot count. Its price can be told in [[prices]]."
        )
        return Refusal(self.limit, "usd", None, said)


class Limit:
    """One table, compiled."""

    def __init__(self, config: LimitConfig) -> None:
        self._config = config
        self._tests: list[tuple[int, Callable[[str], bool]]] = []
        for place, fact in enumerate(Call._fields):
            if globs := getattr(config.match, fact):
                self._tests.append((place, any_of(globs)))
        self._places = [Call._fields.index(fact) for fact in config.per]
        matched: list[Fact] = [fact for fact in WORDS if getattr(config.match, fact)]
        self.wanted: frozenset[Fact] = frozenset(matched) | frozenset(config.per)
        """The facts of a call that it looks at."""

    def holds(self, call: Call) -> bool:
        """Does it cover the call? What is not known fits nothing."""
        return all(call[place] and test(call[place]) for place, test in self._tests)

    def may_hold(self, call: Call) -> bool:
        """`holds`, whatever the model may be."""
        return all(
            place == MODEL or (call[place] and test(call[place])) for place, test in self._tests
        )

    def meters(self, call: Call, ledger: Ledger, slots: dict[str, Slots]) -> list[Meter]:
        """The counters of the values that the call has. `slots`: those of this process."""
        config, values = self._config, [call[place] for place in self._places]
        whose = self._whose(values)
        meters = []

        def add(
            kind: Kind, allowed: float, terms: str, make: Callable[[Ids], Counters], burst: int = 0
        ) -> None:
            ids = counter_id(config.name, kind, *values), counter_id(config.name, kind, "others")
            id = "/".join([config.name, kind, f"{ids[0][0] % 2**64:016x}{ids[0][1] % 2**64:016x}"])
            meters.append(
                Meter(
                    *(config.name, kind, id, make(ids), allowed, burst),
                    *(terms, whose, config.unpriced),
                )
            )

        if requests := config.requests:
            rate, burst = requests
            terms = f"{counted(rate, 'request')} a minute, {burst:,} of them at once"
            add("requests", rate, terms, lambda ids: Bucket(ledger, *ids, requests), burst)
        if tokens := config.tokens_per_minute:
            terms = f"{counted(tokens, 'token')} a minute"
            add("tokens", tokens, terms, lambda ids: Minute(ledger, *ids, tokens))
        if config.usd_per_day is not None:
            usd = float(config.usd_per_day)
            terms = f"{usd:,.15g} USD a day (UTC)"
            add("usd", usd, terms, lambda ids: Day(ledger, *ids, usd))
        if calls := config.concurrent:
            terms = f"{counted(calls, 'call')} at a time"
            add("concurrent", calls, terms, lambda ids: _slots(slots, ids, calls))
        return meters

    def _whose(self, values: Sequence[str]) -> str:
        if not values:
            return "all its calls together"
        named = zip(self._config.per, values, strict=True)
        return ", ".join(f"{WORDS[fact]} {shown(value)}" for fact, value in named)


type Ids = tuple[tuple[int, int], tuple[int, int]]
type Counters = Bucket | Minute | Day | Slots


def shown(value: str) -> str:
    """A value that came from the network, fit for a sentence."""
    if not value:
        return "(unknown)"
    cut = value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    return cut if cut.isprintable() else ascii(cut)


def _slots(slots: dict[str, Slots], ids: Ids, limit: int) -> Slots:
    found = slots.setdefault(repr(ids[0]), Slots(limit))
    found.limit = limit
    return found
