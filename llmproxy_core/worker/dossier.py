"""The evidence of a pattern: its newest calls, read again out of the store."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from llmproxy_core.enhancements.evidence import (
    LONGEST_TEXT,
    MOST_EXEMPLARS,
    Evidence,
    Exemplar,
    Observed,
)
from llmproxy_core.enhancements.observing import observed
from llmproxy_core.enhancements.violations import violations
from llmproxy_core.model import Json
from llmproxy_core.namespace.signed import signed
from llmproxy_core.patterns.documents import tool_lines
from llmproxy_core.patterns.structure import facts_of
from llmproxy_core.pricing import OwnPrices
from llmproxy_core.pricing.estimate import tokens
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.formats import read_body
from llmproxy_core.store import learnt
from llmproxy_core.store.call_rows import RequestRow, ResponseRow
from llmproxy_core.store.database import Reading
from llmproxy_core.store.pattern_evidence import Busy, newest
from llmproxy_core.success.call import Call
from llmproxy_core.success.demands import form_of
from llmproxy_core.success.rate import LEAST
from llmproxy_core.success.registry import judge
from llmproxy_core.success.signal import Signal
from llmproxy_core.worker.school import stored_calls

MOST_CALLS = 400
"""That are read again: each takes most of a millisecond."""
LARGEST = 64 * 2**20
"""Bytes of all their bodies."""
BREATH = 0.002
"""Seconds between two of them, for those who store calls."""
SLOT = "{slot}"


def evidence(
    connection: Reading,
    pattern: Busy,
    counting: Collection[str],
    prices: OwnPrices,
    stop: Callable[[], bool] = lambda: False,
) -> Evidence:
    """Raises StoreError. Takes a second for some hundred calls, and lets others work meanwhile."""
    ids = newest(connection, pattern.ns_id, pattern.id, MOST_CALLS)
    told = learnt.signals(connection, pattern.ns_id, ids)
    reading = _Reading(counting)
    for call, asked, answer in stored_calls(connection, pattern.ns_id, ids[::-1]):
        if asked.body_kept == "full":
            reading.read(call, asked, answer, told.get(call.id, []))
        if stop() or reading.size > LARGEST:
            break
        time.sleep(BREATH)
    span = pattern.last_seen - pattern.first_seen
    return Evidence(
        pattern_id=str(pattern.id),
        name=pattern.name,
        kind="user",
        type=pattern.type,
        template="".join(SLOT if piece is None else piece for piece in pattern.pieces),
        constant=tuple(piece for piece in pattern.pieces if piece is not None),
        calls=reading.calls,
        total=pattern.calls,
        days=max(span.total_seconds() / 86_400, 1e-3),
        tools=reading.tools,
        schema=reading.schema,
        violations=violations(reading.whys),
        exemplars=reading.exemplars,
        prices=prices,
    )


class _Reading:
    """What was read so far. Of each call no more is kept than suggestions need."""

    def __init__(self, counting: Collection[str]) -> None:
        self.size = 0
        """Bytes of all bodies."""
        self.whys: list[str] = []
        self.tools: dict[str, int] = {}
        self.schema: dict[str, Json] | None = None
        self._counting = counting
        self._seen: list[Observed] = []
        self._failed: list[Exemplar] = []
        self._went_well: list[Exemplar] = []
        self._called: defaultdict[str, set[str]] = defaultdict(set)
        self._turns: defaultdict[str, int] = defaultdict(int)

    @property
    def calls(self) -> tuple[Observed, ...]:
        """With the tools that were called anywhere in their conversations."""
        return tuple(
            replace(one, called=frozenset(self._called[one.conversation])) for one in self._seen
        )

    @property
    def exemplars(self) -> tuple[Exemplar, ...]:
        """Failures first, the newest of each; some that went well."""
        failed = self._failed[::-1][: MOST_EXEMPLARS * 3 // 4]
        return (*failed, *self._went_well[::-1][: MOST_EXEMPLARS - len(failed)])

    def read(
        self, call: Call, asked: RequestRow, answer: ResponseRow, told: Sequence[Signal]
    ) -> None:
        self.size += len(asked.body) + len(answer.body)
        call.body, _ = read_body(asked.wire, asked.headers, asked.body)
        signals = list(told) or judge(call)
        session = call.session.hex
        self._called[session] |= _called(call)
        self._seen.append(
            observed(
                call,
                signals,
                provider=asked.provider,
                model=answer.model or asked.model or "",
                conversation=session,
                turn=self._turns[session],
                owner=asked.credential or "",
                signed=signed(asked.headers, asked.path),
                counting=self._counting,
            )
        )
        self._turns[session] += 1
        self._offered(call, asked)
        schema = form_of(call.wire, call.body).schema
        if isinstance(schema, dict):
            self.schema = schema
        self._exemplify(call, asked, signals)

    def _exemplify(self, call: Call, asked: RequestRow, signals: Sequence[Signal]) -> None:
        bad = {
            one.name: one.why
            for one in signals
            if one.verdict == "bad" and one.weight >= LEAST and one.name in self._counting
        }
        if "format" in bad:
            self.whys.append(bad["format"])
        facts = facts_of(call.wire, asked.headers, call.request)
        kept = self._failed if bad else self._went_well
        kept.append(
            Exemplar(
                str(call.id),
                facts.system[:LONGEST_TEXT],
                facts.user[:LONGEST_TEXT],
                call.response.text[:LONGEST_TEXT],
                bad,
            )
        )
        del kept[:-MOST_EXEMPLARS]

    def _offered(self, call: Call, asked: RequestRow) -> None:
        """The size of each tool."""
        if all(tool.name in self.tools for tool in call.request.tools):
            return
        body, _ = decode_body(asked.headers, asked.body)
        for line in tool_lines(asked.wire, body):
            name, _, definition = line.partition(" ")
            self.tools[name] = tokens(definition)


def _called(call: Call) -> set[str]:
    """The tools that were called up to now in the conversation of a call."""
    names = {one.name for one in call.response.tool_calls}
    for message in call.request.messages:
        names.update(p.name for p in message.parts if p.kind == "tool_call" and p.name)
    return names
