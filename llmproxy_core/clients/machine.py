"""Checks of this machine: versions, home folder, disk, the CA's files, the proxy's port."""

import os
import shutil
import socket
import stat
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llmproxy_core.clients.check import Check
from llmproxy_core.clients.endpoint import Endpoint
from llmproxy_core.home import Home

LOW_DISK = 2**30
NO_DISK = 100 * 2**20
SOON = timedelta(days=30)


def versions_check() -> Check:
    python = ".".join(map(str, sys.version_info[:3]))
    try:
        found = version("mitmproxy")
    except PackageNotFoundError:
        return Check("versions", "fail", "mitmproxy is not installed", "install llmproxy again")
    what = f"llmproxy {version('llmproxy')}, Python {python}, mitmproxy {found}"
    if not found.startswith("12."):
        todo = "the addons are written for mitmproxy 12: pip install 'mitmproxy>=12.2,<13'"
        return Check("versions", "fail", what, todo)
    return Check("versions", "ok", what)


def home_check(home: Home) -> Check:
    mode = stat.S_IMODE(home.path.stat().st_mode)
    if mode & 0o077:
        todo = f"chmod 700 {home.path}"
        return Check("home", "warn", f"{home.path} can be entered by others ({mode:o})", todo)
    return Check("home", "ok", str(home.path))


def disk_check(home: Home) -> Check:
    free = shutil.disk_usage(home.path).free
    what = f"{free / 2**30:.1f} GiB free on the disk of {home.path}"
    if free < LOW_DISK:
        state = "fail" if free < NO_DISK else "warn"
        return Check("disk", state, what, "free some space: calls that cannot be kept are lost")  # type: ignore[arg-type]
    return Check("disk", "ok", what)


def authority_check(proxy: Endpoint) -> Check:
    """The CA's files: there, not about to expire, and the key nobody else's."""
    key = proxy.confdir / "mitmproxy-ca.pem"
    if not proxy.ca_file.is_file():
        todo = "it is made at the first start of the proxy, or by: llmproxy cert"
        return Check("CA", "warn", f"there is none in {proxy.confdir} yet", todo)
    try:
        ends = _expiry(proxy.ca_file)
    except ValueError as exc:
        return Check("CA", "fail", f"{proxy.ca_file}: {exc}", "move it away, then: llmproxy cert")
    if ends < datetime.now(UTC) + SOON:
        todo = f"move {proxy.confdir}/mitmproxy-ca* away, then: llmproxy cert, and trust it anew"
        return Check("CA", "fail", f"it expires on {ends:%Y-%m-%d}", todo)
    if key.is_file() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        todo = f"chmod 600 {key}"
        return Check("CA", "warn", f"others can read its private key, {key}", todo)
    return Check("CA", "ok", f"{proxy.ca_file}, until {ends:%Y-%m-%d}")


def proxy_check(proxy: Endpoint) -> Check:
    """Is it up; and if not, could it listen?"""
    where = f"{proxy.host}:{proxy.port}"
    if proxy.pid is not None:
        if proxy.answers():
            return Check("proxy", "ok", f"process {proxy.pid} listens on {where}")
        todo = "stop it and start it again: llmproxy proxy"
        return Check("proxy", "fail", f"process {proxy.pid} does not answer on {where}", todo)
    if _taken(proxy.host, proxy.port):
        todo = "stop that program, or choose another port: proxy.port in mitm.toml"
        return Check("proxy", "fail", f"not running, and another program has {where}", todo)
    return Check("proxy", "warn", f"not running; {where} is free", "llmproxy proxy")


def _taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _expiry(ca_file: Path) -> datetime:
    from cryptography import x509

    return x509.load_pem_x509_certificate(ca_file.read_bytes()).not_valid_after_utc
