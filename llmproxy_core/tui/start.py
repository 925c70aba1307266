"""`llmproxy tui`: put the app on the terminal, on the store of this home."""

import gc

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.store.migrate import open_store
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource

GOODBYE_SECONDS = 3.0


def run(config: Config, home: Home) -> None:
    """Show the TUI until the person quits. A database that is away is waited for on screen."""
    spare_pauses()
    counting = config.learning.counting
    source = StoreSource(lambda: open_store(config, home, "llmproxy tui"), home.path, counting)
    app = LlmproxyApp(source, home)
    try:
        app.run()
    finally:
        app.hub.feed.stop()
        app.hub.feed.join(GOODBYE_SECONDS)


def spare_pauses() -> None:
    """Keep full garbage collections short and rare: a pause of 100 ms is a screen that sticks.

    What the imports made stays anyway, so the collector need not look at it again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
