"""Puts the prefix before the names of the client's tools in a request, and takes it off again.

Only the bytes of names change. A request is changed whole or not at all; why not, is one of

    unreadable     a format that we do not read, or no JSON
    strange_name   a tool has a name that no provider takes
    collision      two names would be the same
    too_long       with `on_too_long = "refuse"`: the call is to be refused

and, told by who calls this: `signed`, `too_large`, `coding`, `elsewhere`, `began_without`.
"""

from dataclasses import dataclass

from llmproxy_core.namespace.grammar import Places
from llmproxy_core.namespace.mentions import Told
from llmproxy_core.namespace.names import NAME, Naming
from llmproxy_core.namespace.places.formats import PLACES, WITHOUT, WORDS
from llmproxy_core.namespace.plain_text import restored_in_texts, sent_in_texts
from llmproxy_core.namespace.walk import Found
from llmproxy_core.namespace.whole import Damaged, Fields, Seen, names_in

type Edit = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Prefixed:
    """A request as it is sent. `reason`: why its names stayed; "" if they did not, or there are
    none. `about`: the name that is to blame."""

    body: bytes
    reason: str = ""
    about: str = ""


def prefix_request(
    wire: str,
    body: bytes,
    naming: Naming,
    fields: Fields | None = None,
    seen: Seen | None = None,
    told: Told | None = None,
) -> Prefixed:
    """The request with its tools named for the provider; `naming` learns the names.

    `fields`: of the body, if they are known; `seen` and `told`: what earlier requests had.
    """
    places = PLACES.get(wire)
    if places is None:
        return Prefixed(body, "" if wire in WITHOUT else "unreadable")
    try:
        found = _clients(body, places, naming, fields, seen)
    except Damaged:
        return Prefixed(body, "unreadable")
    edits: list[Edit] = []
    for one in found:
        name = body[one.start : one.end]
        if not NAME.fullmatch(name):
            if one.place.declares:
                return Prefixed(body, "strange_name", name.decode("utf-8", "replace"))
            continue
        if naming.on_too_long == "refuse" and not naming.fits(name):
            return Prefixed(body, "too_long", name.decode())
        sent = naming.send(name)
        if sent is None:
            return Prefixed(body, "collision", name.decode())
        if sent != name:
            edits.append((one.start, one.end, sent))
    if naming.plain_text:
        edits = sorted(edits + sent_in_texts(body, places.request_text, naming, fields, told))
    return Prefixed(edited(body, edits))


def strip_request(wire: str, body: bytes, naming: Naming) -> bytes:
    """The client's request, of one that was sent."""
    places = PLACES.get(wire)
    if places is None:
        return body
    try:
        found = _clients(body, places, naming)
    except Damaged:
        return body
    edits: list[Edit] = []
    for one in found:
        name = body[one.start : one.end]
        if (restored := naming.restore(name)) != name:
            edits.append((one.start, one.end, restored))
    if naming.plain_text:
        known = {body[start:end]: restored for start, end, restored in edits}
        edits = sorted(edits + restored_in_texts(body, places.request_text, naming, known))
    return edited(body, edits)


def edited(text: bytes, edits: list[Edit]) -> bytes:
    """The text with other bytes at some places; these are in order."""
    if not edits:
        return text
    parts: list[bytes] = []
    done = 0
    for start, end, new in edits:
        parts += text[done:start], new
        done = end
    parts.append(text[done:])
    return b"".join(parts)


def _clients(
    body: bytes,
    places: Places,
    naming: Naming,
    fields: Fields | None = None,
    seen: Seen | None = None,
) -> list[Found]:
    """Where names of the client's tools stand; the provider's own are remembered."""
    found = names_in(body, places.request, places.request_words, fields, seen)
    declared = [(body[one.start : one.end], one.holds) for one in found if one.place.declares]
    naming.declare(
        {name for name, holds in declared if holds},
        {name for name, holds in declared if not holds} | places.own,
    )
    apart, known = naming.owned, naming.clients - WORDS
    kept = []
    for one in found:
        name = body[one.start : one.end]
        if one.holds and name not in apart and (name in known or not one.place.known):
            kept.append(one)
    return kept
