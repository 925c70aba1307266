"""Tells webhooks what is stored for them, in a thread of its own; again and again where it must."""

import logging
import random
import threading
import time
from collections.abc import Sequence

from llmproxy_core.config import WebhookConfig
from llmproxy_core.errors import ConfigError, LlmproxyError
from llmproxy_core.store.database import Database
from llmproxy_core.store.deliveries import Due, Outbox, outbox
from llmproxy_core.webhooks import Line, Reply, secret, signed

LOOK_SECONDS = 1.0
AT_A_TIME = 20
PAUSES = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds between tries, as Standard Webhooks proposes: three days in all, then it is given up."""
JITTER = 0.1
PRUNE_SECONDS = 3600.0
PATIENCE = 2.0

logger = logging.getLogger(__name__)


class Telling:
    """`pauses` in seconds. A receiver that does not answer does not hold up the others for longer
    than one try at a time."""

    def __init__(
        self, webhooks: Sequence[WebhookConfig], home: str, pauses: Sequence[float] = PAUSES
    ) -> None:
        self._webhooks = {one.name: one for one in webhooks}
        self._home = home
        self._pauses = pauses
        self._line: Line | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._prune_at = 0.0
        self._cleared = False
        self._said: dict[str, str] = {}

    def start(self, database: Database) -> None:
        """Begin, if there is anybody to be told; safe to call again. Raises DatabaseUnavailable."""
        if not self._webhooks and not self._cleared:
            with outbox(database, self._home) as box:
                box.clear()
            self._cleared = True
        if self._webhooks and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, args=[database], daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """What is under way may be told a second time by the next worker."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
        if self._line is not None:
            self._line.close()

    def round(self, box: Outbox) -> int:
        """Tell what is due, as much as fits into one look; how many were tried."""
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_SECONDS
            box.prune()
        failed: set[str] = set()
        tried = 0
        for one in box.due(AT_A_TIME):
            if self._stop.is_set():
                break
            if one.webhook in failed:
                continue
            tried += 1
            if not self._try(box, one):
                failed.add(one.webhook)
        return tried

    def _run(self, database: Database) -> None:
        while not self._stop.is_set():
            try:
                with outbox(database, self._home) as box:
                    while not self._stop.is_set():
                        if not self.round(box):
                            self._stop.wait(LOOK_SECONDS)
            except LlmproxyError as exc:
                logger.debug("webhooks wait for the database: %s", exc)
                self._stop.wait(LOOK_SECONDS)

    def _try(self, box: Outbox, one: Due) -> bool:
        """Did it go well?"""
        webhook = self._webhooks.get(one.webhook)
        if webhook is None:
            box.tried(one, "failed", "it is not in mitm.toml any more")
            return True
        reply = self._send(webhook, one)
        if reply.ok:
            self._said.pop(webhook.name, None)
            box.tried(one, "delivered", reply.said)
            return True
        if reply.final or one.attempts >= len(self._pauses):
            box.tried(one, "failed", reply.said)
        else:
            pause = max(self._pauses[one.attempts], reply.wait)
            pause *= 1 + JITTER * random.random()  # noqa: S311  no secret
            box.tried(one, "waiting", reply.said, pause)
        self._complain(webhook, reply.said)
        return False

    def _send(self, webhook: WebhookConfig, one: Due) -> Reply:
        body = one.body.encode()
        try:
            key = secret(webhook)
        except ConfigError as exc:
            return Reply(0, str(exc))
        if self._line is None:
            self._line = Line()
        return self._line.send(webhook.url, signed(key, f"msg_{one.id.hex}", body), body)

    def _complain(self, webhook: WebhookConfig, said: str) -> None:
        """Once, until it goes well again."""
        if self._said.get(webhook.name) != said:
            self._said[webhook.name] = said
            logger.warning(f"webhook {webhook.name} ({webhook.where}): {said}; it is tried again")
