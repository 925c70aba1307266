"""The tables of `mitm.toml`: their keys, and what each is if it is left out."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field

from llmproxy_core.sections.values import (
    Bytes,
    Capture,
    DatabaseUrl,
    Folder,
    HostPattern,
    Login,
    Section,
    Usd,
)


class ProxyConfig(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    mode: list[str] = Field(default=["regular"], min_length=1)
    auth: Login = Field(default="", repr=False)
    open: bool = False
    fast_dispatch: bool = True
    confdir: Folder = Path("~/.mitmproxy").expanduser()


class CaptureConfig(Section):
    """`mode`: of all calls; `providers`: by the name of a provider. The strictest that applies."""

    max_body: Bytes = 32 * 2**20
    mode: Capture = "full"
    providers: dict[str, Capture] = Field(default={})


class SpoolConfig(Section):
    fsync: Literal["interval", "always", "never"] = "interval"
    max_bytes: Bytes = 20 * 2**30
    min_free_bytes: Bytes = 2**30


class WorkerConfig(Section):
    child: bool = True


class DatabaseConfig(Section):
    url: DatabaseUrl = Field(default="", repr=False)


class RetentionConfig(Section):
    days: int = Field(default=0, ge=0, le=36_500)


class ProviderConfig(Section):
    """A provider of the user's own; comes before the built-in ones."""

    name: str = Field(min_length=1)
    hosts: list[HostPattern] = Field(min_length=1)
    wire: str | None = None
    paths: dict[str, str] = Field(default={})
    capture: Capture = "full"


class PriceConfig(Section):
    """A price of the user's own, USD per million tokens; comes before the price list."""

    model: str = Field(min_length=1)
    provider: str = Field(default="*", min_length=1)
    since: date | None = None
    input: Usd
    output: Usd = Decimal(0)
    cached: Usd | None = None
    cache_write: Usd | None = None
    reasoning: Usd | None = None
