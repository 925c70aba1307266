"""The settings: `mitm.toml`, read and checked once.

Which file: LLMPROXY_CONFIG, else ./mitm.toml, else mitm.toml in the home folder, else defaults.
LLMPROXY_DATABASE_URL comes before `database.url`. The file `mitm.toml` of the project documents
every key.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from llmproxy_core.errors import ConfigError

SECRETS = (("proxy", "auth"), ("database", "url"))
UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
HOST = re.compile(r"(\*\.)?[A-Za-z0-9_.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", value.strip())
    if not found or found[2].lower() not in UNITS:
        raise ValueError("a number of bytes, or one with a unit: KiB, MiB, GiB")
    return int(found[1]) * UNITS[found[2].lower()]


def _path(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("a path; the user after ~ is not known here") from None


def _host_pattern(value: str) -> str:
    if not HOST.fullmatch(value):
        raise ValueError("a host name, *.domain or host:port, without scheme and path")
    return value.lower()


def _database_url(value: str) -> str:
    if value and urlsplit(value).scheme not in ("postgresql", "postgres"):
        raise ValueError("postgresql://user@host:port/database, or empty")
    return value


def _auth(value: str) -> str:
    if value and not value.startswith("@") and ":" not in value:
        raise ValueError('"user:password" or "@/path/to/htpasswd"')
    return value


def _usd(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


type Bytes = Annotated[int, BeforeValidator(_bytes), Field(ge=0)]
type Usd = Annotated[Decimal, BeforeValidator(_usd), Field(ge=0, le=10**6)]
type HostPattern = Annotated[str, AfterValidator(_host_pattern)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ProxyConfig(_Table):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    mode: list[str] = Field(default=["regular"], min_length=1)
    auth: Annotated[str, AfterValidator(_auth)] = Field(default="", repr=False)
    open: bool = False
    fast_dispatch: bool = True
    confdir: Annotated[Path, BeforeValidator(_path)] = Path("~/.mitmproxy").expanduser()


class CaptureConfig(_Table):
    max_body: Bytes = 32 * 2**20


class SpoolConfig(_Table):
    fsync: Literal["interval", "always", "never"] = "interval"
    max_bytes: Bytes = 20 * 2**30
    min_free_bytes: Bytes = 2**30


class WorkerConfig(_Table):
    child: bool = True


class DatabaseConfig(_Table):
    url: Annotated[str, AfterValidator(_database_url)] = Field(default="", repr=False)


class RetentionConfig(_Table):
    days: int = Field(default=0, ge=0, le=36_500)


class ProviderConfig(_Table):
    """A provider of the user's own; comes before the built-in ones."""

    name: str = Field(min_length=1)
    hosts: list[HostPattern] = Field(min_length=1)
    wire: str | None = None
    paths: dict[str, str] = {}


class PriceConfig(_Table):
    """A price of the user's own, USD per million tokens; comes before the price list."""

    model: str = Field(min_length=1)
    provider: str = Field(default="*", min_length=1)
    since: date | None = None
    input: Usd
    output: Usd = Decimal(0)
    cached: Usd | None = None
    cache_write: Usd | None = None
    reasoning: Usd | None = None


class Config(_Table):
    source: Path | None = None
    """The file it was read from; None: the built-in defaults."""
    proxy: ProxyConfig = ProxyConfig()
    capture: CaptureConfig = CaptureConfig()
    spool: SpoolConfig = SpoolConfig()
    worker: WorkerConfig = WorkerConfig()
    database: DatabaseConfig = DatabaseConfig()
    retention: RetentionConfig = RetentionConfig()
    providers: list[ProviderConfig] = []
    prices: list[PriceConfig] = []


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
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{file}: not valid TOML: {exc}") from None
    except RecursionError:
        raise ConfigError(f"{file}: nested too deeply") from None
    if "source" in tables:
        raise ConfigError(f"{file}: unknown key `source`")
    if unprintable := next(_unprintable(tables), None):
        raise ConfigError(f"{file}: {unprintable}: control characters are not allowed")
    try:
        return Config.model_validate({**tables, "source": file})
    except ValidationError as exc:
        problems = [_sentence(error) for error in exc.errors(include_url=False)]
        raise ConfigError(f"{file}: " + "; ".join(problems)) from None


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
    elif isinstance(value, str) and CONTROL.search(value):
        yield f"`{key}`"


def _sentence(error: Any) -> str:
    key = _key(error["loc"])
    if error["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(error["loc"][:-1]))
        return f"unknown key `{key}`; known here: {known}"
    value = error["input"]
    # a password must not end up in a terminal or a log
    shown = "" if key in ("proxy.auth", "database.url") else f" = {value!r}"
    return f"`{key}`{shown}: allowed is {_allowed(error)}"


def _allowed(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
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
    parts: Iterator[str] = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in location)
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
        ("providers",): ProviderConfig,
        ("prices",): PriceConfig,
    }
    table = tables[tuple(part for part in location if isinstance(part, str))]
    return [name for name in table.model_fields if name != "source"]
