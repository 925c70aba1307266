"""`[anomaly]`: who looks for anomalies, and how long."""

from pydantic import Field

from llmproxy_core.sections.values import Section


class AnomalyConfig(Section):
    """`proxy`: requests are judged before they are sent, for `budget_ms` of CPU each; what that does
    not suffice for is left to the worker. `worker`: it judges answers, and what is slow."""

    proxy: bool = True
    worker: bool = True
    budget_ms: float = Field(default=5.0, gt=0, le=1000)
