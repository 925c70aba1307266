"""How often what a policy slows down may pass: a bucket for each policy and namespace.

Counted in the file of the limits, so that all proxies of a home count together, and restarts forget
nothing.
"""

from pathlib import Path

from llmproxy_core.limits.clock import Clock
from llmproxy_core.limits.counters import Bucket
from llmproxy_core.limits.ledger import Ledger, counter_id
from llmproxy_core.sections.limits import BURST

KIND = "throttle"
"""No kind of limit is called so: a limit with the name of a policy counts by itself."""


class Throttle:
    """Not thread-safe; one a proxy. Without a `path` it counts for itself."""

    def __init__(self, path: Path | None = None, clock: Clock | None = None) -> None:
        self._ledger = Ledger(path)
        self._clock = clock or Clock()

    def ask(self, policy: str, per_minute: int, namespace: str) -> float:
        """Count a call, and 0; or the seconds after which it may pass. A fifth of a minute's calls
        may come at once, 20 at most."""
        own = counter_id(policy, KIND, namespace), counter_id(policy, KIND)
        bucket = Bucket(self._ledger, *own, (per_minute, min(BURST, max(1, per_minute // 5))))
        now = self._clock.now()
        self._ledger.lock()
        try:
            wait = bucket.wait(now, 1.0)
            if not wait:
                bucket.take(now, 1.0)
        finally:
            self._ledger.unlock()
        return wait
