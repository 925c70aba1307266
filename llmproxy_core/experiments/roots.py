"""What a conversation is known by, from the client's own bytes, before anything is changed.

Arms are drawn from the session that a client names, else from what was said first. System
prompts and tools are left out, as in `conversations.chain`: many programs change them from turn to
turn (a date, the state of a folder), and the arm would change with them.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Headers
from llmproxy_core.namespace.opening import Opening, opening
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.providers.settings import is_unique, session_hints

KEPT = "conversation"
CARRIERS = ("conversation_id", "session_id", "metadata", "client_metadata")
NAMED = (
    "client_metadata.session_id",
    "metadata.session_id",
    "session_id",
    "conversation_id",
    "metadata.conversation_id",
    "metadata.thread_id",
    "metadata.chat_id",
    "client_metadata.thread_id",
)
"""Hints that name a conversation, the surest first, as in `worker.naming`."""
USUAL, TURNS = "openai.chat", "messages"
"""How formats say what was said that nobody has described to us."""
CACHE_KEY, SESSION = "prompt_cache_key", b"session"
LONGEST = 4096
"""Bytes of a field in which an id is looked for."""


@dataclass(frozen=True, slots=True)
class Root:
    """What a request is known by.

    `unit`: what arms are drawn from when a conversation begins with it: the session that the client
    names, else what was said first. `keys`: of the conversation, the surest first; those within one
    session are told apart, as sub-agents and titles are conversations of their own.

    `begins`: nothing was answered before. `elsewhere`: what came before is at the provider's, under
    the id of an answer. `lasting`: the key is the id of a conversation that the provider keeps, so
    that each of its requests looks as if it began.
    """

    unit: bytes
    keys: tuple[bytes, ...]
    begins: bool
    elsewhere: bool = False
    lasting: bool = False


def root(wire: str, headers: Headers, fields: Fields, body: bytes, user: str = "") -> Root:
    """`fields`: of the decoded `body`, as `namespace.whole.fields_of` finds them. `user`: of the
    proxy; the same words of two users are two conversations.

    What is no conversation (an embedding, a completion, unreadable) is known by all of its bytes.
    """
    if kept := _kept(fields):
        key = kept.of(user).keys[0] if user else kept.keys[0]
        return Root(key, (key,), begins=True, lasting=True)
    said = opening(wire, [], fields) or (opening(USUAL, [], fields) if TURNS in fields else None)
    said = said or Opening((content_hash(wire.encode() + b"\0" + body),), begins=True)
    said = said.of(user) if user else said
    session = _told(headers) or _named(fields)
    if session is None:
        return Root(said.keys[-1], said.keys, said.begins, said.elsewhere)
    unit = session.of(user).keys[0] if user else session.keys[0]
    keys = said.keys
    if not said.elsewhere:
        keys = tuple(content_hash(unit + key) for key in keys)
    return Root(unit, keys, said.begins, said.elsewhere)


def _kept(fields: Fields) -> Opening | None:
    """The conversation that the provider keeps."""
    if KEPT not in fields:
        return None
    found = session_hints({KEPT: _value(fields, KEPT)}).get(KEPT)
    return _opening(KEPT, found) if found else None


def _told(headers: Headers) -> Opening | None:
    """The session that headers name."""
    return opening("", headers, {})


def _named(fields: Fields) -> Opening | None:
    """The session that a body names."""
    hints = session_hints({name: _value(fields, name) for name in CARRIERS if name in fields})
    for name in NAMED:
        if value := hints.get(name):
            return _opening(name, value)
    if (user := hints.get("metadata.user_id")) and SESSION in bytes(fields["metadata"]):
        return _opening("metadata.user_id", user)
    value = _value(fields, CACHE_KEY)
    if isinstance(value, str) and is_unique(value):
        return _opening(CACHE_KEY, value)
    return None


def _opening(name: str, value: str) -> Opening:
    scope = "" if is_unique(value) else name
    return Opening((content_hash(f"{scope}\0{value}".encode("utf-8", "surrogatepass")),))


def _value(fields: Fields, name: str) -> Any:
    raw = fields.get(name)
    if raw is None or len(memoryview(raw)) > LONGEST:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
