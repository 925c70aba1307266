"""What is asked of the limits, and what they answer."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

type Kind = Literal["requests", "tokens", "usd", "concurrent", "storage"]


class Call(NamedTuple):
    """The facts by which limits know a call; empty: not known. `key` is a fingerprint."""

    namespace: str = ""
    key: str = ""
    proxy_user: str = ""
    model: str = ""
    provider: str = ""


class Amount(NamedTuple):
    """What a call takes at most, or what it has taken: tokens read and written, and USD.

    `usd` None: nobody knows the price.
    """

    tokens: float = 0.0
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which limit a call meets. `retry_after` in seconds; None: it will not pass later, either.

    `said` is a sentence for whoever made the call.
    """

    limit: str
    kind: Kind
    retry_after: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Level:
    """How far a limit is used up by the calls that share a counter: `whose` they are, in words."""

    limit: str
    kind: Kind
    whose: str
    used: float
    allowed: float
