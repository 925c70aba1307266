"""`llmproxy import`: files -> exchanges -> the ones that are new -> the journal -> the store."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import batched
from uuid import UUID

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.errors import InterchangeError
from llmproxy_core.home import Home
from llmproxy_core.interchange.incoming.drain import Drain
from llmproxy_core.interchange.incoming.exchange import Exchanges
from llmproxy_core.interchange.incoming.journal import ImportJournal
from llmproxy_core.interchange.incoming.kinds import READERS, Kind, kind_of
from llmproxy_core.interchange.incoming.recording import Skipped
from llmproxy_core.interchange.incoming.source import Source, opened
from llmproxy_core.masking.masker import Masker
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.providers.recognise import Recogniser
from llmproxy_core.records import Whole
from llmproxy_core.rulebook import Rulebook
from llmproxy_core.store import selection
from llmproxy_core.store.database import Database
from llmproxy_core.withholding.capture import Mode, Modes

PAGE = 200
PAGE_BYTES = 8 * 2**20
CHECKED = 1000
TOLD = 20
"""Damaged places that are named; the rest is counted."""

type Made = tuple[Whole, list[bytes]]


@dataclass(slots=True)
class Tally:
    """`new` were stored now (or would be), `known` were there already. `problems`: see stderr."""

    new: int = 0
    known: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    problems: int = 0


class Import:
    """`tell`: what to do with a line about something that is wrong, or takes long."""

    def __init__(
        self,
        config: Config,
        home: Home,
        tell: Callable[[str], None],
        *,
        kind: Kind | None = None,
        namespace: str = "default",
    ) -> None:
        self.tally = Tally()
        self._config = config
        self._home = home
        self._tell = tell
        self._kind = kind
        self._namespace = namespace
        self._scrubber = Scrubber(home.fingerprint_key())
        masker = Masker(self._scrubber)
        self._masking = SecretMasking(SECRETS, masker) if config.redaction.secrets else None
        self._recogniser = Recogniser(config.providers)
        self._modes = Modes(config)
        rules = Rulebook(config, home, tell).rules.namespaces
        self._capture: Mode = next((one.capture for one in rules if one.name == namespace), "full")

    def count(self, names: Sequence[str]) -> None:
        """Read the files and store nothing."""
        for page in self._pages(names):
            self.tally.new += len(page)

    def store(self, names: Sequence[str], database: Database) -> None:
        """Ends when all that could be read is in the store.

        Raises:
            InterchangeError: it cannot be stored now; the text says what becomes of it.
            StoreError: the database.
        """
        written = bytearray()
        with ExitStack() as stack:
            journal: ImportJournal | None = None
            for page in self._pages(names):
                for record, bodies in self._new(page, database):
                    journal = journal or self._begin(stack)
                    journal.append(record, bodies)
                    written += record.id
                if journal:
                    journal.wake()
            if journal:
                journal.finish()
        self._check(written, database)

    def _begin(self, stack: ExitStack) -> ImportJournal:
        drain = stack.enter_context(Drain(self._config, self._home, self._tell))
        return stack.enter_context(ImportJournal(self._config, self._home, drain))

    def _check(self, written: bytearray, database: Database) -> None:
        """Trust no count of our own: is all of it there?"""
        ids = (UUID(bytes=bytes(written[at : at + 16])) for at in range(0, len(written), 16))
        missing = 0
        for some in batched(ids, CHECKED):
            with database.connect() as connection:
                found = selection.ended(connection, self._namespace, some)
            missing += len(set(some) - found)
        if missing:
            self.tally.new -= missing
            self._problem(
                f"{missing} calls are not in the store though they were handed to it: see the "
                "events `row_refused`, or import the file again"
            )

    def _new(self, page: list[Made], database: Database) -> Iterator[Made]:
        with database.connect() as connection:
            known = selection.ended(
                connection, self._namespace, [UUID(bytes=record.id) for record, _ in page]
            )
        for record, bodies in page:
            id = UUID(bytes=record.id)
            if id in known:
                self.tally.known += 1
                continue
            known.add(id)
            self.tally.new += 1
            yield record, bodies

    def _pages(self, names: Sequence[str]) -> Iterator[list[Made]]:
        """What is wrong with a file is told; the others are read all the same."""
        for name in names:
            page: list[Made] = []
            size = 0
            try:
                for record, bodies in self._made(name):
                    page.append((record, bodies))
                    size += sum(map(len, bodies))
                    if len(page) >= PAGE or size >= PAGE_BYTES:
                        yield page
                        page, size = [], 0
            except InterchangeError as exc:
                self._problem(str(exc))
            if page:
                yield page

    def _made(self, name: str) -> Iterator[Made]:
        with opened(name) as source:
            reader = READERS[self._kind or kind_of(source)]
            exchanges = Exchanges(
                self._scrubber,
                self._recogniser,
                self._namespace,
                source.modified_at,
                self._masking,
                lambda provider: self._modes.of(provider, self._capture),
            )
            for found in reader(source):
                made = found if isinstance(found, Skipped) else exchanges.record(found)
                if isinstance(made, Skipped):
                    self._skip(source, made)
                else:
                    yield made

    def _skip(self, source: Source, skipped: Skipped) -> None:
        if skipped.damaged:
            self._problem(f"{source.name}, {skipped.place}: skipped: {skipped.reason}")
        else:
            self.tally.skipped[skipped.reason.partition(":")[0]] += 1

    def _problem(self, text: str) -> None:
        self.tally.problems += 1
        if self.tally.problems <= TOLD:
            self._tell(self._scrubber.text(text))
