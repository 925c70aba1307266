"""What it costs the proxy to write of a call how it was made, without its texts.

`python benchmarks/withheld.py`: CPU of one process, the best of five; run it with `nice -n -19`.
"""

import json
import time
from collections.abc import Callable
from functools import partial

from llmproxy_core.withholding.withheld import Withheld

ROUNDS = 5
EVENTS = 2_000
JSON = [("content-type", "application/json")]
SSE = [("content-type", "text/event-stream")]


def best(work: Callable[[], object], count: int) -> float:
    """Microseconds of CPU for one of `count`."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken) / count * 1e6


def request(size: int) -> bytes:
    """A conversation of about so many bytes, with tools and calls of them."""
    text = "Please have a look at the file and tell what is wrong with it. " * 8
    call = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    turn = [
        {"role": "user", "content": text},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": text * 2},
    ]
    turns = max(1, size // len(json.dumps(turn)))
    tool = {"type": "function", "function": {"name": "read", "description": text}}
    return json.dumps({"model": "gpt-5", "messages": turn * turns, "tools": [tool]}).encode()


def stream() -> list[bytes]:
    choice = {"index": 0, "delta": {"content": " word"}, "finish_reason": None}
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-5"}
    return [f"data: {json.dumps(event | {'choices': [choice]})}\n\n".encode()] * EVENTS


def through(chunks: list[bytes]) -> None:
    keeper = Withheld("openai.chat")
    keeper.answer(200, SSE)
    for chunk in chunks:
        keeper.feed(chunk)
    keeper.finish(complete=True)


def main() -> None:
    for size in (2_000, 100_000, 1_000_000):
        body = request(size)
        keeper = Withheld("openai.chat")
        spent = best(partial(keeper.request, JSON, body), 1)
        kept = len(keeper.request(JSON, body))
        print(f"request of {len(body):>9,} bytes: {spent:8.1f} us, {kept:,} bytes kept")
    chunks = stream()
    print(f"event of a stream: {best(lambda: through(chunks), EVENTS):.1f} us")


if __name__ == "__main__":
    main()
