"""Which session a request names, and who asks: by the ids that clients send.

Ids that name one conversation come first: headers of the known agents, a conversation named in
the body. Ids that may live longer than a conversation (a user, a cache key that is not unique)
only tell clients apart.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from llmproxy_core.conversations.node import Caller
from llmproxy_core.model import Headers, Request
from llmproxy_core.providers.settings import SESSION_HEADERS, is_unique
from llmproxy_core.records import Opened
from llmproxy_core.worker.identity import named

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
WEAK = ("prompt_cache_key", "metadata.user_id")
"""Hints that name a session only where they look like ids of one."""
AGENT = "x-claude-code-agent-id"
PARENT_AGENT = "x-claude-code-parent-agent-id"
THREAD = "thread-id"
PARENT_THREAD = "x-codex-parent-thread-id"
"""Of Codex: the thread of a sub-agent has one."""


UUID_TEXT = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class Thread:
    """A session as a request names it. `id` None: it is found by `key` and time."""

    source: str
    external_id: str | None
    key: tuple[str, ...]
    id: UUID | None = None


def by_name(headers: Headers) -> dict[str, str]:
    """The first value of each header, by its name in lower case."""
    return {name.lower(): value for name, value in reversed(headers)}


def by_client(
    ns_id: int, headers: Mapping[str, str], request: Request, user: str = ""
) -> Thread | None:
    """The session that the client itself names. `user`: of the proxy."""
    for name in SESSION_HEADERS:
        if value := headers.get(name):
            return _named(ns_id, name, value, user)
    hints = request.session_hints
    for name in HINTS:
        if value := hints.get(name):
            return _named(ns_id, name, value, user)
    # a person's id is often unique, too; the sessions that Claude Code writes here are UUIDs
    if UUID_TEXT.fullmatch(value := hints.get("metadata.user_id", "")):
        return _named(ns_id, "metadata.user_id", value, user)
    if is_unique(value := hints.get("prompt_cache_key", "")):
        return _named(ns_id, "prompt_cache_key", value, user)
    return None


def _named(ns_id: int, source: str, external_id: str, user: str) -> Thread:
    """A unique id is the same session wherever it stands; `1` in two places, or of two users of the
    proxy, may be two."""
    scope = "" if is_unique(external_id) else f"{source} of {user}" if user else source
    return Thread(source, external_id, (), named(ns_id, scope, external_id))


def weak(ns_id: int, request: Request) -> Thread | None:
    for source in WEAK:
        if value := request.session_hints.get(source):
            return Thread(source, value, (str(ns_id), source, value))
    return None


def by_silence(ns_id: int, opened: Opened, headers: Mapping[str, str]) -> Thread:
    agent = headers.get("user-agent", "")
    place = (address(opened.client), opened.proxy_user or "", agent)
    return Thread("gap", None, (str(ns_id), *place, opened.credential or "", opened.provider))


def caller(
    ns_id: int,
    opened: Opened,
    headers: Mapping[str, str],
    thread: Thread | None,
    weak: Thread | None,
) -> Caller:
    """Who asks. `thread`: the session that is named, if one is; `weak`: as `weak` found it."""
    machine = (str(ns_id), address(opened.client), opened.proxy_user or "")
    agent = headers.get("user-agent", "")
    named_by = weak.external_id or "" if weak else ""
    own, parent = _agents(headers)
    return Caller(
        ns_id=ns_id,
        place=opened.client,
        client=(*machine, agent, opened.credential or "", named_by),
        machine=machine,
        session=thread.id if thread else None,
        agent=own,
        parent_agent=parent,
    )


def _agents(headers: Mapping[str, str]) -> tuple[str, str]:
    """The agent within the session, and the one that called it; "" is the main one."""
    if agent := headers.get(AGENT):
        return agent, headers.get(PARENT_AGENT) or ""
    if parent := headers.get(PARENT_THREAD):
        above = "" if parent == headers.get("session-id") else parent
        return headers.get(THREAD) or parent, above
    return "", ""


def address(client: str) -> str:
    """`127.0.0.1:53124` without the port, which changes with every connection."""
    host, colon, port = client.rpartition(":")
    return host if colon and port.isdigit() else client
