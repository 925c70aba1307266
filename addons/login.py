"""Log in to the proxy without stopping it: `proxyauth` with Argon2, off the event loop.

mitmproxy's own addon checks passwords on the loop, again for each connection, and knows no Argon2
and no colon in a password. It stays in charge: it refuses whoever is not known to these logins. A
refusal is looked at again here, in hooks that may wait, and taken back where the password turns out
right. So a fault of ours lets nobody in. What it keeps of a login loses the password.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable
from collections.abc import Set as AbstractSet
from pathlib import Path

from mitmproxy import connection, ctx, exceptions, http
from mitmproxy.addonmanager import Loader
from mitmproxy.addons import proxyauth
from mitmproxy.proxy.layers.modes import Socks5AuthData
from mitmproxy.utils import asyncio_utils

from addons import bridge
from llmproxy_core import logins
from llmproxy_core.errors import ConfigError

REFRESH_SECONDS = 1.0

logger = logging.getLogger("llmproxy")


class Login:
    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def load(self, loader: Loader) -> None:
        """Before the settings name a file that mitmproxy itself would refuse."""
        proxyauth.Htpasswd = Door  # type: ignore[misc, assignment]
        proxyauth.SingleUser = Door  # type: ignore[misc, assignment]

    def configure(self, updated: AbstractSet[str]) -> None:
        """What came from the command line was there before us."""
        wanted = ctx.options.proxyauth or ""
        if "proxyauth" in updated and is_ours(wanted) and not isinstance(_addon().validator, Door):
            _addon().validator = Door(wanted)

    def running(self) -> None:
        _warn_of_closed_namespaces()
        self._task = asyncio_utils.create_task(_keep_fresh(), name="llmproxy", keep_ref=True)

    def done(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def http_connect(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        return _look_again(flow, connects=True)

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        return _look_again(flow, connects=False)

    async def socks5_auth(self, data: Socks5AuthData) -> None:
        door, addon = _addon().validator, _addon()
        if not isinstance(door, Door):
            return
        if not data.valid:
            address = _address(data.client_conn)
            data.valid = (await door.logins.check(address, data.username, data.password)).ok
        if data.valid:
            addon.authenticated[data.client_conn] = data.username, ""


class Door(proxyauth.Validator):
    """What mitmproxy asks who may come in: those who are known at once, nobody else."""

    def __init__(self, wanted: str) -> None:
        try:
            if wanted.startswith("@"):
                self.logins = logins.of_file(Path(wanted[1:]).expanduser(), logger.warning)
            else:
                user, _, password = wanted.partition(":")
                self.logins = logins.of_one(user, password, logger.warning)
        except (ConfigError, RuntimeError) as exc:
            raise exceptions.OptionsError(f"proxy.auth, {exc}") from None

    def __call__(self, username: str, password: str) -> bool:
        return self.logins.known(username, password) is True


def is_ours(wanted: str) -> bool:
    """Is it a file or a single user, and not one of mitmproxy's other ways?"""
    return wanted.startswith("@") or (":" in wanted and not wanted.startswith("ldap"))


def credentials(header: str) -> tuple[str, str] | None:
    """User and password of a Basic login (RFC 7617); the password may have colons."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _addon() -> proxyauth.ProxyAuth:
    addon: proxyauth.ProxyAuth = ctx.master.addons.get("proxyauth")
    return addon


def _look_again(flow: http.HTTPFlow, connects: bool) -> Awaitable[None] | None:
    addon = _addon()
    door = addon.validator
    if not isinstance(door, Door):
        return None
    if login := flow.metadata.get("proxyauth"):
        _keep(addon, flow, login[0], connects)
    elif flow.response is not None and not flow.is_replay:
        return _ask(addon, door, flow, connects)
    return None


async def _ask(addon: proxyauth.ProxyAuth, door: Door, flow: http.HTTPFlow, connects: bool) -> None:
    """Fails closed: mitmproxy has refused already."""
    refusal = flow.response
    name = proxyauth.http_auth_header(proxyauth.is_http_proxy(flow))
    login = credentials(flow.request.headers.pop(name, ""))
    if login is None or refusal is None or refusal.status_code not in (401, 407):
        return
    answer = await door.logins.check(_address(flow.client_conn), *login)
    if answer.ok and flow.response is refusal:
        flow.response = None
        _keep(addon, flow, login[0], connects)
    elif answer.wait:
        flow.response = _too_many(answer.wait)


def _keep(addon: proxyauth.ProxyAuth, flow: http.HTTPFlow, user: str, connects: bool) -> None:
    """Who it was, without the password that mitmproxy would keep beside the name."""
    flow.metadata["proxyauth"] = user, ""
    if connects:
        addon.authenticated[flow.client_conn] = user, ""


def _too_many(seconds: int) -> http.Response:
    text = f"Too many wrong passwords from this address. Try again in {seconds} s.\n"
    return http.Response.make(
        429, text, {"Retry-After": str(seconds), "Content-Type": "text/plain"}
    )


def _address(client: connection.Client) -> str:
    return str(client.peername[0]) if client.peername else ""


def _warn_of_closed_namespaces() -> None:
    namespaces = bridge.interception().rulebook.rules.namespaces
    reserved = [one.name for one in namespaces if one.reserved]
    if reserved and not ctx.options.proxyauth:
        logger.warning(
            f"reserved for users of the proxy: {', '.join(reserved)}; but proxy.auth in mitm.toml is "
            "empty, so that nobody can log in, and no call is in them"
        )


async def _keep_fresh() -> None:
    """Read the file when it changes; who is not in it any more is out at once."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await _refresh()
        except Exception as exc:  # noqa: BLE001  fails closed: who could not log in still cannot
            bridge.tell_fault("Login.refresh", exc)


async def _refresh() -> None:
    addon = _addon()
    if not isinstance(door := addon.validator, Door):
        return
    problems: list[str] = []
    gone = await asyncio.to_thread(door.logins.refresh, problems.append)
    for problem in problems:
        logger.warning(f"proxy.auth, {problem}")
    for client in [one for one, (user, _) in addon.authenticated.items() if user in gone]:
        del addon.authenticated[client]
