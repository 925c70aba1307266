"""Programs that call a provider through the proxy, and remember what they sent and got."""

import json
import random
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
ENCODINGS = ("identity", "gzip", "br", "zstd")


@dataclass(slots=True)
class Exchange:
    """The bytes of both bodies as they were on the wire."""

    sent: bytes
    received: bytes


@dataclass
class Ledger:
    """The exchanges whose answer a program has got whole, by their mark."""

    acknowledged: dict[str, Exchange] = field(default_factory=dict)
    failed: int = 0


class Programs:
    """Some threads that call all the time; a context manager. `pause`: seconds between calls."""

    def __init__(
        self,
        url: Callable[[], str],
        trust: Callable[[], ssl.SSLContext],
        threads: int = 3,
        pause: float = 0.03,
    ) -> None:
        self.ledger = Ledger()
        self._url = url
        self._trust = trust
        self._pause = pause
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(n),)) for n in range(threads)
        ]

    def __enter__(self) -> "Programs":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, dice: random.Random) -> None:
        while not self._stop.is_set():
            try:
                with httpx.Client(proxy=self._url(), verify=self._trust(), timeout=20) as http:
                    while not self._stop.wait(self._pause):
                        mark, exchange = call(http, dice)
                        self.ledger.acknowledged[mark] = exchange
            except (httpx.HTTPError, OSError):
                self.ledger.failed += 1
                self._stop.wait(0.1)


def call(http: httpx.Client, dice: random.Random) -> tuple[str, Exchange]:
    """One call of any kind. Raises httpx.HTTPError unless the whole answer came."""
    mark = uuid.uuid4().hex
    body: dict[str, Any] = {
        "model": dice.choice(("gpt-5", "gpt-4o-mini")),
        "user": mark,
        "stream": dice.random() < 0.4,
        "messages": [{"role": "user", "content": "x" * dice.choice((10, 2_000, 60_000))}],
    }
    address = CHAT
    if dice.random() < 0.3:
        address, body["max_tokens"] = MESSAGES, 100
        body["metadata"] = {"user_id": body.pop("user")}
    sent = json.dumps(body).encode()
    encoding = dice.choice(ENCODINGS)
    headers = {
        "content-type": "application/json",
        "accept-encoding": encoding,
        "x-simulate": f"encoding={encoding},chunks=10,delay=5",
    }
    with http.stream("POST", address, content=sent, headers=headers) as answer:
        received = b"".join(answer.iter_raw())
        if answer.status_code != 200:
            raise httpx.HTTPError(f"status {answer.status_code}")
    return mark, Exchange(sent, received)


def mark_of(sent: bytes) -> str:
    body = json.loads(sent)
    mark: str = body.get("user") or body["metadata"]["user_id"]
    return mark


def until_it_works(programs: Programs, more: int = 5, seconds: float = 30) -> None:
    """Wait for so many more whole answers."""
    count = len(programs.ledger.acknowledged) + more
    deadline = time.monotonic() + seconds
    while len(programs.ledger.acknowledged) < count:
        assert time.monotonic() < deadline, "no call gets through"
        with suppress(InterruptedError):
            time.sleep(0.02)
