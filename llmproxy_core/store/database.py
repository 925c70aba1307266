"""A connection to the store: an external PostgreSQL, or the embedded one of the home."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.pool import ConnectionPoolEntry

from llmproxy_core.config import Config
from llmproxy_core.errors import (
    ConfigError,
    DatabaseTooOld,
    DatabaseUnavailable,
    SchemaError,
    StoreError,
)
from llmproxy_core.home import Home
from llmproxy_core.store import values
from llmproxy_core.store.embedded import EmbeddedServer
from llmproxy_core.store.pool import DisposablePool

type Reading = Connection
"""What reads take, for others than the store: as `Database.connect` gives it."""

OLDEST = 15
MISSING = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
URL_KEYS = ("host", "hostaddr", "port", "user", "sslmode")
DEFAULTS: dict[str, Any] = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "tcp_user_timeout": "20000",
}
SESSION = (
    "SET TimeZone = 'UTC'; SET statement_timeout = '30s'; SET lock_timeout = '10s'; "
    "SET idle_in_transaction_session_timeout = '60s'"
)
"""Set by a statement, not by the start-up packet, which connection poolers refuse."""
READING = "SET plan_cache_mode = force_custom_plan"
"""A plan for any value would be one for the weeks of years, and for models of any frequency."""
UNTESTED_SECONDS = 30
"""For so long after its last use a connection counts as alive unless the server has closed it."""


class Database:
    """Hands out connections; starts the embedded server again if it has died.

    Safe to use from several threads. Raises DatabaseUnavailable where it cannot connect,
    DatabaseTooOld for a server before PostgreSQL 15.
    """

    def __init__(
        self,
        conninfo: str | None = None,
        server: EmbeddedServer | None = None,
        application_name: str = "llmproxy",
    ) -> None:
        self.server = server
        self._parameters = DEFAULTS | _parse(server.conninfo if server else conninfo or "")
        self._parameters["application_name"] = application_name
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=self._reading,
            isolation_level="AUTOCOMMIT",
            poolclass=DisposablePool,
            pool_size=4,
            max_overflow=8,
            pool_timeout=10,
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", _test)

    @property
    def embedded(self) -> bool:
        return self.server is not None

    @property
    def where(self) -> str:
        """For people: never holds the password."""
        if self.server is not None:
            return f"The embedded Postgres in {self.server.data}"
        found = self._parameters
        place = found.get("host") or found.get("hostaddr") or "the default host"
        return f"{found.get('dbname', 'default')} on {place}, port {found.get('port', 5432)}"

    @property
    def url(self) -> str:
        """For `psql` and `database.url`, without the password."""
        found = self._parameters
        query = {key: str(found[key]) for key in URL_KEYS if found.get(key)}
        return f"postgresql:///{quote(str(found.get('dbname', '')))}?{urlencode(query)}"

    @contextmanager
    def connect(self, *, transaction: bool = False) -> Iterator[Connection]:
        """A pooled connection, for reads: each statement is by itself, holds no lock after it, and
        needs no other one around it. `transaction`: until `commit`; else all is rolled back.

        Raises:
            DatabaseUnavailable: now, or while a query runs. Call again: it connects anew.
            SchemaError: a table or column is missing.
            StoreError: the database refused something else.
        """
        try:
            with self.engine.connect() as connection, _dropped_if_lost(connection):
                if transaction:
                    connection.execution_options(isolation_level="READ COMMITTED")
                yield connection
        except sqlalchemy_errors.TimeoutError as exc:
            raise self._unavailable(exc) from exc
        except sqlalchemy_errors.DBAPIError as exc:
            raise self._told(exc.orig or exc) from exc
        except psycopg.Error as exc:
            raise self._told(exc) from exc

    def raw(self) -> psycopg.Connection[Any]:
        """A psycopg connection of its own, for COPY and LISTEN; the caller closes it."""
        try:
            return self._open()
        except psycopg.OperationalError as exc:
            if self.server is None:
                raise self._unavailable(exc) from None
        self.server.ensure()
        try:
            return self._open()
        except psycopg.OperationalError as exc:
            raise self._unavailable(exc) from None

    def reconnect(self) -> None:
        """Drop the pooled connections, those in use once they are given back; make sure that the
        embedded server runs."""
        self.engine.dispose()
        if self.server is not None:
            self.server.ensure()

    def close(self) -> None:
        """Connections in use are closed as they are given back; none is kept from now on."""
        self.engine.pool.dispose()  # not the engine, which would make a new one
        if self.server is not None:
            self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _reading(self) -> psycopg.Connection[Any]:
        connection = self.raw()
        set_json_loads(values.load_json, connection)
        connection.execute(READING)
        connection.commit()
        return connection

    def _open(self) -> psycopg.Connection[Any]:
        if self.server is not None:
            self.server.refuse_stranger()
        connection = psycopg.connect(**self._parameters, autocommit=True)
        try:
            if connection.info.server_version < OLDEST * 10_000:
                found = connection.info.server_version // 10_000
                raise DatabaseTooOld(
                    f"{self.where} is PostgreSQL {found}; llmproxy needs {OLDEST} or later. "
                    "Leave database.url empty to use the embedded one."
                )
            connection.execute(SESSION)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection

    def _told(self, exc: BaseException) -> StoreError:
        if isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError):
            return self._unavailable(exc)
        if isinstance(exc, MISSING):
            return SchemaError(f"{self.where}: {exc}. Run `llmproxy db upgrade`.")
        return StoreError(f"{self.where}: {exc}")

    def _unavailable(self, exc: BaseException) -> DatabaseUnavailable:
        text = " ".join(str(exc).split())
        if password := self._parameters.get("password"):
            text = text.replace(str(password), "***")
        if self.embedded:
            return DatabaseUnavailable(f"{self.where} does not answer: {text}")
        return DatabaseUnavailable(
            f"The database {self.where} does not answer: {text}. "
            "Check database.url and that the server runs."
        )


def open_database(config: Config, home: Home, application_name: str = "llmproxy") -> Database:
    """Connect to `database.url`, or to the embedded server of `home`, started if need be.

    Raises:
        DatabaseUnavailable: it does not answer.
        DatabaseTooOld, ConfigError, StoreError: it never will, as things are set.
    """
    url = config.database.url
    server = None if url else EmbeddedServer(home)
    database = Database(url, server, application_name)
    try:
        if server is not None:
            server.ensure()
        database.raw().close()
    except BaseException:
        database.close()
        raise
    return database


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own connection, for what is written for it."""
    made: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return made


@contextmanager
def _dropped_if_lost(connection: Connection) -> Iterator[None]:
    """SQLAlchemy does it for its own queries; `prepared` ones it does not see."""
    try:
        yield
    except psycopg.Error as exc:
        driver: Any = connection.connection.driver_connection
        if driver.closed:
            connection.invalidate(exc)
        raise


def _note_use(driver: Any, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _test(driver: Any, record: ConnectionPoolEntry, proxy: object) -> None:
    """Without asking the server, where it was used a moment ago: the end of a connection is read."""
    idle = time.monotonic() - record.info.get("used", time.monotonic())
    waiting = select.poll()
    try:
        waiting.register(driver.fileno(), select.POLLIN)
        if idle > UNTESTED_SECONDS or waiting.poll(0):
            driver.rollback()
            driver.execute("SELECT 1")
            driver.rollback()
    except psycopg.Error as exc:
        raise sqlalchemy_errors.DisconnectionError(str(exc)) from exc


def _parse(conninfo: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(conninfo.replace("postgresql+psycopg://", "postgresql://", 1))
    except psycopg.Error:
        # Not even a part of the text is repeated: the password may be anywhere in it.
        raise ConfigError(
            "database.url (or LLMPROXY_DATABASE_URL): not a URL that Postgres understands; "
            "write postgresql://user:password@host:5432/database"
        ) from None
