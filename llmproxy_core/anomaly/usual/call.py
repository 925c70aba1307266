"""What is looked at of a call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """`at`: seconds since 1970 (UTC); tokens of request and answer; `usd`; `ms` to the end of the
    answer; None: not known. `hour` 0-23 where the user is. `tool_calls`: name and a hash of the
    arguments of each. `hosts`: those that its texts name."""

    namespace: str
    client: str
    model: str
    at: float
    hour: int
    tokens: float | None = None
    usd: float | None = None
    ms: float | None = None
    failed: bool = False
    session: str = ""
    tools: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tool_calls: tuple[tuple[str, int], ...] = ()
