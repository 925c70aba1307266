"""`llmproxy tui`: the calls, live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmproxy_core.cli.surroundings import open_store, settings

if TYPE_CHECKING:
    from llmproxy_core.config import Config
    from llmproxy_core.home import Home


def tui() -> None:
    """Watch the calls in the terminal, live. Quit with q.

    \b
    Example:
      llmproxy tui
    """
    open_tui(*settings())


def open_tui(config: Config, home: Home) -> None:
    """Returns when the person quits."""
    from llmproxy_core.tui.app import LlmproxyApp
    from llmproxy_core.tui.source import StoreSource

    LlmproxyApp(StoreSource(lambda: open_store(config, home, "llmproxy tui")), home).run()
