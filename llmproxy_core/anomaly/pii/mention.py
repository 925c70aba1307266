"""Something found that is about a person, and what stands around it."""

import re
from typing import NamedTuple

from llmproxy_core.anomaly.finding import Severity

BEFORE, AFTER = 48, 24
"""Characters around a number that may tell what it is."""


class Mention(NamedTuple):
    """Characters `start:end`; `what` is what a person reads, after "looks like"."""

    start: int
    end: int
    kind: str
    what: str
    score: float
    severity: Severity


def told(words: re.Pattern[str], text: str, start: int, end: int) -> bool:
    """Do the words near it say what it is?"""
    return bool(
        words.search(text, max(0, start - BEFORE), start) or words.search(text, end, end + AFTER)
    )
