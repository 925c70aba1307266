"""CPU that masking takes: a request, and an event of an answer, by how many come in a tick.

nice -n -19 .venv/bin/python benchmarks/masking.py
"""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masked import Masked
from llmproxy_core.masking.masker import Masker
from llmproxy_core.masking.secret_masking import SecretMasking

EVENTS = 4000
CODE = (Path(__file__).parents[1] / "llmproxy_core/store/writer.py").read_text() * 20
WORDS = CODE.split(" ")
KEY = "ghp_q8Zt4wLm1xCv7bNmQ8Zt4wLm1xCv7bNmAAbb"
TOOLS = SecretMasking(SECRETS, Masker(Scrubber(b"k" * 32)))


def anthropic(number: int) -> bytes:
    delta = {"type": "text_delta", "text": " " + WORDS[number % len(WORDS)]}
    data = json.dumps({"type": "content_block_delta", "index": 0, "delta": delta})
    return f"event: content_block_delta\ndata: {data}\n\n".encode()


def chat(number: int) -> bytes:
    delta = {"content": " " + WORDS[number % len(WORDS)]}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    head = {"id": "chatcmpl-AbCdEf", "object": "chat.completion.chunk", "created": 1738000000}
    head |= {"model": "gpt-5", "service_tier": "default", "system_fingerprint": "fp_abc"}
    data = json.dumps({**head, "choices": [choice], "obfuscation": f"aB3xYz{number}"})
    return f"data: {data}\n\n".encode()


def responses(number: int) -> bytes:
    kind = "response.output_text.delta"
    head = {"type": kind, "sequence_number": number, "item_id": "msg_0123456789abcdef"}
    text = {"delta": " " + WORDS[number % len(WORDS)], "logprobs": [], "obfuscation": f"aB{number}"}
    data = json.dumps({**head, "output_index": 0, "content_index": 0, **text})
    return f"event: {kind}\ndata: {data}\n\n".encode()


def cpu_us(work: Callable[[], object], times: int) -> float:
    begin = time.process_time_ns()
    for _ in range(times):
        work()
    return (time.process_time_ns() - begin) / times / 1000


def answer(events: Iterable[bytes], per_tick: int) -> Masked:
    keeper = Masked(TOOLS)
    keeper.answer(200, [("content-type", "text/event-stream")])
    made = [*events]
    for at in range(0, len(made), per_tick):
        keeper.feed(b"".join(made[at : at + per_tick]))
    keeper.finish(complete=True)
    return keeper


def conversation(kilobytes: int, first: int = 0, key: str = "") -> bytes:
    texts = [CODE[at : at + 900] for at in range(first, first + kilobytes * 1000, 900)]
    texts[-1] += key
    messages = [{"role": "user", "content": text} for text in texts]
    return json.dumps({"model": "gpt-5", "stream": True, "messages": messages}).encode()


def main() -> None:
    answer([anthropic(1)] * 3, 1)
    for make in (anthropic, chat, responses):
        events = [make(number) for number in range(EVENTS)]
        answer(events[:10], 1)
        for per_tick in (1, 5, 20, 50):
            us = cpu_us(lambda e=events, n=per_tick: answer(e, n), 3) / EVENTS  # type: ignore[misc]
            print(f"{make.__name__:>10} {per_tick:3} events a tick: {us:6.2f} us an event")
    for key in ("", f" {KEY} "):
        for kilobytes in (2, 20, 100):
            bodies = iter([conversation(kilobytes, n * 7 + 1, key) for n in range(60)])
            new = cpu_us(lambda b=bodies: Masked(TOOLS).request([], next(b)), 50)  # type: ignore[misc]
            known = conversation(kilobytes, 3, key)
            Masked(TOOLS).request([], known)
            again = cpu_us(lambda b=known: Masked(TOOLS).request([], b), 200)  # type: ignore[misc]
            what = "with a key" if key else "without a key"
            print(f"{kilobytes:4} KB {what}: new {new:7.0f} us, known {again:7.0f} us")


if __name__ == "__main__":
    main()
