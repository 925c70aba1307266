"""What the addons of one proxy process share. It outlives their reload."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uuid_utils

from llmproxy_core.anomaly.detectors import DETECTORS, SECRETS
from llmproxy_core.anomaly.verdicts import Verdicts
from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.enhancing.enhancer import Enhancer
from llmproxy_core.enhancing.instant import Asker
from llmproxy_core.hindsight import Hindsight
from llmproxy_core.home import Home
from llmproxy_core.masking.heads import Heads
from llmproxy_core.masking.keeper import Keeper
from llmproxy_core.masking.masked import Masked
from llmproxy_core.masking.masker import Masker
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.metering.metering import Metering
from llmproxy_core.model import Headers
from llmproxy_core.namespace.folders import Folders
from llmproxy_core.namespace.request import Prefixer
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.approvals import Approvals
from llmproxy_core.policies.throttle import Throttle
from llmproxy_core.providers.recognise import Recogniser
from llmproxy_core.records import Closed, Ending, Event, Opened, Record
from llmproxy_core.redaction.wire import Redactor
from llmproxy_core.rulebook import Rulebook
from llmproxy_core.spans.recent import Recent
from llmproxy_core.spool import Level, Limits, SpoolWriter
from llmproxy_core.toolgate import Unanswered
from llmproxy_core.websocket import WebSocketSession
from llmproxy_core.withholding.capture import Modes, strictest
from llmproxy_core.withholding.withheld import Withheld

logger = logging.getLogger("llmproxy")

FETCHABLE = 1000


@dataclass(slots=True)
class Interception:
    """Settings, the spool and the exchanges under way, by mitmproxy's flow id."""

    config: Config
    home: Home
    recogniser: Recogniser
    scrubber: Scrubber
    spool: SpoolWriter
    rulebook: Rulebook
    prefixer: Prefixer
    verdicts: Verdicts
    masker: Masker
    masking: SecretMasking | None
    """None: secrets are written as they are, see `redaction.secrets`."""
    heads: Heads
    modes: Modes
    hindsight: Hindsight
    throttle: Throttle
    redactor: Redactor
    metering: Metering
    approvals: Approvals
    enhancer: Enhancer
    asker: Asker | None
    """Who is asked while a request waits; None: nobody."""
    unanswered: Unanswered = field(default_factory=Unanswered)
    fetchable: Recent[str, Exchange] = field(default_factory=lambda: Recent(FETCHABLE))
    """Calls that are over, by the id under which their answer may be fetched."""
    folders: Folders = field(default_factory=Folders)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    sessions: dict[str, WebSocketSession] = field(default_factory=dict)
    """WebSockets that are open, by mitmproxy's flow id."""
    streaming: set[Exchange | WebSocketSession] = field(default_factory=set)
    """Those with bytes that have not been written yet."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    """Faults that have been told; the same one is told once."""
    told_level: Level = Level.ALL

    def keeper(self) -> Keeper | None:
        """What is written of a new call; None: all of it."""
        return None if self.masking is None else Masked(self.masking)

    def settle(
        self, call: Exchange | WebSocketSession, *, framed: bool = False, doubt: bool = False
    ) -> None:
        """What is written of a call, now that it is known in which namespace it is. `doubt`: that
        cannot be told; then the strictest of all namespaces counts."""
        spaces = self.rulebook.rules.namespaces if doubt else [call.rule]
        mode = self.modes.of(call.head.provider, strictest(one.capture for one in spaces))
        call.recorded = mode != "off"
        if (mode == "metadata") == (call.keeper is not None and call.keeper.skeleton):
            return
        call.keeper = Withheld(call.head.wire) if mode == "metadata" else self.keeper()
        if framed and call.keeper is not None:
            call.keeper = call.keeper.frames()

    @property
    def reticent(self) -> bool:
        """Are there calls of which no text is written?"""
        spaces = self.rulebook.rules.namespaces
        return self.modes.less or any(one.capture != "full" for one in spaces)

    def record(
        self, call: Exchange | WebSocketSession, record: Record, body: Sequence[bytes] = ()
    ) -> None:
        """Write what is to be written of a call."""
        if call.recorded:
            self.write(record, body)

    def write(self, record: Record, body: Sequence[bytes] = ()) -> bool:
        """Append to the spool; False if the record or its body was not kept. Fails open.

        Raises:
            OSError: the disk failed under `spool.fsync = "always"`.
        """
        kept = self.spool.append(record, body)
        if self.spool.room.level != self.told_level:
            self._tell_level()
        if self.config.spool.fsync == "always" and isinstance(record, Opened | Closed):
            self.spool.sync()
        return kept

    def close(
        self,
        exchange: Exchange,
        ending: Ending,
        error: str | None = None,
        trailers: Headers | None = None,
    ) -> None:
        """The end of an exchange, once."""
        self.streaming.discard(exchange)
        if exchange.opened and not exchange.closed:
            self.record(exchange, *exchange.close(ending, error, trailers))
            self.spool.wake()

    def tell(self, kind: str, **data: str | int | float | bool | None) -> None:
        """Write an event, see `records.Event`."""
        if self.masking is not None:
            line = self.masking.line
            data = {name: line(one) if isinstance(one, str) else one for name, one in data.items()}
        self.write(Event(uuid_utils.uuid7().bytes, time.time_ns(), kind, data))
        self.spool.wake()

    def _tell_level(self) -> None:
        self.told_level = level = self.spool.room.level
        where = f"spool.{self.spool.room.reason} ({self.home.spool})"
        if level == Level.ALL:
            logger.warning("the journal has room again: calls are kept whole")
        else:
            kept = "not kept" if level == Level.NOTHING else "kept without their bodies"
            logger.warning(
                f"the journal is at its limit, {where}: calls are {kept}; the traffic goes on. "
                "Is the database away? See `llmproxy doctor`"
            )


def start(config: Config, home: Home) -> Interception:
    """Raises ConfigError, HomeError, SpoolError."""
    scrubber = Scrubber(home.fingerprint_key())
    masker = Masker(scrubber)
    wait_ms = config.learning.sync_ms if config.advisor.enabled else 0
    masking = SecretMasking(SECRETS, masker) if config.redaction.secrets else None
    return Interception(
        config=config,
        home=home,
        recogniser=Recogniser(config.providers),
        scrubber=scrubber,
        spool=SpoolWriter(
            home.spool, limits=Limits(config.spool.max_bytes, config.spool.min_free_bytes)
        ),
        rulebook=Rulebook(config, home, logger.warning, improves=True),
        prefixer=Prefixer(home.prefixes, config.capture.max_body),
        verdicts=Verdicts(DETECTORS, config.anomaly.budget_ms),
        masker=masker,
        masking=masking,
        heads=Heads(scrubber, masking),
        modes=Modes(config),
        hindsight=Hindsight(DETECTORS, masker),
        throttle=Throttle(home.limits),
        redactor=Redactor(home.fingerprint_key(), config.capture.max_body),
        metering=Metering(config, home, logger.warning),
        approvals=Approvals(home.approvals),
        enhancer=Enhancer(home.experiments, time.time(), waits=bool(wait_ms)),
        asker=Asker(home.instant, wait_ms) if wait_ms else None,
    )
