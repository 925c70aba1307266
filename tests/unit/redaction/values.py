"""Values that a provider must not get, and the requests that have them."""

import json
import re
from typing import Any

from llmproxy_core.masking.masker import Secret
from llmproxy_core.redaction.placeholders import Placeholders
from llmproxy_core.redaction.restoring import RestoredValues
from llmproxy_core.redaction.wire import Redacted, Redactor

KEY = b"k" * 32
SECRETS = [
    Secret("pii:email", "anna.schmidt@example.org"),
    Secret("pii:phone", "+1 (415) 555-0123"),
    Secret("pii:card", "4929 8273 4418 0019"),
    Secret("pii:card", "4929827344180019"),
    Secret("pii:iban", "DE89 3704 0044 0532 0130 00"),
    Secret("pii:us-ssn", "536-22-8726"),
    Secret("pii:es-nie", "X1234567L"),
    Secret("pii:address", "12 Main Street, Springfield"),
    Secret("secret:github-pat", "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"),
    Secret("secret:password", "s3cr3t/pass+word="),
    Secret("secret:password", 'qu"ote\\d \u00fc\U0001f511'),
    Secret("secret:private-key", "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----"),
]  # fmt: skip
PLACEHOLDERS = Placeholders(KEY, "default")
EMAIL = "anna.schmidt@example.org"
HEADERS = [("content-type", "application/json")]


def redacted(body: Any, *secrets: Secret, wire: str = "openai.chat") -> Redacted:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Redactor(KEY, 10**8).text(wire, raw, "default", list(secrets or SECRETS))


def whole(made: Redacted) -> Any:
    """The JSON value that a client would get back."""
    if not made.back:
        return json.loads(made.body)
    answer = RestoredValues("openai.chat", made.back, HEADERS)
    return json.loads(answer.feed(made.body) + answer.finish())


def restored(value: Any, back: dict[str, str]) -> Any:
    """A JSON value as the client knows it: plain and slow."""
    if not back:
        return value
    pattern = re.compile("|".join(map(re.escape, sorted(back, key=len, reverse=True))))

    def walk(one: Any) -> Any:
        if isinstance(one, str):
            return pattern.sub(lambda found: back[found[0]], one)
        if isinstance(one, dict):
            return {walk(key): walk(inner) for key, inner in one.items()}
        if isinstance(one, list):
            return [walk(inner) for inner in one]
        if isinstance(one, int) and not isinstance(one, bool):
            return int(back.get(str(one), one))
        return one

    return walk(value)
