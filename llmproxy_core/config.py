"""The settings: `mitm.toml`, read and checked once.

Which file: LLMPROXY_CONFIG, else ./mitm.toml, else mitm.toml in the home folder, else defaults.
LLMPROXY_DATABASE_URL comes before `database.url`. The file `mitm.toml` of the project documents
every key.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.advisor import AdvisorConfig
from llmproxy_core.sections.anomaly import AnomalyConfig
from llmproxy_core.sections.learning import LearningConfig
from llmproxy_core.sections.limits import LimitConfig, LimiterConfig, LimitMatch, Limits
from llmproxy_core.sections.namespaces import MatchConfig, NamespaceConfig, Namespaces
from llmproxy_core.sections.operations import OPERATIONS, operation_keys
from llmproxy_core.sections.policies import Policies, PolicyConfig
from llmproxy_core.sections.redaction import RedactionConfig
from llmproxy_core.sections.tables import (
    CaptureConfig,
    DatabaseConfig,
    PriceConfig,
    ProviderConfig,
    ProxyConfig,
    RetentionConfig,
    SpoolConfig,
    WorkerConfig,
)
from llmproxy_core.sections.transformations import TransformationConfig, Transformations
from llmproxy_core.sections.values import CONTROL, Section
from llmproxy_core.sections.webhooks import WebhookConfig, Webhooks

__all__ = [
    "AdvisorConfig",
    "AnomalyConfig",
    "CaptureConfig",
    "Config",
    "DatabaseConfig",
    "LearningConfig",
    "LimitConfig",
    "LimitMatch",
    "LimiterConfig",
    "MatchConfig",
    "NamespaceConfig",
    "PolicyConfig",
    "PriceConfig",
    "ProviderConfig",
    "ProxyConfig",
    "RetentionConfig",
    "SpoolConfig",
    "TransformationConfig",
    "WebhookConfig",
    "WorkerConfig",
    "check",
    "find",
    "load",
    "read",
    "read_limits",
    "read_namespaces",
    "read_policies",
    "read_transformations",
    "without_secrets",
]

LINES = {ord(sign): " " for sign in "\n\r\t"}
SECRETS = (("proxy", "auth"), ("database", "url"), ("limiter", "storage"))


class Config(Section):
    source: Path | None = None
    """The file it was read from; None: the built-in defaults."""
    proxy: ProxyConfig = ProxyConfig()
    capture: CaptureConfig = CaptureConfig()
    spool: SpoolConfig = SpoolConfig()
    worker: WorkerConfig = WorkerConfig()
    database: DatabaseConfig = DatabaseConfig()
    retention: RetentionConfig = RetentionConfig()
    limiter: LimiterConfig = LimiterConfig()
    advisor: AdvisorConfig = AdvisorConfig()
    learning: LearningConfig = LearningConfig()
    anomaly: AnomalyConfig = AnomalyConfig()
    redaction: RedactionConfig = RedactionConfig()
    providers: list[ProviderConfig] = Field(default=[])
    prices: list[PriceConfig] = Field(default=[])
    namespaces: Namespaces = Field(default=[])
    limits: Limits = Field(default=[])
    policies: Policies = Field(default=[])
    transformations: Transformations = Field(default=[])
    webhooks: Webhooks = Field(default=[])


def load(path: Path | None = None, home: Path | None = None) -> Config:
    """The settings in force.

    Raises:
        ConfigError: names the file, the key, the value and what is allowed.
    """
    file = path or find(home)
    config = Config() if file is None else read(file)
    if url := os.environ.get("LLMPROXY_DATABASE_URL"):
        try:
            database = DatabaseConfig(url=url)
        except ValidationError as exc:
            raise ConfigError(
                f"LLMPROXY_DATABASE_URL: allowed is {_allowed(exc.errors()[0])}"
            ) from None
        config = config.model_copy(update={"database": database})
    return config


def without_secrets(config: Config) -> dict[str, Any]:
    """All settings in force as JSON values; passwords become `***`."""
    data = config.model_dump(mode="json")
    for table, key in SECRETS:
        if data[table][key]:
            data[table][key] = "***"
    for shown, webhook in zip(data["webhooks"], config.webhooks, strict=True):
        shown["url"] = f"{webhook.where}/***"
    return data


def find(home: Path | None = None) -> Path | None:
    """The file that holds the settings, if there is one.

    Raises:
        ConfigError: LLMPROXY_CONFIG names a file that does not exist, or the one in the working
            directory is another user's.
    """
    if named := os.environ.get("LLMPROXY_CONFIG"):
        file = Path(os.path.expanduser(named))
        if not file.is_file():
            raise ConfigError(f"LLMPROXY_CONFIG: there is no file {file}")
        return file
    here = Path("mitm.toml").absolute()
    if here.is_file():
        if os.geteuid() and here.stat().st_uid not in (0, os.geteuid()):
            raise ConfigError(
                f"{here}: belongs to another user, who could have the calls sent elsewhere. "
                "Go to another folder, or name this file in LLMPROXY_CONFIG."
            )
        return here
    if home and (home / "mitm.toml").is_file():
        return home / "mitm.toml"
    return None


def read(file: Path) -> Config:
    """Raises ConfigError, also where the file is not TOML or cannot be read."""
    return check(file, _tables(file))


def read_namespaces(file: Path) -> list[NamespaceConfig]:
    """The namespaces of a file alone, whatever else there is in it. Raises ConfigError as `read`."""
    return check(file, {"namespaces": _tables(file).get("namespaces", [])}).namespaces


def read_limits(file: Path) -> list[LimitConfig]:
    """The limits of a file alone, as `read_namespaces`. Raises ConfigError."""
    return check(file, {"limits": _tables(file).get("limits", [])}).limits


def read_policies(file: Path) -> list[PolicyConfig]:
    """The policies of a file alone, as `read_namespaces`. Raises ConfigError."""
    return check(file, {"policies": _tables(file).get("policies", [])}).policies


def read_transformations(file: Path) -> list[TransformationConfig]:
    """The transformations of a file alone, as `read_namespaces`. Raises ConfigError."""
    tables = {"transformations": _tables(file).get("transformations", [])}
    return check(file, tables).transformations


def check(file: Path, tables: dict[str, Any]) -> Config:
    """Settings from what was read in a file.

    Raises:
        ConfigError: names the file, and of each mistake the key, the value and what is allowed.
    """
    if "source" in tables:
        raise ConfigError(f"{file}: unknown key `source`")
    if unprintable := next(_unprintable(tables), None):
        raise ConfigError(f"{file}: {unprintable}: control characters are not allowed")
    try:
        return Config.model_validate({**tables, "source": file})
    except ValidationError as exc:
        problems = [_sentence(error) for error in exc.errors(include_url=False)]
        raise ConfigError(f"{file}: " + "; ".join(problems)) from None


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{file}: not valid TOML: {exc}") from None
    except RecursionError:
        raise ConfigError(f"{file}: nested too deeply") from None


def _unprintable(value: Any, key: str = "") -> Iterator[str]:
    """Keys and values that would obey a terminal, or end a path too early."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if CONTROL.search(name):
                yield f"the key {name!r}"
            yield from _unprintable(inner, f"{key}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unprintable(inner, f"{key}[{number}]")
    elif isinstance(value, str) and CONTROL.search(_one_line(value, key)):
        yield f"`{key}`"


def _one_line(value: str, key: str) -> str:
    """What goes to a model may have lines."""
    return value.translate(LINES) if key.startswith("transformations[") else value


def _sentence(error: Any) -> str:
    key = _key(error["loc"])
    if error["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(error["loc"][:-1]))
        return f"unknown key `{key}`; known here: {known}"
    if error["type"] == "missing":
        return f"`{key}` is required"
    value = error["input"]
    # a password must not end up in a terminal or a log, nor a key in place of its fingerprint
    secret = tuple(key.split(".")) in SECRETS or ".match.key" in key or ".url" in key
    whole = isinstance(value, dict | list) and value
    shown = "" if secret or whole else f" = {value!r}"
    return f"`{key}`{shown}: allowed is {_allowed(error)}"


def _allowed(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"].startswith("union_tag"):
        return "a table with one of these as `op`: " + ", ".join(OPERATIONS)
    kinds = {
        "model_type": "a table",
        "dict_type": "a table",
        "list_type": "a list",
        "string_type": "a string",
        "path_type": "a path, as a string",
        "is_instance_of": "a path, as a string",
        "too_short": "a list that is not empty",
        "string_too_short": "a string that is not empty",
    }
    message: str = error["msg"]
    return kinds.get(error["type"], message.removeprefix("Input should be "))


def _key(location: tuple[int | str, ...]) -> str:
    # pydantic marks what is wrong with a key, and not with its value
    parts = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in location if p != "[key]")
    return "".join(parts).removeprefix(".")


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    tables: dict[tuple[str, ...], type[BaseModel]] = {
        (): Config,
        ("proxy",): ProxyConfig,
        ("capture",): CaptureConfig,
        ("spool",): SpoolConfig,
        ("worker",): WorkerConfig,
        ("database",): DatabaseConfig,
        ("retention",): RetentionConfig,
        ("limiter",): LimiterConfig,
        ("advisor",): AdvisorConfig,
        ("learning",): LearningConfig,
        ("anomaly",): AnomalyConfig,
        ("redaction",): RedactionConfig,
        ("providers",): ProviderConfig,
        ("prices",): PriceConfig,
        ("namespaces",): NamespaceConfig,
        ("namespaces", "match"): MatchConfig,
        ("limits",): LimitConfig,
        ("limits", "match"): LimitMatch,
        ("policies",): PolicyConfig,
        ("transformations",): TransformationConfig,
        ("webhooks",): WebhookConfig,
    }
    names = tuple(part for part in location if isinstance(part, str))
    if names[:2] == ("transformations", "logic"):
        return operation_keys(names[2:])
    table = tables[names]
    return [name for name in table.model_fields if name != "source"]
