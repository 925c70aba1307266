"""Cache marks: clients move them from message to message; without them a message stays the same."""

import re

from llmproxy_core.spans.items import Inserts

MARK = b'"cache_control"'
WITH_COMMA = re.compile(
    rb',\s*+"cache_control"\s*+:\s*+\{[^{}]*+\}|"cache_control"\s*+:\s*+\{[^{}]*+\}\s*+,?\s*+'
)


def without_marks(data: bytes) -> tuple[bytes, Inserts]:
    """The data without its `cache_control` members, and what to put where to have them again."""
    if data.find(b"{", 1) < 0 or MARK not in data:  # the first is ten times as fast
        return data, ()
    kept, marks, done = [], [], 0
    for found in WITH_COMMA.finditer(data):
        kept.append(data[done : found.start()])
        marks.append((found.start(), found[0]))
        done = found.end()
    kept.append(data[done:])
    return b"".join(kept), tuple(marks)
