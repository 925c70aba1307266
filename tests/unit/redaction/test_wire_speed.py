"""No request and no answer costs more than linear time."""

import time
from collections.abc import Callable

import pytest

from llmproxy_core.masking.masker import Secret
from llmproxy_core.redaction.restoring import RestoredValues
from tests.unit.redaction.values import EMAIL, PLACEHOLDERS, SECRETS, redacted

RUN = Secret("secret:x", "a" * 20)
BACKSLASHES = Secret("secret:x", "\\" * 8 + "ab")
BACK = redacted({"messages": [one.value for one in SECRETS]}).back
SENT = PLACEHOLDERS.of(SECRETS[0]).encode()
REQUESTS: dict[str, tuple[Secret, Callable[[int], bytes]]] = {
    "a run": (RUN, lambda n: b'{"m": "%b"}' % (b"a" * n)),
    "backslashes": (BACKSLASHES, lambda n: b'{"m": "%b"}' % (b"\\\\" * (n // 2))),
    "escapes": (SECRETS[0], lambda n: b'{"m": "%b"}' % (b"\\u0061" * (n // 6))),
    "percents": (SECRETS[0], lambda n: b'{"m": "%b"}' % (b"%61" * (n // 3))),
    "strings": (SECRETS[0], lambda n: b'[%b"%b"]' % (b'"",' * (n // 3), EMAIL.encode())),
    "lists": (SECRETS[0], lambda n: b"[" * (n // 2) + b"]" * (n // 2)),
    "values": (SECRETS[0], lambda n: b'{"m": "' + EMAIL.encode() * (n // 24)),
    "lines": (SECRETS[11], lambda n: b'{"m": "%b"}' % (b"-----BEGIN KEY-----\\n" * (n // 21))),
}


def seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_of_ten_times_the_size_takes_no_more_than_that(name: str):
    secret, body = REQUESTS[name]
    small, large = body(30_000), body(300_000)
    assert seconds(lambda: redacted(large, secret)) < 30 * seconds(lambda: redacted(small, secret))


@pytest.mark.parametrize("size", [1, 3000])
def test_an_answer_of_ten_times_the_size_takes_no_more_than_that(size: int):
    def through(count: int) -> None:
        answer = RestoredValues("openai.chat", BACK, [])
        body = b'{"m": "%b"}' % ((SENT + b" ") * count)
        for at in range(0, len(body), size):
            answer.feed(body[at : at + size])
        answer.finish()

    assert seconds(lambda: through(1000)) < 30 * seconds(lambda: through(100))
