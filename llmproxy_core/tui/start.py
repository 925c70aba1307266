"""`llmproxy tui`: put the app on the terminal, on the store of this home."""

from llmproxy_core.config import Config
from llmproxy_core.home import Home
from llmproxy_core.store import migrate
from llmproxy_core.store.database import Database, open_database
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource

GOODBYE_SECONDS = 3.0


def run(config: Config, home: Home) -> None:
    """Show the TUI until the person quits. A database that is away is waited for on screen."""
    app = LlmproxyApp(StoreSource(lambda: open_store(config, home)), home)
    try:
        app.run()
    finally:
        app.hub.feed.stop()
        app.hub.feed.join(GOODBYE_SECONDS)


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
