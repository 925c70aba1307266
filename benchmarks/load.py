"""A bounded load on loopback: keep-alive connections through the proxy, one thread each."""

import itertools
import json
import random
import ssl
import statistics
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException, HTTPSConnection

WORDS = [f"word{number}" for number in range(500)]
MARK = "000000000000"


def prose(seed: int, size: int) -> str:
    """`size` bytes of words, the same for the same seed."""
    return " ".join(random.Random(seed).choices(WORDS, k=size // 4))[:size]


@cache
def template(kind: str) -> bytes:
    """`chat`: 2 KB; `agent`: 100 KB with 20 tools and 60 messages; `stream`: asks for one."""
    messages = [{"role": "user", "content": f"{MARK} {prose(1, 1850)}"}]
    body: dict[str, object] = {"model": "gpt-5", "messages": messages}
    if kind == "stream":
        body["stream"] = True
    if kind == "agent":
        function = {"name": "tool", "parameters": {}}
        body["tools"] = [
            {"type": "function", "function": function | {"description": prose(n, 900)}}
            for n in range(20)
        ]
        messages += [
            {"role": ("assistant", "user")[n % 2], "content": prose(n, 1320)} for n in range(60)
        ]
    return json.dumps(body).encode()


def numbered(kind: str, number: int) -> bytes:
    """Every request differs from every other."""
    return template(kind).replace(MARK.encode(), b"%012d" % number, 1)


@dataclass
class Result:
    """Of one run; times in ms."""

    errors: int = 0
    first_byte: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)

    @property
    def first_byte_p50(self) -> float:
        return statistics.median(self.first_byte)


def run(
    port: int,
    trust: ssl.SSLContext,
    kind: str,
    requests: int,
    connections: int,
    simulate: str = "",
) -> Result:
    """Make so many requests to the simulated api.openai.com through the proxy at `port`."""
    result, tickets = Result(), itertools.count()
    headers = {"content-type": "application/json", "authorization": "Bearer sk-bench-000000000000"}
    headers["x-simulate"] = simulate

    def work() -> None:
        link = HTTPSConnection("127.0.0.1", port, context=trust, timeout=60)
        link.set_tunnel("api.openai.com")
        while (number := next(tickets)) < requests:
            started = time.perf_counter()
            try:
                link.request("POST", "/v1/chat/completions", numbered(kind, number), headers)
                answer = link.getresponse()
                answer.read(1)
                first = time.perf_counter()
                answer.read()
            except (OSError, HTTPException):
                result.errors += 1
                link.close()
                continue
            result.errors += answer.status != 200
            result.first_byte.append((first - started) * 1000)
            result.total.append((time.perf_counter() - started) * 1000)
        link.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return result
