"""What becomes of a request of a namespace: with which prefix, or why without it.

Fails open: what cannot be changed is sent as it came, and says why. The reasons beside those of
`outgoing` are

    signed            the client has signed its body, or told its digest
    too_large         it is larger than `capture.max_body`
    coding            its content coding is unknown, or damaged
    forbidden_prefix  no name may begin so at this provider
    began_without     its conversation began without the prefix
"""

from dataclasses import dataclass

from llmproxy_core.model import Headers, header
from llmproxy_core.namespace.limits import allowed, longest
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.opening import has_signatures, offers_tools, opening
from llmproxy_core.namespace.outgoing import prefix_request
from llmproxy_core.namespace.rules import Namespace
from llmproxy_core.namespace.signed import signed
from llmproxy_core.namespace.sticky import Sticky
from llmproxy_core.namespace.whole import Fields, fields_of
from llmproxy_core.providers.recoding import decode_whole, encode_whole


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came; the path with its query, headers with all that is in them."""

    provider: str
    wire: str
    path: str
    headers: Headers
    body: bytes

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


def sent(call: Call, namespace: Namespace, sticky: Sticky, max_body: int) -> Sent:
    """The request for the provider."""
    if not namespace.prefix:
        return _without(call, sticky)
    if reason := _hindrance(call, namespace, max_body):
        return Sent(call.body, left_alone=reason)
    body = decode_whole(call.headers, call.body) if call.coded else call.body
    if body is None:
        return Sent(call.body, left_alone="coding")
    fields = fields_of(body)
    known = opening(call.wire, call.headers, fields)
    prefix: str | None = namespace.prefix
    if known is not None and offers_tools(fields):
        prefix = sticky.prefix(known, namespace.prefix, lambda: has_signatures(body))
    elif known is not None:
        prefix = sticky.known(known)
    prefix = namespace.prefix if prefix is None else prefix
    if not prefix:
        return Sent(call.body, left_alone="began_without")
    return _prefixed(call, body, fields, namespace, prefix)


def session_naming(call: Call, namespace: Namespace, sticky: Sticky) -> Naming | None:
    """For the frames of a WebSocket, of which only the handshake is known; None: names stay."""
    known = opening(call.wire, call.headers, {})
    prefix = namespace.prefix
    if known is not None:
        prefix = sticky.prefix(known, prefix, lambda: False)
    if not prefix:
        return None
    return Naming(prefix, longest(call.provider, call.wire), namespace.on_too_long)


def _without(call: Call, sticky: Sticky) -> Sent:
    """A namespace without a prefix: a conversation goes on with the one that it began with."""
    fields = {} if call.coded else fields_of(call.body)
    if not offers_tools(fields) or signed(call.headers, call.path):
        return Sent(call.body)
    known = opening(call.wire, call.headers, fields)
    prefix = sticky.prefix(known, "", lambda: False) if known else ""
    if not prefix:
        return Sent(call.body)
    return _prefixed(call, call.body, fields, Namespace("", prefix), prefix)


def _hindrance(call: Call, namespace: Namespace, max_body: int) -> str:
    if len(call.body) > max_body:
        return "too_large"
    if not allowed(call.provider, call.wire).fullmatch(namespace.prefix + "x"):
        return "forbidden_prefix"
    return "signed" if signed(call.headers, call.path) else ""


def _prefixed(call: Call, body: bytes, fields: Fields, namespace: Namespace, prefix: str) -> Sent:
    naming = Naming(prefix, longest(call.provider, call.wire), namespace.on_too_long)
    result = prefix_request(call.wire, body, naming, fields)
    if result.reason == "too_long":
        return Sent(call.body, left_alone=result.reason, refused=_too_long(result.about, naming))
    if result.reason:
        return Sent(call.body, left_alone=result.reason)
    if not naming.names:
        return Sent(call.body, prefix)
    changed = result.body
    if call.coded and changed != body:
        changed = encode_whole(call.headers, changed, call.body)
    return Sent(call.body if result.body == body else changed, prefix, naming)


def _too_long(name: str, naming: Naming) -> str:
    return (
        f"The name of the tool {name!r} has no room for the prefix {naming.prefix.decode()!r}: "
        f"the provider takes {naming.longest} characters. Shorten the name, or set "
        'on_too_long = "shorten" for this namespace.'
    )
