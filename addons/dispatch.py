"""Remember which of mitmproxy's addons has which hook, instead of asking all of them every time.

mitmproxy spends a third of its CPU on that question. This replaces one method of its addon
manager, and only where the code that it stands for is the one it was written for; otherwise, and
with `proxy.fast_dispatch = false`, mitmproxy's own is used. The order of addons, their errors and
the addons of scripts, which come and go, are handled as mitmproxy does.
"""

import hashlib
import inspect
import logging
from typing import Any

from mitmproxy import addonmanager, ctx, exceptions, hooks
from mitmproxy.addonmanager import AddonManager, Loader

from addons import bridge

KNOWN = "d332985b557fa99d"
"""Fingerprint of the code that is replaced, in mitmproxy 12.2."""

logger = logging.getLogger("llmproxy")


class Dispatch:
    def load(self, loader: Loader) -> None:
        manager = ctx.master.addons
        if not bridge.interception().config.proxy.fast_dispatch or "trigger_event" in vars(manager):
            return
        if fingerprint() == KNOWN:
            vars(manager)["trigger_event"] = Remembering(manager)
        else:
            logger.info("this mitmproxy dispatches hooks in a way of its own: left as it is")


def fingerprint() -> str:
    """Of the source of mitmproxy's dispatch."""
    parts = (AddonManager.trigger_event, AddonManager.invoke_addon, AddonManager._iter_hooks)
    source = "".join(inspect.getsource(part) for part in parts)
    return hashlib.sha256(source.encode()).hexdigest()[:16]


class Remembering:
    """A `trigger_event` that asks each addon at the top of the chain once for each hook.

    Addons that have addons of their own (scripts, which may be reloaded) are asked every time.
    """

    def __init__(self, manager: AddonManager) -> None:
        self._manager = manager
        self._chain: list[Any] = []
        self._tables: dict[str, list[tuple[Any, Any]]] = {}

    async def __call__(self, event: hooks.Hook) -> None:
        if self._chain != self._manager.chain:
            self._chain = list(self._manager.chain)
            self._tables.clear()
        table = self._tables.get(event.name)
        for parent, hook in self._table(event.name) if table is None else table:
            try:
                if parent is not None:
                    await self._manager.invoke_addon(parent, event)
                elif (result := hook(*event.args())) is not None and inspect.isawaitable(result):
                    await result
            except exceptions.AddonHalt:
                return
            except Exception:
                with addonmanager.safecall():  # decides as ever: logs it, or lets it through
                    raise

    def _table(self, name: str) -> list[tuple[Any, Any]]:
        """(addon with children, None) or (None, hook), in the order of the chain."""
        table = [
            (addon, None) if hasattr(addon, "addons") else (None, getattr(addon, name, None))
            for addon in self._chain
        ]
        self._tables[name] = [(p, hook) for p, hook in table if p is not None or callable(hook)]
        return self._tables[name]
