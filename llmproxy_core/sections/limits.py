"""`[[limits]]` and `[limiter]`: how much may pass, for whom, and where it is counted."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from llmproxy_core.sections.distinct import distinct
from llmproxy_core.sections.namespaces import NAME, Fingerprints, Globs
from llmproxy_core.sections.values import Section, Usd

REQUESTS_PER_MINUTE = 100
BURST = 20
"""Of a limit without numbers."""
SCHEMES = ("redis", "rediss", "unix")

type Fact = Literal["namespace", "key", "proxy_user", "model", "provider"]


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("letters, digits, `.`, `_` and `-`, 63 at most, a letter or digit first")
    return value


def _storage(value: str) -> str:
    if value and not _is_redis(value):
        raise ValueError("redis://host:6379/0, rediss://…, unix:///path/to/socket, or empty")
    return value


def _is_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in SCHEMES and parts.port != 0
    except ValueError:
        return False


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _each_once(facts: list[Fact]) -> list[Fact]:
    if len(set(facts)) != len(facts):
        raise ValueError("each fact once")
    return facts


type Facts = Annotated[list[Fact], BeforeValidator(_listed), AfterValidator(_each_once)]


class LimitMatch(Section):
    """Whose calls count: of a list any, of the keys all that are given."""

    namespace: Globs = Field(default=[])
    key: Fingerprints = Field(default=[])
    proxy_user: Globs = Field(default=[])
    model: Globs = Field(default=[])
    provider: Globs = Field(default=[])


class LimitConfig(Section):
    """How much may pass. One without any number: 100 requests a minute, 20 at once.

    `per`: a counter for each value of these facts; none: one for all calls together.
    `unpriced`: what `usd_per_day` does with models whose price nobody knows.
    """

    name: Annotated[str, AfterValidator(_name)]
    match: LimitMatch = LimitMatch()
    per: Facts = Field(default=[])
    requests_per_minute: int | None = Field(default=None, ge=1, le=10**6)
    burst: int | None = Field(default=None, ge=1, le=10**6)
    tokens_per_minute: int | None = Field(default=None, ge=1, le=10**12)
    usd_per_day: Usd | None = None
    concurrent: int | None = Field(default=None, ge=1, le=10**6)
    unpriced: Literal["allow", "refuse"] = "allow"

    @model_validator(mode="after")
    def _burst_of_requests(self) -> Self:
        if self.burst is not None and self.requests_per_minute is None and self._says_numbers:
            raise ValueError("`requests_per_minute` beside `burst`")
        if self.unpriced == "refuse" and self.usd_per_day is None:
            raise ValueError("`usd_per_day` beside `unpriced`")
        return self

    @property
    def requests(self) -> tuple[int, int] | None:
        """Requests a minute, and how many of them at once."""
        rate = self.requests_per_minute
        if rate is None:
            if self._says_numbers:
                return None
            rate = REQUESTS_PER_MINUTE
        return rate, self.burst or min(BURST, rate)

    @property
    def _says_numbers(self) -> bool:
        others: tuple[int | Decimal | None, ...]
        others = (self.tokens_per_minute, self.usd_per_day, self.concurrent)
        return any(number is not None for number in others)


class LimiterConfig(Section):
    """Where it is counted: `storage` empty: in the home folder; else Redis, for several proxies.

    `when_away`: with Redis away each proxy goes by its own count ("open"), or nothing passes that
    a limit covers ("closed").
    """

    storage: Annotated[str, AfterValidator(_storage)] = Field(default="", repr=False)
    when_away: Literal["open", "closed"] = "open"


# by its name what a limit has counted is found again
type Limits = Annotated[list[LimitConfig], AfterValidator(distinct("limits"))]
