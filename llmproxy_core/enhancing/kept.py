"""How much of a cacheable prompt comes before the first edit: `cached_prefix` at a glance.

What is cached in the order of `cached_prefix.ORDER` is counted in bytes of the body, from where its
edits are; nothing is read but where the members of the body stand.
"""

import re
from collections.abc import Mapping, Sequence

from llmproxy_core.namespace.outgoing import Edit
from llmproxy_core.namespace.walk import OPEN
from llmproxy_core.transformations.cached_prefix import HOLDERS, ORDER
from llmproxy_core.transformations.cannot import Cannot
from llmproxy_core.transformations.entries import DAMAGED, entries
from llmproxy_core.transformations.nodes import Span

MARK = re.compile(rb'[\s,\[\]{}]*"(?:cache_control|cachePoint)"')
WRAPS = re.compile(rb'\s*\[\s*\{\s*(?:"type"\s*:\s*"text"\s*,\s*)?"text"\s*:\s*|[\s\]}]*')
"""A text that becomes a list of one block is the same prompt."""
NEW_KEY = re.compile(rb'[\s,]*"([^"\\]*)"\s*:')
UNKNOWN = -1.0


def prefix_kept(body: bytes, edits: Sequence[Edit], places: Mapping[str, Span]) -> float:
    """From 0 to 1; 1: nothing is edited that is cached. UNKNOWN: the body cannot be read.

    `places`: where the values of the body stand in it, by their keys.
    """
    try:
        spans = _members(body, places)
    except (Cannot, *DAMAGED):
        return UNKNOWN
    begins: dict[str, int] = {}
    size = 0
    for key in ORDER:
        begins[key] = size
        if key in spans:
            size += spans[key][1] - spans[key][0]
    first = [place for edit in edits if (place := _place(body, edit, spans, begins)) is not None]
    return min(first, default=size) / size if size else 1.0


def _members(body: bytes, places: Mapping[str, Span]) -> Mapping[str, Span]:
    """Those that say the prompt, of the request itself."""
    for holder in HOLDERS:
        if holder in places and body[places[holder][0]] == OPEN:
            inner = places[holder]
            return dict(entries(body, *inner, lambda key, _, value, over: (key, (value, over))))
    return places


def _place(
    body: bytes, edit: Edit, spans: Mapping[str, Span], begins: dict[str, int]
) -> int | None:
    """Where an edit is in what is cached; None: it is not in it."""
    start, end, new = edit
    old = body[start:end]
    if MARK.match(new) or MARK.match(old) or (not old and WRAPS.fullmatch(new)):
        return None
    for key, (first, last) in spans.items():
        if first <= start < last:
            return begins[key] + start - first if key in begins else None
    found = [match[1].decode("utf-8", "replace") for match in NEW_KEY.finditer(new)]
    return min((begins[key] for key in found if key in begins), default=None)
