"""What is derived of each call that has ended: its words for the search, its part of the rollups.

Names of models and clients come from outside: an hour has a limited number of them, and the rest
is added up under OTHER, so that nobody can blow up the rollups with names.
"""

import re
from decimal import Decimal

from llmproxy_core.model import header
from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import Contribution, ResponseRow
from llmproxy_core.words import words
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.moments import moment
from llmproxy_core.worker.naming import address
from llmproxy_core.worker.seal import Sealed
from llmproxy_core.worker.vocabulary import Vocabulary, search_row

OTHER = "other"
MOST_MODELS = 200
MOST_FAILED = 20
"""Of them, those that no answer has confirmed."""
MOST_CLIENTS = 50
HELD_HOURS = 100
LONGEST = 100
FAMILY = re.compile(r"[^/\s(;]+")


class Derivation:
    """Not thread-safe; one a worker, for the journals of all proxies."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._models = Names(MOST_MODELS)
        self._failed = Names(MOST_FAILED)
        self._clients = Names(MOST_CLIENTS)

    def opened(self, exchange: Exchange) -> None:
        exchange.words = self._vocabulary.asked(exchange.request)

    def closed(self, exchange: Exchange, sealed: Sealed, into: Batch) -> None:
        row, opened = sealed.response, exchange.opened
        answered = self._vocabulary.answered(sealed.answer)
        if opened.prefix:
            names = ClientNames(opened.prefix, opened.shortened)
            answered = answered.union(*(words(names.of(c.name)) for c in sealed.answer.tool_calls))
        if (found := search_row(row.ns_id, row.id, exchange.words, answered)) is not None:
            into.search.append(found)
        into.rollups.append(self._contribution(exchange, row, len(sealed.tool_calls)))

    def _contribution(self, exchange: Exchange, row: ResponseRow, calls: int) -> Contribution:
        opened = exchange.opened
        hour = moment(opened.at).replace(minute=0, second=0, microsecond=0)
        scope = (row.ns_id, hour.timestamp())
        model = (row.model or exchange.request.model or "")[:LONGEST]
        if row.state == "failed" and not self._models.knows(scope, model):
            model = self._failed.admit(scope, model)
        else:
            model = self._models.admit(scope, model)
        return Contribution(
            ns_id=row.ns_id,
            id=row.id,
            hour=hour,
            provider=opened.provider,
            model=model,
            client=self._clients.admit(scope, client_of(exchange)),
            asked=exchange.request.model,
            answered=row.model,
            error=row.state == "failed",
            tool_calls=calls,
            input_tokens=row.input_tokens or 0,
            output_tokens=row.output_tokens or 0,
            cached_tokens=row.cached_tokens or 0,
            cache_write_tokens=row.cache_write_tokens or 0,
            reasoning_tokens=row.reasoning_tokens or 0,
            cost_usd=row.cost_usd or Decimal(0),
            duration_ms=row.duration_ms,
            first_token_ms=row.first_token_ms,
        )


class Names:
    """The names admitted in each hour of a namespace, the first `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._admitted: dict[tuple[int, float], set[str]] = {}

    def knows(self, scope: tuple[int, float], name: str) -> bool:
        return name in self._admitted.get(scope, ())

    def admit(self, scope: tuple[int, float], name: str) -> str:
        """The name, or OTHER."""
        names = self._admitted.get(scope)
        if names is None:
            names = self._admitted[scope] = set()
            while len(self._admitted) > HELD_HOURS:
                del self._admitted[next(iter(self._admitted))]
        if name in names or len(names) < self._most:
            names.add(name)
            return name
        return OTHER


def client_of(exchange: Exchange) -> str:
    """The proxy user, else the first word of the user agent, else the address."""
    if user := exchange.opened.proxy_user:
        return user[:LONGEST]
    family = FAMILY.search(header(exchange.opened.headers, "user-agent") or "")
    return (family[0] if family else address(exchange.opened.client))[:LONGEST]
