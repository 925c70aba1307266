"""What it costs to send placeholders in the place of values, to put values back, to deny tools.

    python -m benchmarks.placeholders [--events 3000]

Prints the CPU of a request of 2, 20 and 100 KB without and with values, of one whose tools are
denied, and of an event of a streamed answer: of which no text begins a placeholder, of a placeholder
in six pieces, and of an answer to a request that has a value that JSON has to escape. The best of
five rounds.
"""

import argparse
import json
import time
from collections.abc import Callable

from llmproxy_core.masking.masker import Secret
from llmproxy_core.namespace.request import Call
from llmproxy_core.policies.tools import without_tools
from llmproxy_core.redaction.restoring import RestoredValues
from llmproxy_core.redaction.wire import Redactor

ROUNDS = 5
KEY = b"k" * 32
EMAIL = Secret("pii:email", "anna.schmidt@example.org")
TOKEN = Secret("secret:token", "tok-q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNm")
LINES = Secret("secret:key", "first line\nsecond line")
EVENTS = [("content-type", "text/event-stream")]
TOOLS = [{"type": "function", "function": {"name": f"tool_{n}"}} for n in range(20)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=3000)
    count = parser.parse_args().events
    for kilobytes in (2, 20, 100):
        _requests(kilobytes)
    words = [f" wor{number % 10}" for number in range(count)]
    back = _back(EMAIL)
    [sent] = [one for one in back if "%" not in one]
    pieces = [sent[at : at + 6] for at in range(0, len(sent), 6)]
    print(f"event, nothing to put back: {_stream(back, words):6.1f} us")
    print(f"event of a placeholder:     {_stream(back, pieces * (count // len(pieces))):6.1f} us")
    print(f"event, values with escapes: {_stream(_back(LINES), words):6.1f} us")


def _requests(kilobytes: int) -> None:
    text = "The quick brown fox jumps over the lazy dog.\n" * 40
    roles = ("user", "assistant")
    said = [{"role": roles[n % 2], "content": text} for n in range(kilobytes // 2)]
    said.append({"role": "user", "content": f"I am {EMAIL.value}, with {TOKEN.value}"})
    body = json.dumps({"model": "gpt-5", "messages": said, "tools": TOOLS}).encode()
    call = Call("openai", "openai.chat", "/v1/chat/completions", [], body)
    for secrets in ([], [EMAIL], [EMAIL, TOKEN]):
        redactor = Redactor(KEY, 10**8)
        seconds = _best(lambda: redactor.request(call, "default", secrets))  # noqa: B023
        print(f"request, {kilobytes:3} KB, {len(secrets)} values: {seconds * 1e3:7.3f} ms")
    seconds = _best(lambda: without_tools("openai.chat", body, "tool_7".__eq__))
    print(f"request, {kilobytes:3} KB, tool denied: {seconds * 1e3:6.3f} ms")


def _back(secret: Secret) -> dict[str, str]:
    body = json.dumps({"input": secret.value}).encode()
    return Redactor(KEY, 10**8).text("openai.chat", body, "default", [secret]).back


def _stream(back: dict[str, str], texts: list[str]) -> float:
    """CPU of an event, in microseconds."""
    choices = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    more = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-5"}
    events = [b"data: %b\n\n" % json.dumps(more | one).encode() for one in choices]

    def through() -> None:
        answer = RestoredValues("openai.chat", back, EVENTS)
        for event in events:
            answer.feed(event)
        answer.finish()

    return _best(through) / len(events) * 1e6


def _best(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(5):
            work()
        times.append((time.process_time() - begun) / 5)
    return min(times)


if __name__ == "__main__":
    main()
