"""Which session a request belongs to.

Ids that name one conversation come first: headers of the known agents, a conversation named in
the body, the answer that is continued. Ids that may live longer than a conversation (a user, a
cache key that is not unique) and clients without any id get a session that ends with GAP of
silence. A session's id is made from what names it, so that it is the same after a restart.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from llmproxy_core.model import Headers, Request, header
from llmproxy_core.records import Opened
from llmproxy_core.worker.identity import named

GAP = 300 * 10**9
"""ns of silence after which a client without ids begins another session."""
HEADERS = (
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "x-session-id",
    "conversation_id",
    "conversation-id",
    "thread-id",
    "thread_id",
)
HINTS = (
    "client_metadata.session_id",
    "metadata.session_id",
    "session_id",
    "conversation",
    "conversation_id",
    "metadata.conversation_id",
    "metadata.thread_id",
    "metadata.chat_id",
    "client_metadata.thread_id",
)
REMEMBERED = 20_000
INTERVALS = 4
UUID_TEXT = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
UNIQUE = re.compile(r"(?=.*\d)[0-9A-Za-z_-]{20,}")
"""What only a random id looks like: long, and with digits."""


@dataclass(slots=True, weakref_slot=True)
class Span:
    """A session that goes on: ns since 1970 of its first request and of the last thing in it."""

    id: UUID
    begin: int
    end: int

    def covers(self, at: int) -> bool:
        return self.begin - GAP <= at <= self.end + GAP


@dataclass(frozen=True, slots=True)
class Thread:
    """A session as a request names it. `id` None: it is found by `key` and time."""

    source: str
    external_id: str | None
    key: tuple[str, ...]
    id: UUID | None = None


class Memory(Protocol):
    """What the store remembers of sessions. Raises DatabaseUnavailable."""

    def session_of_response(self, ns_id: int, response_id: str) -> UUID | None: ...
    def recent_sessions(self, ns_id: int, source: str, since: int) -> Sequence[Span]:
        """Sessions of a source in which anything happened since a time (ns since 1970)."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """The session of a request, as its row and the session's row want it."""

    id: UUID
    source: str
    external_id: str | None


class Sessions:
    """Finds sessions; remembers the latest ones and asks the store for others."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._responses: OrderedDict[tuple[int, str], UUID] = OrderedDict()
        self._spans: OrderedDict[tuple[str, ...], list[Span]] = OrderedDict()
        self._live: WeakValueDictionary[UUID, Span] = WeakValueDictionary()
        self._revived: dict[UUID, Span] = {}

    def place(self, ns_id: int, opened: Opened, request: Request) -> Placed:
        """The session of a request. Raises DatabaseUnavailable, and nothing has changed then."""
        thread = (
            _by_client(ns_id, opened.headers, request)
            or self._by_previous(ns_id, request)
            or _weak(ns_id, request)
            or _by_silence(ns_id, opened)
        )
        id = thread.id or self._by_time(ns_id, thread, opened.at)
        self.touch(id, opened.at)
        return Placed(id, thread.source, thread.external_id)

    def revive(self, session: Span) -> None:
        """A session in which a call is still open after a restart."""
        if session.id not in self._revived:
            self._live[session.id] = self._revived[session.id] = session

    def touch(self, session: UUID, at: int) -> None:
        """Something happened in a session: it goes on."""
        if span := self._live.get(session):
            span.end = max(span.end, at)

    def answered(self, ns_id: int, session: UUID, at: int, response_id: str | None) -> None:
        """An answer has ended; a later request may continue it by its id."""
        self.touch(session, at)
        if response_id:
            _remember(self._responses, (ns_id, response_id), session)

    def _by_previous(self, ns_id: int, request: Request) -> Thread | None:
        previous = request.session_hints.get("previous_response_id")
        if not previous:
            return None
        if found := self._session_of_response(ns_id, previous):
            return Thread("previous_response_id", None, (), found)
        return Thread("previous_response_id", previous, (), named(ns_id, previous))

    def _session_of_response(self, ns_id: int, response_id: str) -> UUID | None:
        key = (ns_id, response_id)
        if key not in self._responses:
            found = self._memory.session_of_response(ns_id, response_id)
            if found is None:
                return None
            _remember(self._responses, key, found)
        return self._responses[key]

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


def _by_client(ns_id: int, headers: Headers, request: Request) -> Thread | None:
    """The session that the client itself names."""
    for name in HEADERS:
        if value := header(headers, name):
            return _named(ns_id, name, value)
    hints = request.session_hints
    for name in HINTS:
        if value := hints.get(name):
            return _named(ns_id, name, value)
    # a person's id is often unique, too; the sessions that Claude Code writes here are UUIDs
    if UUID_TEXT.fullmatch(value := hints.get("metadata.user_id", "")):
        return _named(ns_id, "metadata.user_id", value)
    if UNIQUE.fullmatch(value := hints.get("prompt_cache_key", "")):
        return _named(ns_id, "prompt_cache_key", value)
    return None


def _named(ns_id: int, source: str, external_id: str) -> Thread:
    """A unique id is the same session wherever it stands; `1` in two places may be two."""
    scope = "" if UNIQUE.fullmatch(external_id) else source
    return Thread(source, external_id, (), named(ns_id, scope, external_id))


def _weak(ns_id: int, request: Request) -> Thread | None:
    for source in ("prompt_cache_key", "metadata.user_id"):
        if value := request.session_hints.get(source):
            return Thread(source, value, (str(ns_id), source, value))
    return None


def _by_silence(ns_id: int, opened: Opened) -> Thread:
    agent = header(opened.headers, "user-agent") or ""
    place = (address(opened.client), opened.proxy_user or "", agent)
    return Thread("gap", None, (str(ns_id), *place, opened.credential or "", opened.provider))


def address(client: str) -> str:
    """`127.0.0.1:53124` without the port, which changes with every connection."""
    host, colon, port = client.rpartition(":")
    return host if colon and port.isdigit() else client


def _by_beginning(key: tuple[str, ...], begin: int) -> UUID:
    """From microseconds: the store keeps no more."""
    return named(*key, begin // 1000)


def _remember[K, V](table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
