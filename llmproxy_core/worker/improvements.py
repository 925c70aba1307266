"""What improves requests, for the proxies: transformations, experiments, and patterns to know them by."""

import time
from typing import Any

from llmproxy_core.enhancing.handed import Tables
from llmproxy_core.store import experiments, recognisable, transformations
from llmproxy_core.store.database import Reading, driver

SHARE = 30.0
"""So many times as long as it took to read the patterns they are not read again."""


class Improvements:
    """Of one worker. Patterns are read when something has become of them."""

    def __init__(self) -> None:
        self._stamp: recognisable.Stamp = ()
        self._patterns: dict[str, dict[str, Any]] = {}
        self._due = 0.0

    def gather(self, connection: Reading) -> tuple[Tables, list[str]]:
        """And what is wrong in the tables. Raises StoreError."""
        rules, problems = transformations.handed(driver(connection))
        trials, more = experiments.in_force(connection)
        self._refresh(connection)
        return Tables(rules, trials, self._patterns), problems + more

    def _refresh(self, connection: Reading) -> None:
        """Only those of namespaces in which something is new; where that is so all the time, now and
        then."""
        begun = time.monotonic()
        stamp = recognisable.stamp(connection)
        if stamp == self._stamp or begun < self._due:
            return
        known = set(self._stamp)
        self._patterns = {
            name: self._patterns[name]
            if (ns_id, name, last) in known
            else recognisable.recognisable(connection, ns_id)
            for ns_id, name, last in stamp
        }
        self._stamp = stamp
        now = time.monotonic()
        self._due = now + SHARE * (now - begun)
