"""The rules of namespaces: those of `mitm.toml` into the table, those of the table to the proxies."""

import logging
import socket
import time
from collections.abc import Callable

from llmproxy_core import config, rulebook
from llmproxy_core.config import Config, NamespaceConfig
from llmproxy_core.errors import DatabaseUnavailable, StoreError
from llmproxy_core.home import Home
from llmproxy_core.store import file_rules, namespaces
from llmproxy_core.store.database import Database, driver
from llmproxy_core.store.namespaces import Rule
from llmproxy_core.store.rows import Batch
from llmproxy_core.watched import Watched

LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


class RuleKeeper:
    """Looks once a second. `write` stores the events that tell of clashes."""

    def __init__(self, settings: Config, home: Home, write: Callable[[Batch], object]) -> None:
        self._file = Watched(settings.source, config.read_namespaces, settings.namespaces)
        self._home = home
        self._write = write
        self._place = f"{socket.gethostname()}:{home.path}"
        self._brought: list[NamespaceConfig] | None = None
        """What the file said when it was brought into the table."""
        self._look_at = 0.0
        self._told = ""

    def look(self, database: Database) -> None:
        """What goes wrong is tried again a second later. Raises DatabaseUnavailable."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        problems: list[str] = []
        try:
            self._bring(database)
            problems = self._hand_out(database)
        except DatabaseUnavailable:
            raise
        except StoreError as exc:  # calls are stored all the same
            problems.append(f"{exc}. Rules of namespaces stay as they were")
        told, self._told = self._told, "; ".join(problems)
        if problems and self._told != told:
            logger.warning(self._told)

    def _bring(self, database: Database) -> None:
        self._file.refresh(logger.warning)
        written = self._file.value
        if written == self._brought:
            return
        with database.connect() as connection:
            rules = [Rule.of(one) for one in written]
            clashes = file_rules.bring(driver(connection), self._place, rules)
        self._brought = written
        for clash in clashes:
            logger.warning(str(clash))
        if clashes:
            self._write(Batch(events=[clash.event() for clash in clashes]))

    def _hand_out(self, database: Database) -> list[str]:
        with database.connect() as connection:
            fitting, problems = namespaces.fitting(namespaces.rules(driver(connection)))
        rules = [Rule.of(one) for one in fitting]
        file = self._home.rulebook
        try:
            if (rules or file.exists()) and rulebook.write(self._home, rules):
                names = ", ".join(rule.name for rule in rules) or "none"
                logger.info(f"rules handed to the proxies: {names}")
        except OSError as exc:
            problems.append(f"{file}: {exc.strerror}. Proxies go on with the rules that they have")
        return problems
