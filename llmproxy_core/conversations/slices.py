"""The messages of a request body as they stand in it, cut out without being read."""

from typing import Any

import msgspec
from msgspec import Raw

type Slices = list[Raw]
type _Some = list[Raw] | str | int | float | bool | dict[str, Raw] | None
"""A list, or whatever else may stand there."""


class _Lists(msgspec.Struct, gc=False):
    messages: _Some = None
    input: _Some = None
    contents: _Some = None


class _Body(_Lists, gc=False):
    request: _Lists | str | int | float | bool | list[Raw] | None = None
    """The envelope of Code Assist."""


_decode = msgspec.json.Decoder(_Body).decode


def messages(body: bytes, count: int) -> Slices | None:
    """The JSON texts of the `count` messages in a body; None where they cannot be told."""
    try:
        found = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    places: list[Any] = [found]
    if isinstance(found.request, _Lists):
        places.append(found.request)
    for place in places:
        for slices in (place.messages, place.input, place.contents):
            if isinstance(slices, list) and len(slices) == count:
                return slices
    return None
