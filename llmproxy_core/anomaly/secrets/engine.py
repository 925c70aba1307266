"""Where in a text a rule may match: by hyperscan, or, where there is none, by words and `find`.

Hyperscan reads a text once for all rules (about 500 MB/s); it has no wheels for some machines
(Linux on ARM, older Macs). What stands in for it is a hundred times slower, and leads to the same
findings.
"""

import importlib
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from llmproxy_core.anomaly.secrets.rule import Rule

type Places = dict[int, list[int]]
"""Per rule, by its number, where its trigger ends, or where one of its words stands."""


class Engine(Protocol):
    def places(self, data: bytes) -> Places: ...


class Hyperscan:
    """Raises ImportError where hyperscan is not installed."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        hyperscan: Any = importlib.import_module("hyperscan")
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._lock = threading.Lock()
        self._database.compile(
            expressions=[rule.trigger for rule in rules],
            ids=list(range(len(rules))),
            elements=len(rules),
            flags=[hyperscan.HS_FLAG_CASELESS if rule.any_case else 0 for rule in rules],
        )

    def places(self, data: bytes) -> Places:
        found: Places = {}

        def note(rule: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.setdefault(rule, []).append(end)

        with self._lock:  # its scratch space is one
            self._database.scan(data, match_event_handler=note)
        return found


class Words:
    """A rule may match around each of its words."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._words: dict[bytes, list[int]] = {}
        for number, rule in enumerate(rules):
            for word in rule.words:
                self._words.setdefault(word, []).append(number)

    def places(self, data: bytes) -> Places:
        lowered = data.lower()
        found: Places = {}
        for word, numbers in self._words.items():
            if positions := list(_all(lowered, word)):
                for number in numbers:
                    found.setdefault(number, []).extend(positions)
        return {number: sorted(positions) for number, positions in found.items()}


def engine(rules: Sequence[Rule]) -> Engine:
    """The fastest that there is on this machine."""
    try:
        return Hyperscan(rules)
    except ImportError:
        return Words(rules)


def _all(data: bytes, word: bytes) -> Iterable[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + 1)
