"""What guarding a request costs in the proxy: all detectors, a hundred policies, masking.

    python -m benchmarks.inline [--folder CORPORA/guard]

Milliseconds of CPU of one thread, median and 95th percentile of requests with texts of their own out
of harmless texts of the corpus (without it, sources of the standard library); the targets are those
of issue 5. Then the time that inputs take which are made to be slow, of two sizes.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.guard import ordinary
from llmproxy_core.anomaly.detectors import DETECTORS, SECRETS
from llmproxy_core.anomaly.verdicts import Judged, Verdicts
from llmproxy_core.credentials import Scrubber
from llmproxy_core.masking.masked import Masked
from llmproxy_core.masking.masker import Masker
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.policies import Policies
from llmproxy_core.policies.ruling import ruling
from llmproxy_core.sections.policies import PolicyConfig
from tests.corpora import CORPORA

WIRE, PATH = "openai.chat", "/v1/chat/completions"
ROUNDS = 200
KNOWN = 60
"""Turns of a conversation that is known."""
FACTS = {"provider.name": "openai", "model": "gpt-5", "namespace": "default"}
SLOW = {
    "letters": lambda n: chat("a" * n),
    "nested": lambda n: b'{"messages":[{"role":"user","content":' + b"[" * n + b"]" * n + b"}]}",
    "nested in text": lambda n: chat("[" * n),
    "bomb of a pattern": lambda n: chat("(a+)+$" * (n // 6) + "a" * 50 + "!"),
    "elements": lambda n: b'{"messages":[' + b"{}," * (n // 3) + b"{}]}",
    "keys": lambda n: b"{" + b'"a":1,' * (n // 6) + b'"b":2}',
    "secrets": lambda n: chat("AKIAQYLPMN5HHHFPZAM2 " * (n // 21)),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=CORPORA / "guard")
    texts = _texts(ordinary(parser.parse_args().folder))
    verdicts = Verdicts(DETECTORS, budget_ms=1000.0)
    verdicts.warm()
    _told("2 KB of new text", verdicts, [chat(next(texts)[:2_000]) for _ in range(ROUNDS)], 1.0)
    _told("20 KB of new text", verdicts, [chat(next(texts)) for _ in range(ROUNDS)], 5.0)
    turns = [next(texts)[:1_600] for _ in range(KNOWN)]
    verdicts.request(WIRE, PATH, chat(*turns))
    _told("100 KB, nothing new", verdicts, [chat(*turns)] * ROUNDS, 0.1)
    grown = [chat(*turns, next(texts)[:2_000]) for _ in range(ROUNDS)]
    _told("100 KB, 2 KB of it new", verdicts, grown, None)
    _policies(verdicts, grown[:50])
    _masking(turns, [next(texts)[:2_000] for _ in range(ROUNDS)])
    _slow()


def chat(*turns: str) -> bytes:
    messages = [{"role": "user", "content": turn} for turn in turns]
    return json.dumps({"model": "gpt-5", "messages": messages}).encode()


def _texts(text: str) -> Iterator[str]:
    """Of 20 KB, over and over; each begins at a place of its own."""
    at = 0
    while True:
        yield text[at : at + 20_000]
        at = (at + 20_011) % (len(text) - 20_000)


def _told(name: str, verdicts: Verdicts, bodies: list[bytes], target: float | None) -> None:
    _print(name, [_ms(lambda: verdicts.request(WIRE, PATH, one)) for one in bodies], target)  # noqa: B023


def _policies(verdicts: Verdicts, bodies: list[bytes]) -> None:
    families = ("secret", "pii", "injection", "jailbreak", "exfiltration")
    settings = [
        PolicyConfig(
            name=f"p{n}", when=f'finding.family == "{families[n % 5]}" and model == "m{n}"'
        )
        for n in range(100)
    ]
    policies = Policies(settings)
    judged = [verdicts.request(WIRE, PATH, one) for one in bodies]
    _print("a hundred policies", [_ms(lambda: _decide(policies, one)) for one in judged], None)  # noqa: B023


def _decide(policies: Policies, judged: Judged) -> Any:
    return ruling(policies.hits("request", dict(FACTS), judged.found), judged, "gpt-5")


def _masking(turns: list[str], fresh: list[str]) -> None:
    tools = SecretMasking(SECRETS, Masker(Scrubber(b"k" * 32)))
    _print("masking, 2 KB of new text", [_masked(tools, chat(one)) for one in fresh], None)
    _masked(tools, chat(*turns))
    _print("masking, 100 KB known", [_masked(tools, chat(*turns)) for _ in fresh], None)


def _masked(tools: SecretMasking, body: bytes) -> float:
    keeper = Masked(tools)
    return _ms(lambda: keeper.request([], body))


def _slow() -> None:
    for name, make in SLOW.items():
        costs = []
        for size in (1_000_000, 4_000_000):
            verdicts, body = Verdicts(DETECTORS), make(size)
            verdicts.warm()
            costs.append(_ms(lambda: verdicts.request(WIRE, PATH, body, whole=True)))  # noqa: B023
        print(f"{name:28} {costs[0]:9.1f} ms of 1 MB, {costs[1]:9.1f} of 4 MB")


def _ms(work: Callable[[], object]) -> float:
    started = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - started) / 1e6


def _print(name: str, costs: list[float], target: float | None) -> None:
    costs = sorted(costs)
    wanted = f"  target {target:g}" if target else ""
    middle, high = costs[len(costs) // 2], costs[len(costs) * 95 // 100]
    print(f"{name:28} {middle:7.3f} ms, p95 {high:7.3f}{wanted}")


if __name__ == "__main__":
    main()
