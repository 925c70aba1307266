"""Words of recorded exchanges as values: out as placeholders and back, not a byte is another."""

import json
import random
import re
from typing import Any

from llmproxy_core.masking.masker import Secret
from llmproxy_core.providers.encoding import decode_body
from llmproxy_core.providers.eventstream import begins_eventstream
from llmproxy_core.redaction.restoring import RestoredValues
from llmproxy_core.redaction.signed_blocks import REQUESTS
from llmproxy_core.redaction.wire import Redacted
from tests.unit.providers.corpus import body, exchanges, headers, needs_corpus, wire_of
from tests.unit.redaction.values import redacted, restored

TOKEN = re.compile(
    rb"(?<![\w.@\\-])(?=[\w.@-]*[0-9.@])(?=[\w.@-]*[A-Za-z])[\w.@-]{8,40}(?![\w.@-])"
)
MOST = 4
LARGEST = 200_000

pytestmark = needs_corpus


def values(text: bytes, rng: random.Random, among: bytes = b"") -> list[Secret]:
    tokens = sorted({one for one in TOKEN.findall(text) if not among or one in among})
    chosen = rng.sample(tokens, min(MOST, len(tokens)))
    return [Secret("secret:token", one.decode()) for one in chosen]


def test_requests_go_without_values_and_are_known_with_them():
    changed = 0
    for number, one in enumerate(exchanges()):
        raw, rng = body(one, "request"), random.Random(number)
        if len(raw) > LARGEST or not (known := _parsed(raw)):
            continue
        secrets = values(raw, rng)
        if not secrets:
            continue
        made = redacted(raw, *secrets, wire=wire_of(one))
        assert restored(json.loads(made.body), made.back) == known
        left = made.body if not made.left else b""
        assert not [secret for secret in secrets if secret.value.encode() in left]
        changed += made.count > 0
    assert changed > 2000


def test_answers_come_back_with_values_in_any_cuts():
    changed = 0
    for number, one in enumerate(exchanges()):
        told = [h for h in headers(one, "response") if h[0].lower() != "content-encoding"]
        answer, _ = decode_body(headers(one, "response"), body(one, "response"))
        rng = random.Random(number)
        if begins_eventstream(answer) or not answer or len(answer) > LARGEST:
            continue
        data = b"\n".join(re.findall(rb"^data:.*$", answer, re.MULTILINE)) or answer
        secrets = values(data, rng, body(one, "request"))
        if wire_of(one) in REQUESTS:  # thoughts stay
            secrets = [s for s in secrets if not _in_thoughts(data, s.value.encode())]
        if not secrets:
            continue
        made = redacted(json.dumps([secret.value for secret in secrets]).encode(), *secrets)
        theirs = _replaced(answer, made)
        back = RestoredValues(wire_of(one), made.back, told)
        size = rng.choice([1, 7, 100, 5000])
        pieces = [theirs[at : at + size] for at in range(0, len(theirs), size)]
        assert b"".join([*map(back.feed, pieces), back.finish()]) == answer
        assert back.fault is None
        changed += theirs != answer
    assert changed > 300


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _in_thoughts(data: bytes, value: bytes) -> bool:
    return any(
        value in line for line in data.split(b"\n") if b'"thinking' in line or b'"reasoning' in line
    )


def _replaced(answer: bytes, made: Redacted) -> bytes:
    """As the provider would have said it."""
    lines = answer.split(b"\n")
    sse = any(line.startswith(b"data:") for line in lines)
    for number, line in enumerate(lines):
        if sse and not line.startswith(b"data:"):
            continue
        for sent, value in made.back.items():
            line = re.sub(
                rb"(?<![\w.@\\-])%b(?![\w.@-])" % re.escape(value.encode()), sent.encode(), line
            )
        lines[number] = line
    return b"\n".join(lines)
