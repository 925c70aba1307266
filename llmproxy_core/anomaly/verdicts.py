"""What the detectors say of a request, of which most was there before: only what is new is read.

A conversation repeats all its turns with every request. So the verdict about an element of a body
is kept by its content hash, and a turn is judged once. Judging has a budget of time; what it does
not suffice for is left to the worker, and tried again when it comes again.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llmproxy_core.anomaly.elements import BATCH, IN_BATCHES, WRAPPERS, Element, elements
from llmproxy_core.anomaly.finding import Detector, Text
from llmproxy_core.anomaly.learning import Learned
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.panel import Panel
from llmproxy_core.anomaly.texts import request_texts, unknown_texts
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.model import Request
from llmproxy_core.providers.form import is_form, read_form
from llmproxy_core.providers.formats import FORMATS, read_request
from llmproxy_core.providers.frames import FRAMED, client_line
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.repeated import repeats, repeats_outside, with_the_first
from llmproxy_core.spans.recent import Recent

REMEMBERED = 16_384
"""Elements whose verdict is known without looking."""
BODIES = 1024
"""The same for whole bodies: many programs ask again what failed."""
ELEMENTS = 50_000
"""Of a body; there are some with a million, in which nobody says anything."""
BUDGET_MS = 5.0
"""CPU for what is new in a request."""
CHARACTERS_PER_MS = 4096
"""As fast as texts are judged; a longer one than there is time for is not begun."""
TOOLS = 4096
"""Calls of tools whose results may still come."""
ELSEWHERE = frozenset({"openai.batches", "mistral.batches", "vertex.batches"})
"""Formats of which the requests are in a file that was sent before."""
FILES = (b'"fileName"', b'"file_name"')
REPEATED = "a key is there twice, so that it may be read in two ways"
UNREAD = ("not JSON", "too large")
"""What is wrong with a body of which nothing was read."""
AWAY = "what is asked is in a file that was sent before"
WRAPPING = frozenset({*WRAPPERS, BATCH, *IN_BATCHES})

type Key = tuple[str, Hash, frozenset[str] | None]
"""Wire format, content hash, and who was asked."""


@dataclass(slots=True)
class Judged:
    """`found`: in all of the request. `left`: texts for which there was no time. `faults`: of the
    detectors, in words."""

    found: list[Located] = field(default_factory=list)
    left: int = 0
    faults: list[str] = field(default_factory=list)
    asked: frozenset[str] | None = None
    """The detectors that were; None: all."""

    @property
    def whole(self) -> bool:
        """Has everything been looked at, by every detector?"""
        return not self.left and not self.faults

    def worth_telling(self, learned: Learned, namespace: str) -> "Judged":
        """Without the findings that people have taught not to tell."""
        self.found = [
            one
            for one in self.found
            if learned.tells(namespace, one.finding.detector, one.finding.score, one.hash)
        ]
        return self


class Verdicts:
    """Not thread-safe; one a proxy. Raises nothing."""

    def __init__(self, detectors: Sequence[Detector], budget_ms: float = BUDGET_MS) -> None:
        self._panel = Panel(detectors)
        self._budget_ms = budget_ms
        self._known: Recent[Key, tuple[Located, ...]] = Recent(REMEMBERED)
        self._bodies: Recent[Key, tuple[Located, ...]] = Recent(BODIES)
        self._tools: Recent[str, str] = Recent(TOOLS)

    def warm(self) -> None:
        """See `Panel.warm`."""
        self._panel.warm()

    def request(
        self,
        wire: str,
        path: str,
        body: bytes,
        *,
        asked: frozenset[str] | None = None,
        whole: bool = False,
    ) -> Judged:
        """Of a body without content codings, or of a frame of a WebSocket's client. `asked`: the
        detectors that are, by name; None: all. `whole`: all of it, however long that takes."""
        if asked is not None and not asked:
            return Judged(asked=asked)
        same = (wire, content_hash(body), asked)
        if (known := self._bodies.get(same)) is not None:
            return Judged([*known], asked=asked)
        judged = Judged(asked=asked)
        clock = _Clock(None if whole else self._budget_ms)
        if repeats_outside(body, WRAPPING):
            judged.faults.append(REPEATED)
        if _elsewhere(wire, body):
            judged.faults.append(AWAY)
        self._request(wire, path, body, judged, clock)
        if REPEATED in judged.faults:
            judged.faults = [*dict.fromkeys(judged.faults)]
            self._request(wire, path, with_the_first(body), judged, clock)
        if judged.whole:
            self._bodies[same] = tuple(one.remembered() for one in judged.found)
        return judged

    def _request(self, wire: str, path: str, body: bytes, judged: Judged, clock: "_Clock") -> None:
        """By all of its elements."""
        for number, element in enumerate(elements(body)):
            if number == ELEMENTS:
                judged.left += 1
                break
            key = (wire, element.hash, judged.asked)
            known = self._known.get(key)
            if known is not None:
                judged.found += known
                continue
            if clock.over:
                judged.left += 1
                continue
            new = Judged(asked=judged.asked)
            for text in self._texts(element, wire, path, new.faults):
                self._judge(text, new, clock)
            judged.found += new.found
            judged.left += new.left
            judged.faults += new.faults
            if new.whole:
                self._known[key] = tuple(one.remembered() for one in new.found)

    def text(self, text: Text, asked: frozenset[str] | None = None) -> Judged:
        """Of one text, such as the arguments of a tool, however long it takes."""
        judged = Judged(asked=asked)
        self._judge(text, judged, _Clock(None))
        return judged

    def _judge(self, text: Text, judged: Judged, clock: "_Clock") -> None:
        if not clock.suffices(text.text):
            judged.left += 1
            return
        findings = self._panel.find(text, judged.faults, judged.asked)
        if findings:
            hash = content_hash(text.text.encode("utf-8", "surrogatepass"))
            judged.found += (Located.of(one, text, hash) for one in findings)

    def _texts(self, element: Element, wire: str, path: str, faults: list[str]) -> list[Text]:
        """`faults`: is told what keeps it from being read as the provider reads it."""
        if repeats(element.raw):
            faults.append(REPEATED)
        body = element.alone()
        if wire not in FORMATS:
            return [*_unknown(body, faults)]
        if wire in FRAMED:
            body = client_line(body)
        request, problem = read_request(wire, path, [], body)
        if problem is not None and problem.startswith(UNREAD) and wire not in FRAMED:
            faults.append(problem)
        self._name_results(request)
        return list(request_texts(request))

    def _name_results(self, request: Request) -> None:
        """Results say which call they answer, not of which tool."""
        for message in request.messages:
            for part in message.parts:
                if part.kind == "tool_call" and part.id and part.name:
                    self._tools[part.id] = part.name
                elif part.kind == "tool_result" and part.id and not part.name:
                    part.name = self._tools.get(part.id)


def _elsewhere(wire: str, body: bytes) -> bool:
    return wire in ELSEWHERE or (wire == "gemini.batches" and any(one in body for one in FILES))


def _unknown(body: bytes, faults: list[str]) -> Iterator[Text]:
    value, problem = read_form(body) if is_form(body) else parse(body)
    if value is None and body.strip():
        faults.append(problem or "not read")
        value = body.decode("utf-8", "replace")
    return unknown_texts(value)


class _Clock:
    """The time of this thread; None: there is no end of it."""

    def __init__(self, budget_ms: float | None) -> None:
        self._until = None if budget_ms is None else time.thread_time_ns() + budget_ms * 1e6

    @property
    def over(self) -> bool:
        return self._until is not None and time.thread_time_ns() >= self._until

    def suffices(self, text: str) -> bool:
        if self._until is None:
            return True
        left_ms = (self._until - time.thread_time_ns()) / 1e6
        return len(text) <= max(0.0, left_ms) * CHARACTERS_PER_MS
