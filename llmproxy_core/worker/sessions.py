"""Which session a request belongs to.

The session that the client names, if it names one. Else that of the request which this one
continues, by its messages or because it says so; a conversation that continues none is a session
of its own. What is no conversation belongs to the session of its client, which ends with GAP of
silence. A session's id is made from what names it, so that it is the same after a restart.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from llmproxy_core.conversations.lineage import Found, Lineage
from llmproxy_core.conversations.node import Link, Node
from llmproxy_core.conversations.recall import Recall
from llmproxy_core.model import Request, Response
from llmproxy_core.providers.formats import FORMATS
from llmproxy_core.records import Opened
from llmproxy_core.withholding.unsaid import SKELETON
from llmproxy_core.worker.asking import read_asked
from llmproxy_core.worker.identity import named
from llmproxy_core.worker.naming import Thread, by_client, by_name, by_silence, weak

GAP = 300 * 10**9
"""ns of silence after which a client without ids begins another session."""
REMEMBERED = 20_000
INTERVALS = 4
NOWHERE = Found(Link())
BY_MESSAGES = "messages"
"""The source of a session that is known by what was said in it."""
NO_CONVERSATION = (
    "audio",
    "batches",
    "completions",
    "embed",
    "images",
    "live",
    "moderations",
    "ollama.generate",
    "realtime",
    "rerank",
)
"""In the names of wires whose requests do not hold what was said before."""


@dataclass(slots=True, weakref_slot=True)
class Span:
    """A session that goes on: ns since 1970 of its first request and of the last thing in it."""

    id: UUID
    begin: int
    end: int

    def covers(self, at: int) -> bool:
        return self.begin - GAP <= at <= self.end + GAP


class Memory(Recall, Protocol):
    """What the store remembers of sessions. Raises DatabaseUnavailable."""

    def recent_sessions(self, ns_id: int, source: str, since: int) -> Sequence[Span]:
        """Sessions of a source in which anything happened since a time (ns since 1970)."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """The session of a request, as its row and the session's row want it, and its parent."""

    id: UUID
    source: str
    external_id: str | None
    found: Found = NOWHERE


class Sessions:
    """Finds sessions; remembers the latest ones and asks the store for others."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lineage = Lineage(memory)
        self._spans: OrderedDict[tuple[str, ...], list[Span]] = OrderedDict()
        self._live: WeakValueDictionary[UUID, Span] = WeakValueDictionary()
        self._revived: dict[UUID, Span] = {}

    def place(self, ns_id: int, opened: Opened, request: Request, body: bytes = b"") -> Placed:
        """The session of a request with `body`, as on the wire, and its parent.

        Raises DatabaseUnavailable, and nothing has changed then. `began` makes it certain.
        """
        headers = by_name(opened.headers)
        thread, hint = (
            by_client(ns_id, headers, request, opened.proxy_user or ""),
            weak(ns_id, request),
        )
        found = self._told_before(ns_id, request) if _is_mute(opened) else NOWHERE
        if _converses(opened):
            asked = read_asked(ns_id, opened, headers, request, body, thread, hint)
            found = self._lineage.find(asked)
        thread = thread or _continued(ns_id, request, found, hint, opened)
        thread = thread or hint or by_silence(ns_id, opened, headers)
        id = thread.id or self._by_time(ns_id, thread, opened.at)
        self.touch(id, opened.at)
        return Placed(id, thread.source, thread.external_id, found)

    def began(self, placed: Placed) -> Node | None:
        """A request will be stored as it was placed; what `answered` is to be told of it."""
        self._lineage.began(placed.found, placed.id)
        return placed.found.node

    def revive(
        self, session: Span, ns_id: int, opened: Opened, request: Request, body: bytes
    ) -> Node | None:
        """A call that is still open after a restart, and the session in which it is."""
        if session.id not in self._revived:
            self._live[session.id] = self._revived[session.id] = session
        if not _converses(opened):
            return None
        headers = by_name(opened.headers)
        thread, hint = (
            by_client(ns_id, headers, request, opened.proxy_user or ""),
            weak(ns_id, request),
        )
        asked = read_asked(ns_id, opened, headers, request, body, thread, hint)
        return self._lineage.reopened(asked, session.id)

    def touch(self, session: UUID, at: int) -> None:
        """Something happened in a session: it goes on."""
        if span := self._live.get(session):
            span.end = max(span.end, at)

    def answered(
        self, session: UUID, at: int, node: Node | None, wire: str, response: Response
    ) -> None:
        """An answer has ended; later requests may continue it."""
        self.touch(session, at)
        if node is not None:
            self._lineage.answered(node, wire, response, at)

    def _told_before(self, ns_id: int, request: Request) -> Found:
        """Of a request without its texts only the id of an answer tells what it continues."""
        previous = request.session_hints.get("previous_response_id")
        node = self._memory.node_of_response(ns_id, previous) if previous else None
        return Found(Link("append", node, session=node.session)) if node else NOWHERE

    def _by_time(self, ns_id: int, thread: Thread, at: int) -> UUID:
        spans = self._spans.get(thread.key)
        if spans is None:
            spans = self._recalled(ns_id, thread, at)
        found = next((span for span in reversed(spans) if span.covers(at)), None)
        if found is None:
            found = Span(_by_beginning(thread.key, at), at, at)
            spans.append(found)
            del spans[:-INTERVALS]
        self._live[found.id] = found
        _remember(self._spans, thread.key, spans)
        return found.id

    def _recalled(self, ns_id: int, thread: Thread, at: int) -> list[Span]:
        """The store has no key of a session, but its id is made of the key and its beginning."""
        stored = self._memory.recent_sessions(ns_id, thread.source, at - GAP)
        spans = {span.id: span for span in stored} | self._revived
        ours = [span for span in spans.values() if span.id == _by_beginning(thread.key, span.begin)]
        return sorted(ours, key=lambda span: span.begin)[-INTERVALS:]


def _converses(opened: Opened) -> bool:
    """Can it be told by its messages what it continues?"""
    wire = opened.wire
    known = wire in FORMATS and not any(word in wire for word in NO_CONVERSATION)
    return known and not _is_mute(opened)


def _is_mute(opened: Opened) -> bool:
    """Without their texts all messages are the same."""
    return opened.body_kept == SKELETON


def _continued(
    ns_id: int, request: Request, found: Found, hint: Thread | None, opened: Opened
) -> Thread | None:
    """The session of a conversation: that of its parent, or one of its own."""
    source, external_id = (hint.source, hint.external_id) if hint else (BY_MESSAGES, None)
    previous = request.session_hints.get("previous_response_id")
    if found.link.session is not None:
        source = "previous_response_id" if previous and hint is None else source
        return Thread(source, external_id, (), found.link.session)
    if previous:
        return Thread("previous_response_id", previous, (), named(ns_id, previous))
    if found.link.head is None:
        return None
    begins = found.link.begins or UUID(bytes=opened.id)
    return Thread(source, external_id, (), named(ns_id, BY_MESSAGES, begins.hex))


def _by_beginning(key: tuple[str, ...], begin: int) -> UUID:
    """From microseconds: the store keeps no more."""
    return named(*key, begin // 1000)


def _remember[K, V](table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
