"""By what a request is known as one of a conversation, from its bytes alone.

A session id where the client tells one, else what was said first; from the second turn on, the
first answer as well, so that two conversations that begin alike are told apart.
"""

import re
from dataclasses import dataclass, replace

import msgspec

from llmproxy_core.hashing import content_hash
from llmproxy_core.model import Headers
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.whole import Fields
from llmproxy_core.providers.settings import SESSION_HEADERS
from llmproxy_core.spans.marks import without_marks

OFFERS = frozenset({"tools", "functions", "toolConfig", "tool_config", "request", "requests"})
"""Keys of a request under which its tools are."""
NESTED, NEAR = b"additional_tools", 1024
SIGNED = (b'ignature"', b'"encrypted_content"')
"""How a provider signs what its model said: it knows the names that it wrote."""

ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])
ROLE = re.compile(rb'\{\s*+"role"\s*+:\s*+"([A-Za-z_]{1,20}+)"')
"""How most messages begin: then the rest need not be read to know who speaks."""


class _Said(msgspec.Struct):
    role: str | None = None
    type: str | None = None


SAID = msgspec.json.Decoder(_Said)
ANSWERS = frozenset({"assistant", "model", "CHATBOT", "Chatbot"})


@dataclass(frozen=True, slots=True)
class Opening:
    """`begins`: nothing was answered before. `keys`: what it is known by, the surest first.

    `elsewhere`: what came before is at the provider's, under the last key.
    """

    keys: tuple[bytes, ...]
    begins: bool = False
    elsewhere: bool = False

    def of(self, user: str) -> "Opening":
        """As one of this user's alone; ids of answers are the provider's, and known to all."""
        if self.elsewhere:
            return self
        mark = user.encode("utf-8", "surrogateescape")
        return replace(self, keys=tuple(_key(mark, key) for key in self.keys))


def offers_tools(fields: Fields) -> bool:
    """Are there tools in a request with these fields?"""
    if not OFFERS.isdisjoint(fields):
        return True
    said = fields.get("input")  # Codex has its tools there, in the first item
    return said is not None and NESTED in bytes(memoryview(said)[:NEAR])


def has_signatures(body: bytes) -> bool:
    """Has it something that a provider has signed?"""
    return any(key in body for key in SIGNED)


def opening(wire: str, headers: Headers, fields: Fields) -> Opening | None:
    """None: nothing is known of a conversation."""
    if session := _session(headers):
        return Opening((_key(b"session", session.encode("utf-8", "surrogateescape")),))
    places = PLACES.get(wire)
    if places is None:
        return None
    try:
        if (before := fields.get("previous_response_id")) and bytes(before) != b"null":
            return Opening((_key(b"id", bytes(before).strip(b'"')),), elsewhere=True)
        return _said(wire, fields.get(places.turns), places.prelude)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def answer_key(id: str) -> bytes:
    """The key of what was answered under an id that later requests may name."""
    return _key(b"id", id.encode())


def _session(headers: Headers) -> str:
    told = {name.lower(): value for name, value in headers}
    return next((told[name] for name in SESSION_HEADERS if told.get(name)), "")


def _said(wire: str, turns: msgspec.Raw | None, prelude: frozenset[str]) -> Opening | None:
    if turns is None:
        return None
    raw = bytes(turns)
    if raw[:1] != b"[":
        return Opening((_key(wire.encode(), raw),), begins=True)
    first = None
    for entry in ENTRIES.decode(turns):
        role = _role(entry)
        if first is None:
            if role not in prelude:
                first = _key(wire.encode(), without_marks(bytes(entry))[0])
        elif role in ANSWERS:
            later = _key(first, without_marks(bytes(entry))[0])
            return Opening((later, first))
    return None if first is None else Opening((first,), begins=True)


def _role(entry: msgspec.Raw) -> str:
    """Of an item without a role, such as a call, the one who makes it."""
    if first := ROLE.match(entry):
        return first[1].decode()
    try:
        said = SAID.decode(entry)
    except msgspec.MsgspecError:
        return ""
    return said.role or ("system" if said.type == "additional_tools" else "assistant")


def _key(kind: bytes, what: bytes) -> bytes:
    return content_hash(kind + b"\0" + what)
