"""Check of what is learnt: is it, do suggestions wait, and can rules of the table be done?"""

from llmproxy_core.clients.check import Check
from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.plural import counted

NAME = "learning"
MUCH = 5_000
"""Calls that are still to be learnt from."""


def learning_check(config: Config, home: Home) -> Check:
    """Says nothing of a database that is away or has another schema: `database` does."""
    from llmproxy_core.store import learning_state, transformations
    from llmproxy_core.store.database import driver, open_database

    if config.learning.suggest == "advisor" and not config.advisor.enabled:
        todo = "set advisor.enabled, or learning.suggest to built-in"
        return Check(NAME, "warn", "learning.suggest asks an advisor that is off", todo)
    try:
        with (
            open_database(config, home, application_name="llmproxy doctor") as database,
            database.connect() as connection,
        ):
            found = learning_state.state(connection)
            _, problems = transformations.handed(driver(connection))
    except LlmproxyError:
        return Check(NAME, "ok", "not known")
    if problems:
        return Check(NAME, "warn", "; ".join(problems), "llmproxy transform list")
    what = counted(found.patterns, "pattern")
    what += "" if config.learning.patterns else "; learning.patterns is off"
    if found.unlearnt > MUCH:
        todo = f"is a worker running? See {home.worker_log}"
        return Check(NAME, "warn", f"{what}; {found.unlearnt:,} calls or more wait", todo)
    waits = [
        counted(found.candidates, "suggestion") if found.candidates else "",
        counted(found.won, "won experiment") if found.won else "",
    ]
    if found.running:
        what += f", {counted(found.running, 'experiment')} running"
    if told := " and ".join(filter(None, waits)):
        return Check(NAME, "ok", f"{what}; {told} for a person to decide")
    return Check(NAME, "ok", what)
