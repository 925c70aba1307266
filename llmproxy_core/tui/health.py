"""Is the proxy up, has the worker kept pace, is a limit used up? Asked of the machine, not of the store."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from llmproxy_core import spool
from llmproxy_core.home import Home
from llmproxy_core.metering import levels

CONNECT_SECONDS = 0.3


class _State(msgspec.Struct):
    """The part of proxy.json that is shown."""

    host: str = "127.0.0.1"
    port: int = 8080
    pid: int = 0


@dataclass(frozen=True, slots=True)
class ProxyHealth:
    """`address` is where the proxy listens, or listened last; empty: it has never run here."""

    up: bool
    address: str = ""


def proxy_health(home: Home) -> ProxyHealth:
    """Look into proxy.json and try to connect: a proxy that was killed leaves its file behind."""
    try:
        state = msgspec.json.decode(home.proxy_state.read_bytes(), type=_State)
    except (OSError, msgspec.DecodeError):
        return ProxyHealth(False)
    host = state.host.strip("[]")
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    address = f"[{host}]:{state.port}" if ":" in host else f"{host or '*'}:{state.port}"
    try:
        socket.create_connection((reachable, state.port), CONNECT_SECONDS).close()
    except OSError:
        return ProxyHealth(False, address)
    return ProxyHealth(True, address)


def backlog_bytes(home: Home, stored: Mapping[str, spool.Position]) -> int:
    """Bytes in the journals that are not stored yet. `stored`: how far each writer's are."""
    total = 0
    try:
        for reader in spool.readers(home.spool):
            total += reader.backlog(stored.get(reader.id, spool.START))
    except OSError:
        return total  # a journal that has just been removed: it was stored whole
    return total


def used_up(home: Home) -> list[str]:
    """The names of the limits at which calls are refused now, as the proxies tell it."""
    full = [level.limit for level in levels.read(home) or [] if level.used >= level.allowed]
    return list(dict.fromkeys(full))
