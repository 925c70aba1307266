"""What calls usually are like, and which hosts a namespace uses; kept in a file of the home."""

import logging
import time
from pathlib import Path

import msgspec

from llmproxy_core.anomaly.finding import Finding, Text
from llmproxy_core.anomaly.located import Located
from llmproxy_core.anomaly.reading.urls import Url, urls
from llmproxy_core.anomaly.seen_hosts import SeenHosts
from llmproxy_core.anomaly.unusual import Call, Unusual
from llmproxy_core.hashing import checksum, content_hash
from llmproxy_core.home import write_private
from llmproxy_core.worker.derivation import client_of
from llmproxy_core.worker.exchanges import Exchange
from llmproxy_core.worker.seal import Sealed

KEEP_SECONDS = 60.0
"""After a crash as much has to be learned again."""
LONGEST = 65_536
"""Characters of a text in which addresses are looked for."""

logger = logging.getLogger(__name__)


class Kept(msgspec.Struct):
    usual: bytes
    hosts: bytes


class Habits:
    """Not thread-safe. What cannot be read in the file is learned anew."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._unusual = Unusual()
        self._hosts = SeenHosts()
        self._keep_at = time.monotonic() + KEEP_SECONDS
        try:
            kept = msgspec.msgpack.decode(file.read_bytes(), type=Kept)
            self._unusual.load(kept.usual)
            self._hosts.load(kept.hosts)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as exc:
            logger.warning(f"{file}: what is usual is learned anew: {exc}")

    def call(self, exchange: Exchange, sealed: Sealed) -> list[Located]:
        """What is unusual in a call that has ended; now it counts as seen."""
        call = _call(exchange, sealed)
        return [_located(one, call) for one in self._unusual.judge(call)]

    def hosts(self, namespace: str, text: str) -> list[Finding]:
        """Addresses of hosts that the namespace has never used; now they count as seen."""
        addresses = _addresses(text)
        return self._hosts.findings(namespace, addresses) if addresses else []

    def keep(self, *, now: bool = False) -> None:
        """Write it down: `now`, or if it is time to. A full disk is told, and no fault."""
        if not now and time.monotonic() < self._keep_at:
            return
        self._keep_at = time.monotonic() + KEEP_SECONDS
        kept = Kept(self._unusual.dumped(), self._hosts.dumped())
        try:
            write_private(self._file, msgspec.msgpack.encode(kept))
        except OSError as exc:
            logger.warning(f"{self._file}: what is usual is not kept: {exc.strerror}")


def _addresses(text: str) -> list[Url]:
    return urls(text[:LONGEST]) if "://" in text or ":\\/\\/" in text else []


def _call(exchange: Exchange, sealed: Sealed) -> Call:
    opened, row = exchange.opened, sealed.response
    at = opened.at / 1e9
    tokens = (row.input_tokens or 0) + (row.output_tokens or 0)
    return Call(
        namespace=opened.namespace,
        client=client_of(exchange),
        model=row.model or exchange.request.model or "",
        at=at,
        hour=time.localtime(at).tm_hour,
        tokens=tokens or None,
        usd=float(row.cost_usd) if row.cost_usd else None,
        ms=row.duration_ms,
        failed=row.state == "failed",
        session=exchange.session_id.hex,
        tools=tuple(call.name for call in sealed.tool_calls),
        tool_calls=tuple((call.name, _number(call.arguments)) for call in sealed.tool_calls),
    )


def _number(arguments: str) -> int:
    return checksum(arguments.encode("utf-8", "surrogatepass")) >> 1


def _located(finding: Finding, call: Call) -> Located:
    """It is in no text: what it says stands for one."""
    whose = f"{call.client}\0{call.model}\0{finding.said}"
    return Located(finding, Text(""), content_hash(whose.encode("utf-8", "replace")), "")
