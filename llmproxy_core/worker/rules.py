"""Namespaces, policies and transformations: those of `mitm.toml` into the tables, those of the tables
to the proxies, with experiments and patterns."""

import logging
import socket
import time
from collections.abc import Callable

from llmproxy_core import config, rulebook
from llmproxy_core.config import Config, NamespaceConfig, PolicyConfig, TransformationConfig
from llmproxy_core.enhancing.handed import Tables
from llmproxy_core.errors import DatabaseUnavailable, StoreError
from llmproxy_core.home import Home
from llmproxy_core.plural import counted
from llmproxy_core.store import (
    file_mirror,
    file_policies,
    file_rules,
    file_transformations,
    namespaces,
)
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.database import Database, driver
from llmproxy_core.store.namespaces import Rule
from llmproxy_core.watched import Watched
from llmproxy_core.worker.guard_rules import Guard, GuardRules
from llmproxy_core.worker.improvements import Improvements

LOOK_SECONDS = 1.0

type Written = tuple[list[NamespaceConfig], list[PolicyConfig], list[TransformationConfig]]
type Clash = file_rules.Clash | file_mirror.Clash

logger = logging.getLogger(__name__)


class RuleKeeper:
    """Looks once a second. `write` stores the events that tell of clashes."""

    def __init__(self, settings: Config, home: Home, write: Callable[[Batch], object]) -> None:
        source = settings.source
        self._namespaces = Watched(source, config.read_namespaces, settings.namespaces)
        self._policies = Watched(source, config.read_policies, settings.policies)
        self._transformations = Watched(
            source, config.read_transformations, settings.transformations
        )
        self._home = home
        self._improvements = Improvements()
        self._guard = GuardRules(home)
        self._write = write
        self._place = f"{socket.gethostname()}:{home.path}"
        self._brought: Written | None = None
        """What the file said when it was brought into the tables."""
        self._handed: tuple[list[Rule], Guard, Tables] | None = None
        """What was handed over last; it need not be written again."""
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
            problems.append(f"{exc}. Namespaces, policies and the rest stay as they were")
        told, self._told = self._told, "; ".join(problems)
        if problems and self._told != told:
            logger.warning(self._told)

    def _bring(self, database: Database) -> None:
        complaints: list[str] = []
        for file in (self._namespaces, self._policies, self._transformations):
            file.refresh(complaints.append)
        for complaint in dict.fromkeys(complaints):  # all may be about the whole file
            logger.warning(complaint)
        written = self._namespaces.value, self._policies.value, self._transformations.value
        if written == self._brought:
            return
        with database.connect() as connection:
            rules = [Rule.of(one) for one in written[0]]
            lost: list[Clash] = [
                *file_rules.bring(driver(connection), self._place, rules),
                *file_policies.bring(driver(connection), self._place, written[1]),
                *file_transformations.bring(driver(connection), self._place, written[2]),
            ]
        self._brought = written
        for clash in lost:
            logger.warning(str(clash))
        if lost:
            self._write(Batch(events=[clash.event() for clash in lost]))

    def _hand_out(self, database: Database) -> list[str]:
        with database.connect() as connection:
            fitting, problems = namespaces.fitting(namespaces.rules(driver(connection)))
            guard = self._guard.gather(driver(connection))
            tables, more = self._improvements.gather(connection)
            problems += guard.problems + more
            try:
                self._guard.hand_decisions(driver(connection))
            except OSError as exc:
                problems.append(f"{self._home.approvals}: {exc.strerror}. Calls wait all the same")
        rules = [Rule.of(one) for one in fitting]
        problems += self._write_rulebook(rules, guard, tables)
        return problems

    def _write_rulebook(self, rules: list[Rule], guard: Guard, tables: Tables) -> list[str]:
        file, handed = self._home.rulebook, (rules, guard, tables)
        if handed == self._handed and file.exists():
            return []
        self._handed = None
        try:
            if (rules or guard or tables.written() or file.exists()) and rulebook.write(
                self._home, rules, guard.policies, guard.proven, guard.learned, tables
            ):
                names = ", ".join(rule.name for rule in rules) or "none"
                held = ", ".join(policy["name"] for policy in guard.policies) or "none"
                rewritten = counted(len(tables.transformations), "transformation")
                tried = counted(len(tables.experiments), "experiment")
                logger.info(
                    f"handed to the proxies: rules of {names}; policies {held}; "
                    f"{rewritten}, {tried}"
                )
        except OSError as exc:
            return [f"{file}: {exc.strerror}. Proxies go on with the rules that they have"]
        self._handed = handed
        return []
