"""By what a namespace knows its calls: one matcher a fact, made from the settings once."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmproxy_core.globs import any_of
from llmproxy_core.namespace.caller import Address, Caller, address, plain, written
from llmproxy_core.providers.settings import SESSION_HEADERS


class MatchSettings(Protocol):
    """The matchers of `[[namespaces]]`: globs, any of a list; empty: it does not matter."""

    @property
    def proxy_user(self) -> Sequence[str]: ...
    @property
    def client(self) -> Sequence[str]: ...
    @property
    def header(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def key(self) -> Sequence[str]: ...
    @property
    def provider(self) -> Sequence[str]: ...
    @property
    def user_agent(self) -> Sequence[str]: ...
    @property
    def model(self) -> Sequence[str]: ...
    @property
    def session(self) -> Sequence[str]: ...


type Facts = dict[str, Sequence[Any]]
"""The values of a call by the fact: texts, but of `client` an `Address`."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A fact that must have one of the `wanted` values, as they are written down.

    `fact`: a key of `Facts`: the matcher's own in the settings, or `header` and its name in lower
    case. `fits`: a test of one value.
    """

    fact: str
    wanted: tuple[str, ...]
    fits: Callable[[Any], bool] = field(repr=False)

    def holds(self, facts: Facts) -> bool:
        return any(map(self.fits, facts.get(self.fact, ())))

    def refusal(self, facts: Facts) -> str:
        """Why it does not hold, for a person."""
        values = facts.get(self.fact, ())
        found = ", ".join(written(one) if self.fact == "client" else one for one in values)
        return f"{self.fact} is {found or 'not known'}, not {' or '.join(self.wanted)}"


def matchers(settings: MatchSettings) -> Iterator[Matcher]:
    """Those that are set."""
    for fact in ("provider", "key", "proxy_user", "model", "session"):
        if globs := getattr(settings, fact):
            yield Matcher(fact, tuple(globs), any_of(globs))
    for name, globs in settings.header.items():
        yield Matcher(f"header {name.lower()}", tuple(globs), any_of(globs))
    if globs := settings.user_agent:
        yield Matcher("header user-agent", tuple(globs), any_of(globs))
    if settings.client:
        yield Matcher("client", tuple(settings.client), _inside(settings.client))


def users(globs: Sequence[str]) -> Matcher:
    """Who may be in a namespace that is reserved."""
    return Matcher("proxy_user", tuple(globs), any_of(globs))


class Reader:
    """Reads, of a call, the facts that these matchers ask for."""

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        self.asked = frozenset(matcher.fact for matcher in matchers)
        self._headers: dict[str, list[str]] = {}
        for fact in self.asked:
            if fact.startswith("header "):
                self._headers.setdefault(fact.removeprefix("header "), []).append(fact)
        if "session" in self.asked:
            for name in SESSION_HEADERS:
                self._headers.setdefault(name, []).append("session")

    def read(self, caller: Caller) -> Facts:
        found: Facts = {}
        if caller.provider:
            found["provider"] = (caller.provider,)
        if caller.key:
            found["key"] = (caller.key,)
        if caller.proxy_user:
            found["proxy_user"] = (caller.proxy_user,)
        if caller.model:
            found["model"] = (caller.model,)
        if "client" in self.asked:
            found["client"] = (address(caller.client),)
        if self._headers:
            self._read_headers(caller, found)
        if caller.sessions:
            found["session"] = list(dict.fromkeys((*found.get("session", ()), *caller.sessions)))
        return found

    def _read_headers(self, caller: Caller, found: Facts) -> None:
        wanted = self._headers
        for name, value in caller.headers:
            for fact in wanted.get(name.lower(), ()):
                found[fact] = [*found.get(fact, ()), value]


def _inside(networks: Sequence[str]) -> Callable[[Address], bool]:
    ranges = [_range(one) for one in networks]
    if len(ranges) == 1:
        (of, free, start), *_ = ranges
        return lambda address: address[0] == of and address[1] >> free == start

    def inside(address: Address) -> bool:
        bits, number = address
        return any(bits == of and number >> free == start for of, free, start in ranges)

    return inside


def _range(network: str) -> tuple[int, int, int]:
    """(bits of an address, how many of them are free, the others)."""
    parsed = ipaddress.ip_network(network)
    free = parsed.max_prefixlen - parsed.prefixlen
    bits: int = parsed.max_prefixlen
    number = int(parsed.network_address)
    if free <= 32:  # a wider one is no network of IPv4 in the clothes of IPv6
        bits, number = plain(bits, number)
    return bits, free, number >> free
