"""Apply mitm.toml to mitmproxy, keep secrets out of its output, say where the proxy listens."""

import gc
import ipaddress
import json
import logging
import os
import re
import time
from collections.abc import Set as AbstractSet
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import mode_specs

from addons import bridge
from llmproxy_core import config, interception
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import open_home, write_private
from llmproxy_core.masking.heads import Heads

logger = logging.getLogger("llmproxy")


class Settings:
    def load(self, loader: Loader) -> None:
        """What was named on mitmproxy's own command line comes before mitm.toml."""
        if "llmproxy" not in ctx.master.__dict__:
            try:
                home = open_home()
                settings = config.load(home=home.path)
                ctx.master.__dict__["llmproxy"] = interception.start(settings, home)
            except LlmproxyError as exc:
                raise exceptions.OptionsError(str(exc)) from exc
            _scrub_output(bridge.interception().heads)
        proxy = bridge.interception().config.proxy
        wanted: dict[str, Any] = {
            "listen_host": proxy.host,
            "listen_port": proxy.port,
            "mode": proxy.mode,
            "proxyauth": proxy.auth or None,
            "confdir": str(proxy.confdir),
        }
        options: Any = ctx.options
        options.update(**{k: v for k, v in wanted.items() if not options.has_changed(k)})

    def configure(self, updated: AbstractSet[str]) -> None:
        if updated & {"listen_host", "mode", "proxyauth"}:
            _refuse_strangers()
        if "stream_large_bodies" in updated and ctx.options.stream_large_bodies:
            # it would send requests before they are written; capture streams all that may be
            ctx.options.update(stream_large_bodies=None)
            logger.info("stream_large_bodies is left out: capture.max_body stands in its place")

    def running(self) -> None:
        shared = bridge.interception()
        if not gc.get_freeze_count():
            # what the imports made is there to stay: a full collection need not walk through it,
            # for that takes tens of milliseconds, in which no chunk passes
            gc.collect()
            gc.freeze()
        server = ctx.master.addons.get("proxyserver")
        addresses = server.listen_addrs() if server else []
        host, port = addresses[0][:2] if addresses else (ctx.options.listen_host, 0)
        state = {
            "pid": os.getpid(),
            "host": host,
            "port": port,
            "confdir": os.path.abspath(os.path.expanduser(ctx.options.confdir)),
            "started_at": time.time_ns(),
            "version": version("llmproxy"),
            "modes": list(ctx.options.mode),
        }
        # fails open: without this file only our other commands are worse off
        with suppress(OSError):
            write_private(shared.home.proxy_state, json.dumps(state).encode())
        shared.tell(
            "proxy_started",
            address=f"{host}:{port}",
            pid=os.getpid(),
            home=str(shared.home.path),
            settings=json.dumps(config.without_secrets(shared.config), sort_keys=True),
        )

    def done(self) -> None:
        if not ctx.master.should_exit.is_set():
            return  # only a reload
        shared = bridge.interception()
        with suppress(OSError, ValueError):
            if json.loads(shared.home.proxy_state.read_bytes())["pid"] == os.getpid():
                shared.home.proxy_state.unlink()
        shared.tell("proxy_stopped", pid=os.getpid())


def _refuse_strangers() -> None:
    """Whoever reaches the proxy can use it, and is recorded: beyond loopback only on purpose."""
    demands_password = ctx.options.proxyauth not in (None, "", "any")
    if demands_password or bridge.interception().config.proxy.open:
        return
    for mode in ctx.options.mode:
        host = mode_specs.ProxyMode.parse(mode).listen_host(ctx.options.listen_host)
        if not _is_loopback(host):
            raise exceptions.OptionsError(
                f"refusing to listen on {host or 'every interface'} without a password: set "
                "proxy.auth in mitm.toml (or --proxyauth), or proxy.open = true to let anybody in"
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _scrub_output(heads: Heads) -> None:
    """Log lines and the flows that mitmdump prints have no secrets."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(ScrubFilter(heads))
    dumper = ctx.master.addons.get("dumper")
    if dumper:
        dumper.outfp = ScrubbedOutput(dumper.outfp, heads)


STREAMING = re.compile(r"(\[.*?\]\s*)?Streaming (request to|response from) ")


class ScrubFilter(logging.Filter):
    """Takes what looks like a credential or a secret out of log records, tracebacks included."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self._heads = heads

    def filter(self, record: logging.LogRecord) -> bool:
        if STREAMING.match(record.getMessage()):
            return False  # mitmproxy says so of every answer
        record.msg, record.args = self._heads.text(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = self._heads.text(text)
        return True


class ScrubbedOutput:
    """A text file that is written to without secrets."""

    def __init__(self, file: Any, heads: Heads) -> None:
        self._file = file
        self._heads = heads

    def write(self, text: str) -> int:
        self._file.write(self._heads.text(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
