"""Events of `bedrock.invoke-with-response-stream`: each is base64 within the payload of a message."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable

from llmproxy_core.namespace.events import Event, Events, FrameEvents
from llmproxy_core.namespace.eventstream import BYTES


class EnvelopedEvents(Events):
    """As FrameEvents; the text of an event is what is in the base64."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames = FrameEvents()

    @property
    def full(self) -> bool:
        return self._frames.full

    def feed(self, data: bytes) -> list[Event]:
        return [_opened(event) for event in self._frames.feed(data)]

    def last(self) -> Event:
        return self._frames.last()


def _opened(event: Event) -> Event:
    found = BYTES.search(event.payload)
    if found is None or event.wrap is None:
        return event
    try:
        inner = b64decode(found[1], validate=True)
    except (binascii.Error, ValueError):
        return event
    wrap = _wrapping(event.wrap, event.payload, *found.span(1))
    return Event(event.raw, inner, inner, wrap=wrap)


def _wrapping(
    wrap: Callable[[bytes], bytes], payload: bytes, start: int, end: int
) -> Callable[[bytes], bytes]:
    def wrapped(inner: bytes) -> bytes:
        return wrap(payload[:start] + b64encode(inner) + payload[end:])

    return wrapped
