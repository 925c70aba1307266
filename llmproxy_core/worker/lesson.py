"""A call that is over, as far as something is learnt of it: its texts for patterns, what it took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from llmproxy_core.hashing import checksum
from llmproxy_core.model import Headers, Message, header
from llmproxy_core.patterns.structure import instructions, newest, shortened
from llmproxy_core.records import Enhanced
from llmproxy_core.store.call_rows import ResponseRow
from llmproxy_core.success.call import Call
from llmproxy_core.success.demands import form_of
from llmproxy_core.worker.demanded import Demanded
from llmproxy_core.worker.moments import moment

CONTROL = frozenset({"control", "holdout"})
"""Arms of an experiment in which nothing is changed."""
LONGEST_NAME = 100


@dataclass(slots=True)
class Took:
    """What a call adds to the sums of its patterns. `model`: the one that answered."""

    day: date
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    duration_ms: float | None = None

    @classmethod
    def of(cls, call: Call, row: ResponseRow) -> "Took":
        return cls(
            moment(call.at).date(),
            (row.model or call.request.model or "")[:LONGEST_NAME],
            row.input_tokens or 0,
            row.output_tokens or 0,
            row.cached_tokens or 0,
            row.cost_usd or Decimal(0),
            row.duration_ms,
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """How a call was made: does it offer tools, bring results of them, ask for JSON of a schema?
    `site`: the program that made it."""

    tools: bool = False
    tool_results: bool = False
    schema: bool = False
    roles: tuple[str, ...] = ()
    wire: str = ""
    site: str = ""

    @classmethod
    def of(cls, call: Call, steps: Sequence[Message], headers: Headers) -> "Shape":
        """`steps`: the messages after the newest one of the user."""
        results = any(part.kind == "tool_result" for step in steps for part in step.parts)
        agent = header(headers, "user-agent") or ""
        return _shape(
            tools=bool(call.request.tools),
            tool_results=results,
            schema=form_of(call.wire, call.body).schema is not None,
            roles=tuple({message.role: None for message in call.request.messages}),
            wire=call.wire,
            site=agent.partition("/")[0][:LONGEST_NAME],
        )


_shape = lru_cache(256)(Shape)


@dataclass(slots=True)
class Lesson:
    """`user`: the prompt, "" where the call asks none of its own, or its text was not kept. `system`:
    the instructions; `tools`: as `Versions` reads them, None: those of `tools_key` are known.
    `enhanced`: what the proxy had done. `done`: the kinds of which its pattern is stored."""

    ns_id: int
    id: UUID
    at: int
    session: str
    took: Took
    shape: Shape = field(default_factory=Shape)
    user: str = ""
    system: str = ""
    tools: str | None = ""
    tools_key: int = 0
    enhanced: Enhanced | None = None
    done: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        call: Call,
        took: Took,
        asked: Demanded,
        headers: Headers,
        enhanced: Enhanced | None = None,
    ) -> "Lesson":
        made = cls(call.ns_id, call.id, call.at, call.session.hex, took, enhanced=enhanced)
        if call.aside or not call.asks:
            return made
        messages = call.request.messages
        text, after = newest(messages)
        made.shape = Shape.of(call, messages[len(messages) - after :], headers)
        made.user = shortened(text) if not after else ""
        made.system = shortened("\n\n".join(instructions(call.request, messages)))
        made.tools_key, made.tools = asked.tools_key, asked.tools
        return made

    @property
    def changed(self) -> bool:
        """Are the texts in the store others than those that the client sent?"""
        done = self.enhanced
        return done is not None and bool(
            done.applied or any(arm not in CONTROL for _, arm in done.arms)
        )

    @property
    def characters(self) -> int:
        return len(self.user) + len(self.system) + len(self.tools or "")

    @property
    def says(self) -> bool:
        """Is there anything in it that patterns are made of?"""
        return bool(self.user or self.system or self.tools_key or self._recognised)

    @property
    def waits(self) -> bool:
        """Is there a prompt of which the pattern is not stored?"""
        return bool(self.user) and not self.changed and "user" not in self.done

    @property
    def _recognised(self) -> bool:
        told = self.enhanced
        return told is not None and bool(told.user or told.system or told.tools)

    def recognised(self, kind: str) -> str:
        """The id of its pattern, as the proxy knew it; "": it did not."""
        return getattr(self.enhanced, kind) if self.enhanced is not None else ""

    def key(self, kind: str) -> int:
        """By which a text is known again; 0: there is none to look at."""
        if self.changed:
            return 0
        if kind == "tools":
            return self.tools_key
        text = self.user if kind == "user" else self.system
        return checksum(text.encode("utf-8", "replace")) if text else 0
