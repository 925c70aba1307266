"""Try a policy on the calls of a store."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from llmproxy_core.config import PolicyConfig
from llmproxy_core.store import labels
from llmproxy_core.store.database import Database, driver
from llmproxy_core.trial import calls
from llmproxy_core.trial.replay import Replay, Trial

MOST = 20_000
"""Calls that are tried if nothing else is said."""


def run(
    database: Database,
    policy: PolicyConfig,
    others: Iterable[PolicyConfig],
    since: datetime,
    most: int = MOST,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Trial:
    """`others`: all policies that are in force. Of more calls than `most`, the newest are tried.

    Raises:
        StoreError: the store cannot be read.
    """
    flows = calls.newest(database, since, most + 1)
    trial = Trial(policy, since, more=len(flows) > most)
    flows = flows[-most:]
    with database.connect() as connection:
        replay = Replay(trial, others, labels.labelled(driver(connection)))
    unreadable: list[UUID] = []
    for call in calls.read(database, flows, unreadable):
        replay.ask(call)
        progress(trial.calls + len(unreadable), len(flows))
    trial.unreadable = len(unreadable)
    return replay.finish()
