"""`[[webhooks]]`: who is told of findings, decisions and calls that wait."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from llmproxy_core.sections.distinct import distinct
from llmproxy_core.sections.namespaces import NAME, Globs
from llmproxy_core.sections.values import Folder, Section

PREFIX = "LLMPROXY_"

type Event = Literal["anomaly", "decision", "approval"]
type Format = Literal["json", "slack"]


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("letters, digits, `.`, `_` and `-`, 63 at most, a letter or digit first")
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http") or parts.fragment or "@" in parts.netloc:
        raise ValueError("https://host/path, without login and fragment")
    return value


def _variable(value: str) -> str:
    if value and not value.startswith(PREFIX):
        raise ValueError(
            f"the name of a variable that begins with {PREFIX}: the worker sees no others"
        )
    return value


class WebhookConfig(Section):
    """`events`: what is told. `severity`: of anomalies, the least. `namespaces`: whose; all if empty.
    `secret_env`, `secret_file`: where the secret is by which it is signed; never in this file."""

    name: Annotated[str, AfterValidator(_name)]
    url: Annotated[str, AfterValidator(_url)] = Field(repr=False)
    events: list[Event] = Field(default=["anomaly", "approval"], min_length=1)
    severity: Literal["low", "medium", "high", "critical"] = "high"
    namespaces: Globs = Field(default=[])
    format: Format = "json"
    secret_env: Annotated[str, AfterValidator(_variable)] = ""
    secret_file: Folder | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.secret_env and self.secret_file:
            raise ValueError("`secret_env` or `secret_file`, not both")
        return self

    @property
    def where(self) -> str:
        """Without its path, which may be as good as a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


# by its name what a webhook is still to be told is found again
type Webhooks = Annotated[list[WebhookConfig], AfterValidator(distinct("webhooks"))]
