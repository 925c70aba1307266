"""What a Content-Type tells of an answer's body."""

from functools import lru_cache
from typing import NamedTuple

from llmproxy_core.providers.bodies import MEDIA
from llmproxy_core.providers.eventstream import TYPE as EVENTSTREAM

LINES = ("ndjson", "jsonl", "stream+json")


class ContentType(NamedTuple):
    """`name` is in lower case and without parameters."""

    name: str
    events: bool
    eventstream: bool
    lines: bool
    media: bool
    text: bool

    @property
    def streams(self) -> bool:
        return self.events or self.eventstream or self.lines


@lru_cache(maxsize=256)
def content_type(value: str) -> ContentType:
    name = value.lower().partition(";")[0].strip()
    return ContentType(
        name=name,
        events="event-stream" in name,
        eventstream=EVENTSTREAM in name,
        lines=any(word in name for word in LINES),
        media=name.partition("/")[0] in MEDIA,
        text=name.startswith("text/") and name != "text/event-stream",
    )
