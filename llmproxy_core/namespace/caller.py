"""What is known of who makes a call."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from llmproxy_core.model import Headers

MAPPED = 0xFFFF
"""The upper 96 bits of an IPv6 address that stands for one of IPv4 (RFC 4291, 2.5.5.2)."""

type Address = tuple[int, int]
"""Bits of the address (32 or 128; 0: not known), and the address as a number."""


@dataclass(slots=True)
class Caller:
    """The facts of a call.

    `client`: the program's address, with or without its port, as in `pipeline.Head.client`.
    `headers`: those of the request; names in any case. `key`: the fingerprint of the provider's
    key. `model` and `sessions` (ids, working directory) are what `facts` reads in the request, and
    are needed only if the rules ask for them; ids of sessions in headers are found in `headers`.
    """

    proxy_user: str | None = None
    client: str = ""
    headers: Headers = field(default_factory=list)
    key: str | None = None
    provider: str = ""
    model: str | None = None
    sessions: Sequence[str] = ()


def address(client: str) -> Address:
    """The address in `10.0.0.1`, `10.0.0.1:53124`, `::1`, `[::1]:53124` or `fe80::1%eth0`."""
    if client.startswith("["):
        host = client[1:].partition("]")[0]
    else:
        host = client.partition(":")[0] if client.count(":") == 1 else client
    try:
        if ":" not in host:
            return 32, int.from_bytes(socket.inet_pton(socket.AF_INET, host))
        host = host.partition("%")[0]
        return plain(128, int.from_bytes(socket.inet_pton(socket.AF_INET6, host)))
    except (OSError, ValueError):
        return 0, 0


def plain(bits: int, number: int) -> Address:
    """The address of IPv4 that one of IPv6 may stand for."""
    return (32, number & 0xFFFFFFFF) if bits == 128 and number >> 32 == MAPPED else (bits, number)


def written(address: Address) -> str:
    """An address for people; empty if it is not known."""
    bits, number = address
    kind = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
    return str(kind(number)) if bits else ""
