"""`[advisor]`: Claude through OpenRouter, asked only where a policy or a command asks for it."""

from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from llmproxy_core.sections.values import Section, Usd

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _base_url(value: str) -> str:
    if not _is_safe(value):
        raise ValueError("https://host/path, without login, query and fragment")
    return value.rstrip("/")


def _is_safe(url: str) -> bool:
    """Encrypted, or not leaving this machine; and nothing secret in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


class AdvisorConfig(Section):
    """The key comes from the environment, OPENROUTER_API_KEY, and from nowhere else."""

    enabled: bool = False
    model: str = Field(default="anthropic/claude-sonnet-4.5", min_length=1)
    base_url: Annotated[str, AfterValidator(_base_url)] = "https://openrouter.ai/api/v1"
    budget_usd_per_day: Usd = Decimal(1)
    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    max_output_tokens: int = Field(default=1024, ge=16, le=64_000)
    cache_days: int = Field(default=30, ge=0, le=3650)
