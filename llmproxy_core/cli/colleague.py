"""The demo's colleague: decides about what waits for a person, where the person only looks on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.store import enhancements, experiment_changes, experiments
from llmproxy_core.store.changing import writing
from llmproxy_core.store.database import Database
from llmproxy_core.store.migrate import open_store

NAME = "demo"
PATIENCE = timedelta(seconds=25)
"""For the person to decide first."""
LOOK_SECONDS = 2.0
STOP_SECONDS = 5.0


@contextmanager
def colleague(settings: Config, home: Home) -> Iterator[None]:
    """Approves what is suggested and promotes what has won, some time later."""
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=[settings, home, stop], daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)


def _work(settings: Config, home: Home, stop: threading.Event) -> None:
    while not stop.wait(LOOK_SECONDS):
        # the database is starting; or the person was faster
        with suppress(LlmproxyError), open_store(settings, home, NAME) as database:
            while not stop.wait(LOOK_SECONDS):
                decide(database, datetime.now(UTC) - PATIENCE)


def decide(database: Database, before: datetime) -> None:
    """About what waits since before a time. Raises LlmproxyError: somebody else was faster."""
    with database.connect() as connection:
        waiting = [
            one.id
            for one in enhancements.enhancements(connection, ("candidate",))
            if one.created_at < before
        ]
        won = [
            one.id
            for one in experiments.experiments(connection, ("won",))
            if one.ended_at and one.ended_at < before
        ]
    for id in waiting:
        with writing(database) as changing:
            experiment_changes.approve(changing, id, NAME, "Nobody was against it.")
    for id in won:
        with writing(database) as changing:
            experiment_changes.promote(changing, id, NAME)
