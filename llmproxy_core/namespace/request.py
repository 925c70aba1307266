"""What becomes of a request of a namespace: with which prefix, or why without it.

Fails open: what cannot be changed is sent as it came, and says why. The reasons beside those of
`outgoing` are

    signed            the client has signed its body, or told its digest
    too_large         it is larger than `capture.max_body`
    coding            its content coding is unknown or damaged, or it is too large without it
    forbidden_prefix  no name may begin so at this provider
    elsewhere         tools of it are declared in what it refers to: a cache, a stored prompt
    began_without     its conversation began without the prefix
"""

from dataclasses import dataclass, replace
from pathlib import Path

from llmproxy_core.model import Headers, header
from llmproxy_core.namespace.limits import allowed, longest
from llmproxy_core.namespace.mentions import Told
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.opening import (
    Opening,
    answer_key,
    has_signatures,
    offers_tools,
    opening,
)
from llmproxy_core.namespace.outgoing import Prefixed, prefix_request
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.namespace.signed import signed
from llmproxy_core.namespace.sticky import IN_TEXTS, Begun, Sticky
from llmproxy_core.namespace.whole import Fields, Seen, fields_of
from llmproxy_core.providers.recoding import decode_whole, encode_whole
from llmproxy_core.spans.recent import Recent

ELSEWHERE = {"cachedContent": b'"', "cached_content": b'"', "prompt": b"{"}
"""Keys of what may have tools of its own, and how their values begin."""
REMEMBERED = 16_384
"""Tools and messages whose names are known without looking."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came; the path with its query, headers with all that is in them.

    `user`: who has logged in to the proxy, if anybody.
    """

    provider: str
    wire: str
    path: str
    headers: Headers
    body: bytes
    user: str = ""

    @property
    def coded(self) -> bool:
        return (header(self.headers, "content-encoding") or "identity").lower() != "identity"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent. `prefix`: in force for it, "" if its names stay.

    `naming`: for the way back; None if no name was changed. `refused`: why it is not to be sent
    at all.
    """

    body: bytes
    prefix: str = ""
    naming: Naming | None = None
    left_alone: str = ""
    refused: str = ""


class Prefixer:
    """Of one proxy: it knows how conversations began, and what it has read before.

    `max_body`: bytes of a request that is changed.
    """

    def __init__(self, file: Path | None, max_body: int) -> None:
        """`file`: see `sticky`."""
        self._sticky = Sticky(file)
        self._max_body = max_body
        self._seen: Seen = Recent(REMEMBERED)
        self._told: Told = Recent(REMEMBERED)

    def sent(self, call: Call, namespace: Namespace) -> Sent:
        """The request for the provider."""
        if not namespace.prefix:
            return self._without(call)
        if reason := _hindrance(call, namespace.prefix, self._max_body):
            return Sent(call.body, left_alone=reason)
        limit = self._max_body
        body = decode_whole(call.headers, call.body, limit) if call.coded else call.body
        if body is None:
            return Sent(call.body, left_alone="coding")
        fields = fields_of(body)
        if not fields.keys().isdisjoint(ELSEWHERE) and _refers(fields):
            return Sent(call.body, left_alone="elsewhere")
        manner = self._manner(call, body, fields, _manner(namespace))
        if not manner:
            return Sent(call.body, left_alone="began_without")
        return self._prefixed(call, body, fields, _in_manner(namespace, manner))

    def session(self, call: Call, namespace: Namespace) -> Naming | None:
        """For the frames of a WebSocket, of which only the handshake is known; None: names stay."""
        known = _opening(call, {})
        if known is not None:
            manner = self._sticky.prefix(known, _manner(namespace), lambda: False)
            namespace = _in_manner(namespace, manner)
        if not namespace.prefix or _hindrance(call, namespace.prefix, self._max_body):
            return None
        return _naming(call, namespace)

    def frame(self, wire: str, frame: bytes, naming: Naming) -> Prefixed:
        """A frame of the client for the provider; one that is no JSON has no names."""
        if len(frame) > self._max_body:
            return Prefixed(frame, "too_large")
        result = prefix_request(wire, frame, naming, seen=self._seen, told=self._told)
        return Prefixed(frame) if result.reason == "unreadable" else result

    def remember(self, id: str, naming: Naming) -> None:
        """With which names an answer was given that later requests may name by its id."""
        manner = naming.prefix.decode() + (IN_TEXTS if naming.plain_text else "")
        begun = Begun(manner, dict(naming.shortened))
        self._sticky.put(answer_key(id), begun)

    def answered(self, id: str) -> Naming | None:
        """The names of an answer; None if it has none but the client's."""
        begun = self._sticky.get(answer_key(id))
        return begun.naming if begun and begun.prefix else None

    def _without(self, call: Call) -> Sent:
        """A namespace without a prefix: a conversation goes on with the one that it began with."""
        fields = {} if call.coded else fields_of(call.body)
        known = _opening(call, fields) if offers_tools(fields) else None
        manner = self._sticky.prefix(known, "", lambda: False) if known else ""
        begun = _in_manner(Namespace(""), manner)
        if not manner or _hindrance(call, begun.prefix, self._max_body):
            return Sent(call.body)
        return self._prefixed(call, call.body, fields, begun)

    def _manner(self, call: Call, body: bytes, fields: Fields, now: str) -> str:
        """That of the conversation; only one with tools is remembered."""
        known = _opening(call, fields)
        if known is None:
            return now
        if offers_tools(fields):
            return self._sticky.prefix(known, now, lambda: has_signatures(body))
        began = self._sticky.known(known, now)
        return now if began is None else began

    def _prefixed(self, call: Call, body: bytes, fields: Fields, namespace: Namespace) -> Sent:
        naming = _naming(call, namespace)
        result = prefix_request(call.wire, body, naming, fields, self._seen, self._told)
        if result.reason:
            why = _too_long(result.about, naming) if result.reason == "too_long" else ""
            return Sent(call.body, left_alone=result.reason, refused=why)
        if not naming.names:
            return Sent(call.body, namespace.prefix)
        changed = result.body
        if changed is body:
            changed = call.body
        elif call.coded:
            changed = encode_whole(call.headers, changed, call.body)
        return Sent(changed, namespace.prefix, naming)


def _opening(call: Call, fields: Fields) -> Opening | None:
    """Nobody gets into a conversation of another user, by whatever it is known."""
    known = opening(call.wire, call.headers, fields)
    return known.of(call.user) if known and call.user else known


def _manner(namespace: Namespace) -> str:
    """How names are sent, in one word, as a conversation keeps it: the prefix, and whether texts
    have it, too."""
    in_texts = namespace.prefix and namespace.plain_text
    return namespace.prefix + IN_TEXTS if in_texts else namespace.prefix


def _in_manner(namespace: Namespace, manner: str) -> Namespace:
    plain_text = manner.endswith(IN_TEXTS)
    return replace(namespace, prefix=manner.removesuffix(IN_TEXTS), plain_text=plain_text)


def _naming(call: Call, namespace: Namespace) -> Naming:
    return Naming(
        namespace.prefix,
        longest(call.provider, call.wire),
        namespace.on_too_long,
        plain_text=namespace.plain_text,
    )


def _hindrance(call: Call, prefix: str, max_body: int) -> str:
    if len(call.body) > max_body:
        return "too_large"
    if not allowed(call.provider, call.wire).fullmatch(prefix + "x"):
        return "forbidden_prefix"
    return "signed" if signed(call.headers, call.path) else ""


def _refers(fields: Fields) -> bool:
    """To a cache by its name, or to a stored prompt, which is an object; a text is none."""
    return any(
        bytes(fields[key])[:1] == begins for key, begins in ELSEWHERE.items() if key in fields
    )


def _too_long(name: str, naming: Naming) -> str:
    return (
        f"The name of the tool {name!r} has no room for the prefix {naming.prefix.decode()!r}: "
        f"the provider takes {naming.longest} characters. Shorten the name, or set "
        'on_too_long = "shorten" for this namespace.'
    )
