"""What the addons of one proxy process share. It outlives their reload."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uuid_utils

from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.home import Home
from llmproxy_core.pipeline import Exchange
from llmproxy_core.providers.recognise import Recogniser
from llmproxy_core.records import Event, Record
from llmproxy_core.spool import SpoolWriter


@dataclass(slots=True)
class Interception:
    """Settings, the spool and the exchanges under way, by mitmproxy's flow id."""

    config: Config
    home: Home
    recogniser: Recogniser
    scrubber: Scrubber
    spool: SpoolWriter
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    streaming: set[Exchange] = field(default_factory=set)
    """Exchanges with bytes that have not been written yet."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    """Faults that have been told; the same one is told once."""

    def write(self, record: Record, body: Sequence[bytes] = ()) -> None:
        """Append to the spool. A record that cannot be written is counted there: fails open."""
        if self.spool.append(record, body) and self.config.spool.fsync == "always":
            self.spool.sync()

    def tell(self, kind: str, **data: str | int | float | bool | None) -> None:
        """Write an event, see `records.Event`."""
        self.write(Event(uuid_utils.uuid7().bytes, time.time_ns(), kind, data))
        self.spool.wake()


def start(config: Config, home: Home) -> Interception:
    """Raises ConfigError, HomeError, SpoolError."""
    return Interception(
        config=config,
        home=home,
        recogniser=Recogniser(config.providers),
        scrubber=Scrubber(home.fingerprint_key()),
        spool=SpoolWriter(home.spool),
    )
