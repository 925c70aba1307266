"""Signatures by which a receiver knows that a message is ours, and how old it is.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md: HMAC-SHA256 over
`id.timestamp.body`; a secret is `whsec_` and base64.
"""

import hmac
import os
import time
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Iterable, Iterator
from hashlib import sha256

from llmproxy_core.errors import ConfigError
from llmproxy_core.sections.webhooks import WebhookConfig

PREFIX = "whsec_"
TOLERANCE = 300
"""Seconds that a message may be old, or of the future."""
SHORTEST = 16
"""Bytes of a secret."""


def secret(webhook: WebhookConfig) -> bytes | None:
    """The key, read anew each time; None: messages are not signed.

    Raises:
        ConfigError: it is not where it should be, or too short.
    """
    if webhook.secret_env:
        where, written = f"${webhook.secret_env}", os.environ.get(webhook.secret_env, "")
        if not written:
            raise ConfigError(f"webhook {webhook.name}: {where} is not set here")
    elif webhook.secret_file is not None:
        where = str(webhook.secret_file)
        try:
            written = webhook.secret_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(f"webhook {webhook.name}: {where}: {exc}") from None
    else:
        return None
    key = _decoded(written.strip())
    if key is None or len(key) < SHORTEST:
        raise ConfigError(
            f"webhook {webhook.name}: {where} holds no secret: `{PREFIX}` and base64 of {SHORTEST} "
            "bytes or more, or any text as long"
        )
    return key


def unset(webhooks: Iterable[WebhookConfig]) -> Iterator[str]:
    """What is wrong with the secrets of those whose messages cannot be signed."""
    for webhook in webhooks:
        try:
            secret(webhook)
        except ConfigError as exc:
            yield str(exc)


def signed(key: bytes | None, id: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """The headers of a message."""
    timestamp = str(int(time.time() if now is None else now))
    headers = {"webhook-id": id, "webhook-timestamp": timestamp}
    if key is not None:
        headers["webhook-signature"] = "v1," + _digest(key, id, timestamp, body)
    return headers


def verify(key: bytes, headers: dict[str, str], body: bytes, now: float | None = None) -> bool:
    """As a receiver does it. `headers` by their names in lower case."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal():
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        return False
    ours = "v1," + _digest(key, id, timestamp, body)
    told = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(ours.encode(), one.encode()) for one in told)


def _digest(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    message = f"{id}.{timestamp}.".encode() + body
    return b64encode(hmac.new(key, message, sha256).digest()).decode()


def _decoded(written: str) -> bytes | None:
    if not written.startswith(PREFIX):
        return written.encode()
    try:
        return b64decode(written.removeprefix(PREFIX), validate=True)
    except BadBase64:
        return None
