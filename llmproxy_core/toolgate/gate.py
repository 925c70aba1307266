"""The queue in which events wait for the verdict on the calls that are in them."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from llmproxy_core.namespace.events import Event
from llmproxy_core.namespace.waiting import ALIVE, SMALL
from llmproxy_core.toolgate.call import Call, Cut, Fields, Format, Heard

DONE = b"[DONE]"
ESCAPED = re.compile(rb"\\u00(?:2[dD]|[4-7][0-9a-fA-F])")
"""A letter, `-` or `_` as nobody needs to write it: it may stand in a word of a call."""
PATIENCE = 5.0
"""Seconds for which what only keeps a connection alive keeps its place behind a call."""

EMPTY = b" \t\r\n,[]\xef\xbb\xbf"
"""What stands around JSON."""

type Judge = Callable[[Call], str]
"""Asked once for each call: "" lets it go on; else the text that the client gets in its place."""


class Unread(ValueError):
    """An event may have a call in it and cannot be read as its answer is: a client may read it in
    another way."""


class Script(Protocol):
    """How events are written down."""

    def text(self, event: Event) -> bytes:
        """Its JSON, in which words are looked for."""
        ...

    def read(self, text: bytes) -> Fields | None: ...

    def written(self, event: Event, told: Fields) -> bytes:
        """What is sent in place of an event, or with it."""
        ...


@dataclass(slots=True)
class _Waiting:
    event: Event
    told: Fields | None
    calls: list[Call]
    changed: bool = False
    since: float = 0.0


class Gate:
    """`put` events, and send on what it gives. Calls are held until `judge` has decided.

    `limit`: bytes that are held; then what is held is judged as it is. `strict`: `put` raises for
    what is `unread`; else it passes.
    """

    __slots__ = ("_denied", "_format", "_judge", "_limit", "_open", "_script", "_size", "_strict",
                 "_unsent", "_waiting", "unread")  # fmt: skip

    def __init__(
        self, format: Format, script: Script, judge: Judge, limit: int, *, strict: bool = False
    ) -> None:
        self._format = format
        self._script = script
        self._judge = judge
        self._limit = limit
        self._waiting: deque[_Waiting] = deque()
        self._open: dict[int, Call] = {}
        """Calls that are not decided, by their `id`."""
        self._size = 0
        self._denied = False
        self._unsent: Event | None = None
        self._strict = strict
        self.unread: Unread | None = None

    @property
    def idle(self) -> bool:
        """Is nothing held, and nothing to be made to fit what was denied?"""
        return not (self._waiting or self._open or self._denied)

    def sleeps(self, text: bytes) -> bool:
        """May events pass of which this is the text? Only while it is idle."""
        if may_call(text, self._format.words):
            return False
        self._format.overhear(text)
        return True

    def put(self, event: Event, out: list[bytes], *, broken: bool = False) -> None:
        """Adds to `out` what may go on, now that this event has come. After it has raised, what is
        neither there nor given by `surrender` has been dealt with. `broken`: off in the middle, so
        that nobody can read it."""
        self._unsent = event
        self._put(event, out, broken)
        self._unsent = None

    def settle(self, cut: Cut, out: list[bytes]) -> None:
        """No more of the calls will come."""
        self._decide_all(cut)
        self._release(out)

    def surrender(self) -> list[bytes]:
        """All that is held, as it came."""
        held = [one.event.raw for one in self._waiting]
        if self._unsent is not None:
            held.append(self._unsent.raw)
        self._waiting.clear()
        self._unsent = None
        return held

    def _put(self, event: Event, out: list[bytes], broken: bool) -> None:
        text = self._script.text(event)
        if self.idle and not may_call(event.payload, self._format.words) and self.sleeps(text):
            out.append(event.raw)
            return
        told = self._script.read(text)
        if told is None and not broken:
            self._note(event, text)
        if told is None and text.lstrip().startswith(DONE):
            self.settle("ended", out)
        if (told is None or _only_alive(text)) and self._hurries:
            out.append(event.raw)
            return
        heard = Heard() if told is None else self._format.hear(told)
        self._hear(heard.calls)
        for call in heard.ended:
            self._decide(call)
        one = _Waiting(event, told, heard.calls)
        if heard.passes or not (self._waiting or _undecided(one)):
            out += self._sent(one)
        else:
            self._hold(one, heard, out)

    def _hold(self, one: _Waiting, heard: Heard, out: list[bytes]) -> None:
        if heard.ahead is not None and heard.rest is not None and _undecided(one):
            out += self._sent(_Waiting(one.event, heard.ahead, [], changed=True))
            one.told, one.changed = heard.rest, True
        one.since = monotonic()
        self._waiting.append(one)
        self._unsent = None
        self._size += len(one.event.raw)
        if self._size > self._limit:
            self._decide_all("large")
        self._release(out)

    def _note(self, event: Event, text: bytes) -> None:
        """Of what is no JSON object."""
        said = text.strip(EMPTY)
        goes_on = bool(self._open and said and not said.startswith(DONE[1:-1]))
        if goes_on or may_call(event.payload, self._format.words):
            self.unread = Unread("an event may have a call of a tool in it, and cannot be read")
            if self._strict:
                raise self.unread

    @property
    def _hurries(self) -> bool:
        """Does nothing wait, or so long that a client may think that the connection is dead?"""
        return not self._waiting or monotonic() - self._waiting[0].since > PATIENCE

    def _hear(self, calls: list[Call]) -> None:
        self._open.update((id(call), call) for call in calls if call.said is None)

    def _decide(self, call: Call) -> None:
        self._open.pop(id(call), None)
        if call.said is None:
            call.said = self._judge(call)
            self._denied = self._denied or call.denied

    def _decide_all(self, cut: Cut) -> None:
        for call in [*self._open.values()]:
            call.cut = cut
            self._decide(call)

    def _release(self, out: list[bytes]) -> None:
        while self._waiting and not _undecided(self._waiting[0]):
            out += self._sent(self._waiting[0])
            self._size -= len(self._waiting.popleft().event.raw)

    def _sent(self, one: _Waiting) -> list[bytes]:
        if one.told is None:
            return [one.event.raw]
        leaves = self._format.changed(one.told) if self._denied else [one.told]
        if len(leaves) == 1 and leaves[0] is one.told and not one.changed:
            return [one.event.raw]
        return [self._script.written(one.event, told) for told in leaves]


def may_call(text: bytes, words: Sequence[bytes]) -> bool:
    """Is there such a word in a JSON text, however it is spelled?"""
    if any(word in text for word in words):
        return True
    return b"\\u00" in text and ESCAPED.search(text) is not None


def _only_alive(text: bytes) -> bool:
    return len(text) < SMALL and ALIVE.search(text) is not None


def _undecided(one: _Waiting) -> bool:
    return any(call.said is None for call in one.calls)
