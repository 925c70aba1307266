"""`llmproxy tui`: put the app on the terminal, on the store of this home."""

import gc

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.store import migrate
from llmproxy_core.store.database import Database, open_database
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource

GOODBYE_SECONDS = 3.0


def run(config: Config, home: Home) -> None:
    """Show the TUI until the person quits. A database that is away is waited for on screen."""
    spare_pauses()
    app = LlmproxyApp(StoreSource(lambda: open_store(config, home)), home)
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


def open_store(config: Config, home: Home) -> Database:
    """The store with a schema that fits; the embedded one is brought up to date in passing.

    Raises:
        StoreError: the database does not answer, or its schema is another one.
    """
    database = open_database(config, home, application_name="llmproxy tui")
    try:
        if database.embedded:
            migrate.upgrade(database)
        else:
            migrate.require_current(database)
    except BaseException:
        database.close()
        raise
    return database
