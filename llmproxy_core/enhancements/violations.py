"""What answers do wrong again and again, counted from the words of the signal `format`."""

import re
from collections import Counter
from collections.abc import Iterable

from llmproxy_core.enhancements.evidence import Violation

SCHEMA = "not as the schema says: "
INDEX = re.compile(r"\[\d+\]")
MOST, LONGEST = 20, 120


def violations(whys: Iterable[str]) -> tuple[Violation, ...]:
    """`whys`: of signals `format` with a bad verdict, one for each call. The most frequent first;
    places in lists are told as `[*]`, so that the same mistake is counted as one."""
    counts = Counter(fault for why in whys if (fault := _fault(why)))
    return tuple(Violation(fault, calls) for fault, calls in counts.most_common(MOST))


def _fault(why: str) -> str:
    _, found, fault = why.partition(SCHEMA)
    return INDEX.sub("[*]", fault)[:LONGEST] if found else ""
