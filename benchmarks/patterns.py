"""CPU time of mining prompts: `python -m benchmarks.patterns [PROMPTS]`, 20,000 by default.

The prompts are those of the tests: 50 templates and one-offs, ten per cent of them.
"""

import sys
import time
from collections.abc import Iterator

from llmproxy_core.patterns.mining import learned
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.patterns.shape import shape
from llmproxy_core.patterns.signatures import Signatures
from tests.unit.patterns.made_traffic import TEMPLATES, Filler, clause, made, sentence

BLOCK = 20_000


def prompts(count: int) -> Iterator[str]:
    """Made in blocks, so that their number does not need memory. Not timed."""
    for block in range(0, count, BLOCK):
        size = min(BLOCK, count - block)
        yield from (one.text for one in made(block, len(TEMPLATES), size * 9 // 10, size // 10))


class Stopwatch:
    """CPU seconds of the process without those spent making prompts."""

    def __init__(self) -> None:
        self.making = 0.0

    def timed(self, texts: Iterator[str]) -> Iterator[str]:
        while True:
            started = time.process_time()
            text = next(texts, None)
            self.making += time.process_time() - started
            if text is None:
                return
            yield text


def main(count: int) -> None:
    watch = Stopwatch()
    started = time.process_time()
    miner = learned(watch.timed(prompts(count)))
    spent = time.process_time() - started - watch.making
    patterns = list(miner.current())
    print(f"learned from {count:,} prompts: {spent:.1f} s CPU, {len(patterns)} patterns")
    texts = [one for one in prompts(2_000)]
    per_prompt("Miner.assign", miner.assign, texts)
    words = Filler(1)
    many = [
        Pattern(str(n), "user", (shape(f"{sentence(words)} {n % 9} {clause(words)}:")[:-2],))
        for n in range(1_000 - len(patterns))
    ]
    signatures = Signatures.of([*patterns, *many])
    per_prompt("Signatures.match", lambda text: signatures.match("user", text), texts)
    long = [(one * 20)[:4_000] for one in texts[:500]]
    per_prompt("Signatures.match, 4 KB", lambda text: signatures.match("user", text), long)


def per_prompt(what: str, call, texts: list[str]) -> None:
    started = time.process_time()
    for text in texts:
        call(text)
    spent = time.process_time() - started
    size = sum(map(len, texts)) / len(texts)
    print(f"{what}: {spent / len(texts) * 1e6:.0f} µs CPU a prompt of {size:.0f} characters")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
