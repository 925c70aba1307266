"""What a value of `mitm.toml` may be, and how it is written there."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

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
type DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
type Login = Annotated[str, AfterValidator(_auth)]
type Capture = Literal["full", "metadata", "off"]
"""What is written of a call: all of it; how it was made, without a text; nothing."""
type Folder = Annotated[Path, BeforeValidator(_path)]


class Section(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
