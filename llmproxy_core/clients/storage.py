"""Checks of what keeps the calls: the database, and the journal that waits for it."""

from llmproxy_core.clients.check import Check
from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.spool import readers

MUCH = 256 * 2**20


def database_check(config: Config, home: Home) -> Check:
    from llmproxy_core.store import migrate
    from llmproxy_core.store.database import open_database

    try:
        with open_database(config, home, application_name="llmproxy doctor") as database:
            schema = migrate.status(database)
            with database.raw() as connection:
                server = connection.info.server_version
    except LlmproxyError as exc:
        return Check("database", "fail", str(exc), "calls are kept in the journal meanwhile")
    kind = "embedded" if database.embedded else database.where
    what = f"{kind}, PostgreSQL {server // 10_000}.{server % 10_000}, schema {schema.current}"
    match schema.state:
        case "current":
            return Check("database", "ok", what)
        case "newer":
            return Check("database", "fail", f"{what} is newer than this llmproxy", "update it")
        case _:
            return Check("database", "warn", f"{what}, not {schema.head}", "llmproxy db upgrade")


def backlog_check(home: Home) -> Check:
    """What the proxies have written and the worker has not removed yet."""
    folders = readers(home.spool)
    waiting = sum(file.stat().st_size for r in folders for file in r.folder.glob("*.seg"))
    size = f"{waiting / 2**20:.1f} MiB in {len(folders)} journals"
    if waiting > MUCH:
        todo = f"is a worker running? See {home.worker_log}, or run: llmproxy worker --once"
        return Check("backlog", "warn", size, todo)
    return Check("backlog", "ok", size)
