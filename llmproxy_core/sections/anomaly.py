"""`[anomaly]`: who looks for anomalies, and how long."""

from typing import Literal

from pydantic import Field

from llmproxy_core.sections.values import Section


class AnomalyConfig(Section):
    """`inline`: which detectors are asked before a request is sent, for `budget_ms` of CPU: those
    that policies ask about, or all. `worker`: it judges the rest, and answers."""

    inline: Literal["policies", "all"] = "policies"
    worker: bool = True
    budget_ms: float = Field(default=5.0, gt=0, le=1000)

    @property
    def proxy(self) -> bool:
        """Does the proxy judge all of a request?"""
        return self.inline == "all"
