"""What limits cost a call in the proxy, all told: CPU µs to ask before it and to settle after it.

    python -m benchmarks.metering [--calls 3000]

Of requests of 2 KB and 100 KB, and of answers whole (2 KB) and streamed (500 events, 150 KB, with
and without usage), under a limit of requests alone and under one of tokens and USD. Long answers
are read in a thread in the proxy; here that time counts, too.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from llmproxy_core.config import Config, LimitConfig
from llmproxy_core.home import Home
from llmproxy_core.metering.metering import About, Metering, Reserved
from llmproxy_core.metering.usage import Answered

ABOUT = About("team", "fp_0123456789ab", "anna", "openai", "openai.chat", "/v1/chat/completions")
USAGE = {"prompt_tokens": 500, "completion_tokens": 500, "total_tokens": 1000}
SSE = [("content-type", "text/event-stream")]
WHOLE = [("content-type", "application/json")]
LIMITS: dict[str, dict[str, Any]] = {
    "requests": {"requests_per_minute": 10**6, "burst": 10**6},
    "tokens and USD": {"tokens_per_minute": 10**12, "usd_per_day": 10**6},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=3000)
    calls: int = parser.parse_args().calls
    for name, terms in LIMITS.items():
        asyncio.run(_measure(name, terms, calls))


async def _measure(name: str, terms: dict[str, Any], calls: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Config(limits=[LimitConfig(name="l", per=["namespace", "key"], **terms)])
        metering = Metering(settings, Home(Path(folder)), print)
        await metering.ask(ABOUT, lambda: _request(2))
        for request in (2, 100):
            for kind, answer in _answers().items():
                micros = await _micros(metering, _request(request), answer, calls)
                print(f"{name:<15} {request:>3} KB, {kind:<24} {micros:7.1f} µs")


async def _micros(metering: Metering, body: bytes, answer: Answered, calls: int) -> float:
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        for _ in range(calls // 5):
            found = await metering.ask(ABOUT, lambda: body)
            assert isinstance(found, Reserved)
            metering.settle(found, answer)
            await asyncio.gather(*metering.under_way)
        best = min(best, (time.process_time() - begun) / (calls // 5) * 1e6)
    return best


def _request(kilobytes: int) -> bytes:
    turns = [{"role": "user", "content": "some words of a turn " * 48}] * kilobytes
    return json.dumps({"model": "gpt-5", "max_tokens": 1000, "messages": turns}).encode()


def _answers() -> dict[str, Answered]:
    delta = {"choices": [{"index": 0, "delta": {"content": "a few words "}}], "usage": None}
    event = b"data: " + json.dumps({"id": "x" * 100, "model": "gpt-5", **delta}).encode() + b"\n\n"
    told = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"
    done = b"data: [DONE]\n\n"
    message = {"role": "assistant", "content": "a few words " * 160}
    whole = json.dumps({"choices": [{"index": 0, "message": message}], "usage": USAGE}).encode()
    return {
        "whole": _answered(WHOLE, [whole]),
        "streamed with usage": _answered(SSE, [event] * 500 + [told, done]),
        "streamed without": _answered(SSE, [event] * 500 + [done]),
    }


def _answered(headers: list[tuple[str, str]], body: list[bytes]) -> Answered:
    return Answered(ABOUT.wire, ABOUT.path, 200, headers, body)


if __name__ == "__main__":
    main()
