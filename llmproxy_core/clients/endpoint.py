"""Where the proxy listens: as it says itself in `proxy.json`, else as the settings have it."""

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from llmproxy_core.config import Config
from llmproxy_core.errors import ClientError, ProxyDown
from llmproxy_core.home import Home

LOGIN = "LLMPROXY_LOGIN"
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`pid` is that of the running proxy; None: it is not running, and this is a plan."""

    host: str
    port: int
    confdir: Path
    pid: int | None = None
    auth: str = ""

    @property
    def url(self) -> str:
        """As programs want it in HTTPS_PROXY, with the password if there is one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, colon, password = self.auth.partition(":")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if colon else ""
        return f"http://{login}{host}:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.confdir / "mitmproxy-ca-cert.pem"

    def answers(self, seconds: float = 1.0) -> bool:
        try:
            socket.create_connection((self.host, self.port), seconds).close()
        except OSError:
            return False
        return True


def endpoint(config: Config, home: Home) -> Endpoint:
    """That of the running proxy, else the one that the settings promise.

    Raises:
        ClientError: LLMPROXY_LOGIN is no login.
    """
    proxy = config.proxy
    auth = _login(proxy.auth)
    try:
        state = json.loads(home.proxy_state.read_bytes())
        found = Endpoint(
            EVERYWHERE.get(state["host"], state["host"]),
            int(state["port"]),
            Path(state["confdir"]),
            int(state["pid"]),
            auth,
        )
        if f"{found.host}{found.confdir}".isprintable() and _alive(found.pid or 0):
            return found
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # not running, or killed while it wrote
    host = EVERYWHERE.get(proxy.host, proxy.host)
    return Endpoint(host, proxy.port, proxy.confdir, None, auth)


def _login(auth: str) -> str:
    """LLMPROXY_LOGIN comes first: a file of passwords holds only hashes."""
    login = os.environ.get(LOGIN, "")
    if login and ":" not in login:
        raise ClientError(f"{LOGIN}: allowed is user:password")
    return login or ("" if auth.startswith("@") else auth)


def running_endpoint(config: Config, home: Home) -> Endpoint:
    """Raises ProxyDown, with what to do, and ClientError as `endpoint`."""
    found = endpoint(config, home)
    if found.pid is None:
        raise ProxyDown(
            "the proxy is not running. Start it in another terminal: `llmproxy proxy` "
            f"(home folder: {home.path})"
        )
    if not found.answers():
        raise ProxyDown(
            f"the proxy (process {found.pid}) does not answer on {found.host}:{found.port}. "
            "Stop it and start it again: `llmproxy proxy`"
        )
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is there, but somebody else's
    return pid > 0
