"""Bring the schema to what this code was written for, and tell how it stands.

There is no way down: an older llmproxy refuses a newer schema, and a backup is the way back.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy import Connection, inspect, text
from sqlalchemy import exc as sqlalchemy_errors

import llmproxy_core
from llmproxy_core.config import Config
from llmproxy_core.errors import SchemaError
from llmproxy_core.home import Home
from llmproxy_core.model import Json
from llmproxy_core.store import audit
from llmproxy_core.store.database import Database, open_database

DEFAULT_NAMESPACE = 1
VERSION_TABLE = "llmproxy_schema"
LOCK = 0x6C6C6D70726F7879  # "llmproxy"
LOCK_WAIT = 60.0
"""Seconds."""
LOCK_PAUSE = 0.05
STATEMENT_TIMEOUT = "10min"

type SchemaState = Literal["empty", "behind", "current", "newer"]


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """`current`: the revision in the database (None: empty); `head`: the one of this code."""

    current: str | None
    head: str
    state: SchemaState


def folder() -> Path:
    """The migrations: in the installed package, else in the checkout."""
    package = Path(llmproxy_core.__file__).parent
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def revisions() -> list[str]:
    """Every revision this code knows, in order: the numbers of the files' names."""
    return sorted(file.name[:4] for file in folder().glob("versions/[0-9][0-9][0-9][0-9]_*.py"))


def status(database: Database) -> SchemaStatus:
    """Cheap: does not load Alembic."""
    with database.connect() as connection:
        return _status(connection)


def upgrade(database: Database) -> SchemaStatus:
    """Run the missing migrations, alone: others wait for the advisory lock.

    Raises:
        SchemaError: the database is newer than this code, or a migration failed: the next
            `upgrade` goes on where it stopped.
    """
    found = status(database)
    if found.state == "current":
        return found
    _refuse_newer(database, found)
    with database.connect(transaction=True) as connection, _alone(connection):
        found = _status(connection)
        _refuse_newer(database, found)
        if found.state != "current":
            try:
                _run(connection)
                _tell(connection, found)
            except sqlalchemy_errors.DBAPIError as exc:
                if isinstance(exc.orig, psycopg.errors.InsufficientPrivilege):
                    raise SchemaError(
                        f"{database.where}: this login may not migrate the schema: {exc.orig}. Run "
                        "`llmproxy db upgrade` once with the owner of the tables in database.url."
                    ) from exc
                raise SchemaError(
                    f"{database.where}: a migration failed: {exc.orig}. Nothing is lost, "
                    "and `llmproxy db upgrade` goes on where it stopped."
                ) from exc
        return _status(connection)


def require_current(database: Database) -> None:
    """Raises SchemaError, with what to do, unless the schema is the one of this code."""
    found = status(database)
    _refuse_newer(database, found)
    if found.state != "current":
        raise SchemaError(
            f"{database.where}: the schema is at {found.current or 'nothing'}, this llmproxy needs "
            f"{found.head}. Run `llmproxy db upgrade`."
        )


def open_store(config: Config, home: Home, application_name: str) -> Database:
    """The store with a schema that fits; the embedded one is brought up to date in passing.

    Raises:
        StoreError: the database does not answer, or its schema is another one.
    """
    database = open_database(config, home, application_name=application_name)
    try:
        if database.embedded:
            upgrade(database)
        else:
            require_current(database)
    except BaseException:
        database.close()
        raise
    return database


def _status(connection: Connection) -> SchemaStatus:
    known = revisions()
    current: str | None = None
    if inspect(connection).has_table(VERSION_TABLE):
        current = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    connection.rollback()
    return SchemaStatus(current, known[-1], _state(current, known))


def _state(current: str | None, known: list[str]) -> SchemaState:
    if current is None:
        return "empty"
    if current == known[-1]:
        return "current"
    return "behind" if current in known else "newer"


def _refuse_newer(database: Database, found: SchemaStatus) -> None:
    if found.state == "newer":
        raise SchemaError(
            f"{database.where}: the schema is at {found.current}, which is newer than this llmproxy "
            f"(it knows {found.head}). Update llmproxy, or name another database in database.url."
        )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the advisory lock; released with the connection if anything goes wrong.

    Asks for it again and again: a statement that waits for it would hold a snapshot, for which
    CREATE INDEX CONCURRENTLY in the other process waits.
    """
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    give_up_at = time.monotonic() + LOCK_WAIT
    try:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
            connection.commit()
            if time.monotonic() > give_up_at:
                raise SchemaError(
                    f"Another process has been migrating the database for {LOCK_WAIT:g} s; "
                    "try again later."
                )
            time.sleep(LOCK_PAUSE)
        connection.commit()
        yield
    finally:
        # The session had settings and a lock of its own: not fit for the pool any more.
        connection.invalidate()


def _tell(connection: Connection, before: SchemaStatus) -> None:
    """Write it to the audit, unless there was nothing before."""
    if before.current is not None:
        driver: Any = connection.connection.driver_connection
        user = str(connection.scalar(text("SELECT current_user")))
        detail: dict[str, Json] = {"from": before.current, "to": before.head}
        audit.append(driver, DEFAULT_NAMESPACE, user, "migration", before.head, detail)
        connection.commit()


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
