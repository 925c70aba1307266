"""Takes prefixes off the names that a model mentions in its texts, also of those that are streamed.

Where the text of an event ends with what may be the beginning of a sent name, the event waits, and
with it all after it, until the next event of its block decides. None is lost, changed otherwise,
or overtaken, but by comments and pings, which keep a connection alive.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from llmproxy_core.namespace.events import FrameEvents
from llmproxy_core.namespace.eventtexts import EventTexts
from llmproxy_core.namespace.grammar import Node
from llmproxy_core.namespace.waiting import Waiting

PAST = 8
"""Chunks that are kept asleep."""


class Names(Protocol):
    """An answer whose names have been restored where names stand."""

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class SpokenNames:
    """An answer as `names` give it, with its texts as the client knows them. Raises on nothing."""

    __slots__ = ("_names", "_texts")

    def __init__(
        self,
        names: Names,
        grammar: Node,
        back: Mapping[bytes, bytes],
        prefix: bytes,
        *,
        frames: bool,
        lines: bool,
    ) -> None:
        """`back`: from the sent names, which all have the prefix, to the client's. `frames`: it is
        an AWS eventstream; `lines`: it is announced as one JSON text a line."""
        self._names = names
        self._texts = EventTexts(
            Waiting(grammar, back),
            _beginning(prefix),
            events=FrameEvents() if frames else None,
            lines=lines,
            past=PAST,
        )

    @property
    def fault(self) -> Exception | None:
        """What went wrong; from there on all passes as it came."""
        return self._texts.fault

    def feed(self, data: bytes) -> bytes:
        return self._texts.feed(self._names.feed(data))

    def finish(self) -> bytes:
        return self._texts.feed(self._names.finish()) + self._texts.finish()


def _beginning(prefix: bytes) -> re.Pattern[bytes]:
    """What a text has in it, or at its end, if a name with this prefix may begin there."""
    ends = [re.escape(prefix[:size]) + b'"' for size in range(1, len(prefix))]
    return re.compile(b"|".join([re.escape(prefix), *ends]))
