"""`[[namespaces]]`: whose calls are whose. Checked alike in mitm.toml, the table and the rulebook."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from llmproxy_core.sections.values import CONTROL, Capture, Section

DEFAULT = "default"
"""The namespace of all calls that no other one takes."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,31})?")
"""What every provider takes at the beginning of a tool's name."""
FINGERPRINT = re.compile(r"fp_[0-9a-f]{12}")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
    }
)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("letters, digits, `.`, `_` and `-`, 63 at most, a letter or digit first")
    return value


def _prefix(value: str) -> str:
    if not PREFIX.fullmatch(value):
        raise ValueError("letters, digits, `_` and `-`, 32 at most, a letter first; or empty")
    return value


def _glob(value: str) -> str:
    if not value or CONTROL.search(value):
        raise ValueError("a text, not empty, without control characters; `*` stands for any")
    return value


def _network(value: str) -> str:
    try:
        meant = ipaddress.ip_network(value.replace("%", "/%"), strict=False)
    except ValueError:
        raise ValueError("an address or a network, such as 10.1.0.0/16 or fd00::/8") from None
    address = ipaddress.ip_address(value.partition("/")[0])
    if address != meant.network_address:
        raise ValueError(f"a network without the bits of a host: {meant}")
    return value


def _fingerprint(value: str) -> str:
    if not FINGERPRINT.fullmatch(value):
        raise ValueError("the fingerprint of a key: fp_ and 12 digits; never the key itself")
    return value


def _header(value: str) -> str:
    if not HEADER.fullmatch(value):
        raise ValueError("the name of a header")
    if value.lower() in SECRET_HEADERS:
        raise ValueError("a header that holds no credential; for those there is `key`")
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _users(value: object) -> object:
    if isinstance(value, bool):
        return ["*"] if value else []
    if not isinstance(value, str | list) or not value:
        raise ValueError("true, false, or a list of users of the proxy")
    return _listed(value)


type Glob = Annotated[str, AfterValidator(_glob)]
type Globs = Annotated[list[Glob], BeforeValidator(_listed), Field(min_length=1)]
type Networks = Annotated[
    list[Annotated[str, AfterValidator(_network)]], BeforeValidator(_listed), Field(min_length=1)
]
type Fingerprints = Annotated[
    list[Annotated[str, AfterValidator(_fingerprint)]],
    BeforeValidator(_listed),
    Field(min_length=1),
]
type HeaderName = Annotated[str, AfterValidator(_header)]


class MatchConfig(Section):
    """By what a namespace knows its calls: of a list any, of the keys all that are given."""

    proxy_user: Globs = Field(default=[])
    client: Networks = Field(default=[])
    header: Annotated[dict[HeaderName, Globs], Field(min_length=1)] = Field(default={})
    key: Fingerprints = Field(default=[])
    provider: Globs = Field(default=[])
    user_agent: Globs = Field(default=[])
    model: Globs = Field(default=[])
    session: Globs = Field(default=[])

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"one of {', '.join(MatchConfig.model_fields)}, or more")
        return self


class NamespaceConfig(Section):
    """A namespace. `reserved`: globs of users who may be in it, none: everybody; true is `*`."""

    name: Annotated[str, AfterValidator(_name)]
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    match: MatchConfig | None = None
    reserved: Annotated[list[Glob], BeforeValidator(_users)] = Field(default=[])
    on_too_long: Literal["shorten", "skip", "refuse"] = "shorten"
    plain_text: bool = False
    capture: Capture = "full"


def distinct(namespaces: list[NamespaceConfig]) -> list[NamespaceConfig]:
    """Those that have a name and a prefix of their own.

    Raises:
        ValidationError: two share one, or the default one is reserved.
    """
    if problems := list(_clashes(namespaces)):
        raise ValidationError.from_exception_data("namespaces", problems)
    return namespaces


def _clashes(namespaces: Sequence[NamespaceConfig]) -> list[InitErrorDetails]:
    problems = []
    taken: dict[tuple[str, str], int] = {}
    for number, one in enumerate(namespaces):
        for key, value in (("name", one.name), ("prefix", one.prefix)):
            first = taken.setdefault((key, value), number)
            if value and first != number:
                said = f"a {key} of its own; `namespaces[{first}]` has this one"
                problems.append(_problem(said, (number, key), value))
        if one.name == DEFAULT and one.reserved:
            said = "nothing here: the default namespace takes all other calls"
            problems.append(_problem(said, (number, "reserved"), one.reserved))
    return problems


def _problem(said: str, location: tuple[int | str, ...], value: object) -> InitErrorDetails:
    kind = PydanticCustomError("namespaces", "{said}", {"said": said})
    return InitErrorDetails(type=kind, loc=location, input=value)


type Namespaces = Annotated[list[NamespaceConfig], AfterValidator(distinct)]
