"""Hosts that a namespace has been seen to use: one that is new may be where data goes."""

import re
from collections import OrderedDict

import msgspec

from llmproxy_core.anomaly.finding import Finding
from llmproxy_core.anomaly.leaks.hosts import is_drawn, is_local
from llmproxy_core.anomaly.reading.urls import Url

NAME = "new_host"
MOST_HOSTS = 2000
"""Hosts of a namespace that are kept; the ones not seen for the longest time go first."""
MOST_NAMESPACES = 500
SETTLED = 20
"""Hosts that a namespace must have before a new one is worth telling."""
SUFFIXES = frozenset({"co", "com", "org", "net", "gov", "ac", "edu"})

type Kept = dict[str, list[str]]


class SeenHosts:
    """Bounded; the caller owns it, and keeps it between runs (`dumped`, `loaded`).

    A host counts by its domain: `a.example.com` and `b.example.com` are one.
    """

    __slots__ = ("_hosts", "most_hosts", "most_namespaces", "settled")

    def __init__(
        self,
        most_hosts: int = MOST_HOSTS,
        most_namespaces: int = MOST_NAMESPACES,
        settled: int = SETTLED,
    ) -> None:
        self._hosts: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self.most_hosts = most_hosts
        self.most_namespaces = most_namespaces
        self.settled = settled

    def is_new(self, namespace: str, host: str) -> bool:
        """Never seen before in a namespace that is known well enough? Then it is known from now."""
        hosts = self._hosts.setdefault(namespace, OrderedDict())
        self._hosts.move_to_end(namespace)
        if len(self._hosts) > self.most_namespaces:
            self._hosts.popitem(last=False)
        domain = registered(host)
        known = domain in hosts
        settled = len(hosts) >= self.settled
        hosts[domain] = None
        hosts.move_to_end(domain)
        if len(hosts) > self.most_hosts:
            hosts.popitem(last=False)
        return settled and not known

    def findings(self, namespace: str, addresses: list[Url]) -> list[Finding]:
        """Addresses of a text that lead to new hosts; well-known and local ones are none."""
        found = []
        for url in addresses:
            if is_drawn(url.host) or is_local(url.host) or not self.is_new(namespace, url.host):
                continue
            said = f"The host {url.host[:80]} was never seen before in this namespace."
            score = 0.4 if url.standing in ("image", "argument", "request") else 0.25
            found.append(Finding(NAME, "exfiltration", score, "low", url.start, url.end, said))
        return found

    def dumped(self) -> bytes:
        kept: Kept = {namespace: list(hosts) for namespace, hosts in self._hosts.items()}
        return msgspec.msgpack.encode(kept)

    def load(self, data: bytes) -> None:
        """Takes over what `dumped` gave. Raises msgspec.MsgspecError."""
        kept = msgspec.msgpack.decode(data, type=Kept)
        self._hosts = OrderedDict(
            (namespace, OrderedDict.fromkeys(hosts[-self.most_hosts :]))
            for namespace, hosts in list(kept.items())[-self.most_namespaces :]
        )


def registered(host: str) -> str:
    """The domain somebody has registered, by a rule of thumb: `bbc.co.uk`, `example.com`."""
    labels = host.lower()[:253].split(".")
    if len(labels) < 3 or re.fullmatch(r"[\d.]+|\[.*", host):
        return host.lower()[:253]
    keep = 3 if labels[-2] in SUFFIXES and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])
