"""Which flows are LLM calls: host, port, method and path -> provider and wire format.

No backtracking: a host is looked up whole and then domain by domain, a path by its last
segments, so that the time is linear in their length. Answers are remembered, up to CACHE of them.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from llmproxy_core.globs import fits
from llmproxy_core.providers.catalogue import COMMON, LOCAL, PROVIDERS, READS, UPGRADES, Provider

CACHE = 8192
LONGEST_CACHED = 512
"""Characters of host, method and path that are remembered: they come from the network."""
ODD = re.compile(r"[%;]|//|/\.")
LOOPBACK_NAMES = ("localhost", "host.docker.internal", "host.containers.internal")


class ProviderConfig(Protocol):
    """A provider of the user's own: a `[[providers]]` table of mitm.toml.

    `paths` maps a whole path (`*`: any characters) to a wire format, before all built-in ones.
    `wire` is what every other POST to these hosts speaks.
    """

    @property
    def name(self) -> str: ...
    @property
    def hosts(self) -> Sequence[str]: ...
    @property
    def wire(self) -> str | None: ...
    @property
    def paths(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Match:
    """An LLM call: who answers it and in which format."""

    provider: str
    wire: str


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    suffixes: Mapping[str, str]
    globs: tuple[tuple[str, str], ...] = ()
    wire: str | None = None


class Recogniser:
    """The catalogue, after the user's own providers (`extra`), ready to be asked.

    Safe to share between threads: a race fills a cache twice with the same answer.
    """

    def __init__(self, extra: Sequence[ProviderConfig] = ()) -> None:
        self._hosts = _Hosts()
        for config in extra:
            globs = tuple(config.paths.items())
            self._hosts.add(config.hosts, _Entry(config.name, COMMON, globs, config.wire))
        for provider in PROVIDERS:
            self._hosts.add(provider.hosts, _built_in(provider))
        self._matches: dict[tuple[str, int, str, str], Match | None] = {}
        self._opened: dict[tuple[str, int], bool] = {}

    def opens(self, host: str, port: int) -> bool:
        """Is this a host whose TLS we open? `host` is the SNI, or the address of the CONNECT."""
        key = (host, port)
        known = self._opened.get(key)
        if known is None:
            known = self._hosts.find(_plain(host), port) is not None
            if len(host) <= LONGEST_CACHED:
                _remember(self._opened, key, known)
        return known

    def match(self, host: str, port: int, method: str, path: str) -> Match | None:
        """What the request is, or None if it is not an LLM call. `path` may carry a query, and be
        spelled in any way that a server takes for the same."""
        path = _same(path.partition("?")[0].partition("#")[0])
        key = (host, port, method, path)
        try:
            return self._matches[key]
        except KeyError:
            found = self._match(_plain(host), port, method, path)
            if len(host) + len(method) + len(path) <= LONGEST_CACHED:
                _remember(self._matches, key, found)
            return found

    def _match(self, host: str, port: int, method: str, path: str) -> Match | None:
        entry = self._hosts.find(host, port)
        if entry is None:
            return _local(method, path) if _is_loopback(host) else None
        if method == "GET":
            wire = _upgrade(path) or _fetched(path)
        elif method == "POST":
            wire = _glob(entry.globs, path) or _suffix(entry.suffixes, path)
            wire = wire or _suffix(entry.suffixes, path.lower()) or entry.wire  # Azure's are alike
        else:
            wire = None
        return Match(entry.name, wire) if wire else None


class _Hosts:
    """Host patterns -> entries; the first pattern added wins, exact ones before wider ones."""

    def __init__(self) -> None:
        self._exact: dict[str, _Entry] = {}
        self._domains: dict[str, _Entry] = {}
        self._globs: list[tuple[str, _Entry]] = []

    def add(self, patterns: Sequence[str], entry: _Entry) -> None:
        for pattern in patterns:
            pattern = _without_brackets(pattern.lower())
            if "*" not in pattern:
                self._exact.setdefault(pattern, entry)
            elif pattern.startswith("*.") and "*" not in pattern[1:]:
                self._domains.setdefault(pattern[1:], entry)
            else:
                self._globs.append((pattern, entry))

    def find(self, host: str, port: int) -> _Entry | None:
        names = [host] if not _is_loopback(host) else [host, "localhost"]
        for name in names:
            for key in (f"{name}:{port}", name):
                if entry := self._exact.get(key):
                    return entry
        at = host.find(".")
        while at >= 0:
            domain = host[at:]
            if entry := self._domains.get(f"{domain}:{port}") or self._domains.get(domain):
                return entry
            at = host.find(".", at + 1)
        return next((entry for glob, entry in self._globs if fits(glob, host)), None)


def _built_in(provider: Provider) -> _Entry:
    return _Entry(provider.name, {**COMMON, **provider.paths})


def _suffix(suffixes: Mapping[str, str], path: str) -> str | None:
    """The wire of the longest listed ending of `path`, three segments at most."""
    path = path.rstrip("/")
    ends: list[str] = []
    at = len(path)
    for _ in range(3):
        at = path.rfind("/", 0, at)
        if at < 0:
            break
        ends.append(path[at:])
    for end in reversed(ends):
        if wire := suffixes.get(end):
            return wire
    method = path.rfind(":", max(0, path.rfind("/")))
    return suffixes.get(path[method:]) if method >= 0 else None


def _glob(globs: tuple[tuple[str, str], ...], path: str) -> str | None:
    return next((wire for glob, wire in globs if fits(glob, path)), None)


def _upgrade(path: str) -> str | None:
    path = path.rstrip("/")
    return next((wire for end, wire in UPGRADES.items() if path.endswith(end)), None)


def _fetched(path: str) -> str | None:
    segments = path.rstrip("/").split("/")
    for ending, wire in READS.items():
        wanted = ending.split("/")[1:]
        ends = segments[-len(wanted) :]
        if len(ends) == len(wanted) and all(map(fits, wanted, ends)):
            return wire
    return None


def _local(method: str, path: str) -> Match | None:
    """A server on this machine, on a port of its own choice: known by its paths alone."""
    wire = _suffix(LOCAL, path) if method == "POST" else None
    return Match(f"{wire.partition('.')[0]}-compatible", wire) if wire else None


def _same(path: str) -> str:
    """Without what only disguises it: percent signs, empty segments, dots, parameters."""
    if not ODD.search(path):
        return path
    segments: list[str] = []
    for segment in path.split("/"):
        name = unquote(segment.partition(";")[0]).strip()
        if name == "..":
            del segments[-1:]
        elif name not in ("", "."):
            segments.append(name)
    return "/" + "/".join(segments)


def _plain(host: str) -> str:
    return _without_brackets(host.lower().rstrip("."))


def _without_brackets(host: str) -> str:
    return host.replace("[", "").replace("]", "")


def _is_loopback(host: str) -> bool:
    if host in LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _remember[K, V](cache: dict[K, V], key: K, value: V) -> None:
    if len(cache) >= CACHE:
        cache.clear()
    cache[key] = value
