"""CPU time of telling types, reading the structure of requests, and numbering system prompts.

`python -m benchmarks.pattern_types`: prompts and prompts' groups of the tests' own texts.
"""

import random
import time
from collections.abc import Callable

from llmproxy_core.model import Message, Part, Request
from llmproxy_core.patterns.structure import facts_of
from llmproxy_core.patterns.types import type_of
from llmproxy_core.patterns.versions import Versions
from tests.unit.patterns.asked import filled, templates


def cpu_ms(run: Callable[[], object], times: int) -> float:
    """CPU milliseconds of one run."""
    began = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - began) / times * 1e3


def main() -> None:
    groups = [filled(template, 24) for _, template in templates()]
    type_of(groups[0])
    each = iter(groups)
    print(
        f"type of a group of 24 prompts: {cpu_ms(lambda: type_of(next(each)), len(groups)):.2f} ms"
    )
    alone = iter(groups)
    took = cpu_ms(lambda: type_of(next(alone)[:1]), len(groups))
    print(f"type of one prompt:            {took:.2f} ms")
    said = [
        Message("user", [Part("text", "Why? " * 200)]),
        Message("assistant", [Part("text", "x")]),
    ]
    request = Request(messages=said * 100)
    print(
        f"facts of 200 messages:         {cpu_ms(lambda: facts_of('openai.chat', [], request), 500):.3f} ms"
    )
    dice = random.Random(1)
    text = "\n".join(" ".join(f"w{dice.randint(0, 3000)}" for _ in range(12)) for _ in range(250))
    known = Versions()
    new = iter(range(10**6))
    took = cpu_ms(lambda: known.see(f"{text}\nx{next(new)}", 1, "s"), 50)
    print(f"a new wording of {len(text) // 1000} KB:       {took:.2f} ms")
    print(
        f"a known wording of {len(text) // 1000} KB:     {cpu_ms(lambda: known.see(text, 1, 's'), 2000):.3f} ms"
    )


if __name__ == "__main__":
    main()
