"""Checks of what keeps the calls: the database, and the journal that waits for it."""

from typing import TYPE_CHECKING

from llmproxy_core.clients.check import Check
from llmproxy_core.config import Config
from llmproxy_core.errors import LlmproxyError
from llmproxy_core.home import Home
from llmproxy_core.plural import counted
from llmproxy_core.spool import Limits, look, readers
from llmproxy_core.spool.room import FULL, NEAR

if TYPE_CHECKING:
    from llmproxy_core.store.database import Database

MUCH = 256 * 2**20


def database_check(config: Config, home: Home) -> Check:
    from llmproxy_core.store import migrate
    from llmproxy_core.store.database import open_database

    lost = ""
    try:
        with open_database(config, home, application_name="llmproxy doctor") as database:
            schema = migrate.status(database)
            with database.raw() as connection:
                server = connection.info.server_version
            lost = _lost(database) if schema.state == "current" else ""
    except LlmproxyError as exc:
        return Check("database", "fail", str(exc), "calls are kept in the journal meanwhile")
    kind = "embedded" if database.embedded else database.where
    what = f"{kind}, PostgreSQL {server // 10_000}.{server % 10_000}, schema {schema.current}"
    match schema.state:
        case "current" if lost:
            return Check("database", "warn", f"{what}; {lost}", "see Events in `llmproxy tui`")
        case "current":
            return Check("database", "ok", what)
        case "newer":
            return Check("database", "fail", f"{what} is newer than this llmproxy", "update it")
        case _:
            return Check("database", "warn", f"{what}, not {schema.head}", "llmproxy db upgrade")


def _lost(database: "Database") -> str:
    """What could not be kept, ever; empty: nothing."""
    from llmproxy_core.store import reads

    with database.connect() as connection:
        found = reads.summary(connection)
    counts = {"records": found.lost_records, "bodies": found.lost_bodies}
    told = [f"{count:,} {what} were not kept" for what, count in counts.items() if count]
    if found.refused_rows:
        told.append(f"{counted(found.refused_rows, 'row was', 'rows were')} refused")
    return ", ".join(told)


def backlog_check(config: Config, home: Home) -> Check:
    """What the proxies have written and the worker has not removed yet, against the limits."""
    limits = Limits(config.spool.max_bytes, config.spool.min_free_bytes)
    usage = look(home.spool)
    near, limit = usage.pressure(limits)
    size = f"{usage.used / 2**20:.1f} MiB in {len(readers(home.spool))} journals"
    todo = f"is a worker running? See {home.worker_log}, or run: llmproxy worker --once"
    if near >= NEAR:
        kept = "calls are not kept" if near >= FULL else "calls are kept without their bodies"
        what = f"{size}, {usage.free / 2**20:,.0f} MiB free: at spool.{limit}, so {kept}"
        return Check("backlog", "fail", what, todo)
    return (
        Check("backlog", "warn", size, todo) if usage.used > MUCH else Check("backlog", "ok", size)
    )
