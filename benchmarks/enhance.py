"""What it costs the proxy to improve a request, in CPU.

    python -m benchmarks.enhance [--rules 100] [--patterns 1000]

With so many active rules (a twelfth of which asks about patterns), patterns, and three experiments,
one of which is for every conversation: requests of several sizes, the first of a conversation and
later ones, none of which is changed, or all by three rules and half by the experiment. Then what is
added to a request where there is nothing to be done, by the hooks of the addon.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from mitmproxy.test import taddons, tflow

from addons import bridge
from addons.enhance import Enhance
from benchmarks.transformations import LOGIC, WIRES, _rules
from llmproxy_core import interception
from llmproxy_core.config import Config
from llmproxy_core.enhancing.call import Call
from llmproxy_core.enhancing.enhancer import Enhancer
from llmproxy_core.enhancing.handed import Compiler, Tables
from llmproxy_core.enhancing.improving import Improving
from llmproxy_core.home import Home
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.patterns.shape import shape
from llmproxy_core.patterns.signatures import Signatures
from llmproxy_core.pipeline import Exchange
from llmproxy_core.policies.facts import About, of_request
from llmproxy_core.providers.recognise import Match
from tests.unit.patterns.made_traffic import Filler, clause, sentence

ROUNDS, CALLS = 9, 100
SIZES = (2_000, 20_000, 100_000)
HIT = "Summarize the following ticket of the support team:"
ABOUT = partial(About, "default", "openai", host="api", method="POST", path="/v1", at=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--patterns", type=int, default=1000)
    told = parser.parse_args()
    improving = _improving(told.rules, told.patterns)
    print(f"{told.rules} rules, {told.patterns} patterns; CPU in µs, median of {ROUNDS} rounds")
    for wire in WIRES:
        for size in SIZES:
            for title, hit in (("unchanged", False), ("changed", True)):
                for when, turns in (("first", _firsts(wire, size, hit)), ("later", None)):
                    bodies = turns or _later(wire, size, hit)
                    cost = _cost(improving, wire, bodies)
                    print(f"{wire:20} {size:7} B  {title:10} {when:6} {cost:8.1f}")
    _hooks()


def _improving(rules: int, patterns: int) -> Improving:
    words = Filler(1)
    known = [Pattern("hit", "user", (shape(HIT)[:-2],))]
    known += [
        Pattern(f"p{n}", "user", (shape(f"{sentence(words)} {n % 9} {clause(words)}:")[:-2],))
        for n in range(patterns - 1)
    ]
    handed = {
        "signatures": Signatures.of(known).to_json(),
        "named": {one.id: [one.id, "summarization"] for one in known},
    }
    tables = [
        {
            "name": one.name,
            "when": one.when,
            "order": one.order,
            "logic": [step.model_dump(mode="json", exclude_defaults=True) for step in one.logic],
        }
        for one in _rules(rules)
    ]
    ready = Compiler(Path("rulebook.json")).read(
        Tables(
            tables,
            [_experiment(n, pattern) for n, pattern in enumerate(("hit", "p1", "p2"))],
            {"default": handed},
        )
    )
    assert not ready.problems, ready.problems
    return Improving(ready.transformations, ready.trials, ready.patterns)


def _experiment(number: int, pattern: str) -> dict[str, Any]:
    began = {"at": 1.0, "status": "running", "by": "anna", "why": ""}
    return {
        "id": f"e{number}",
        "name": f"e{number}",
        "pattern": pattern,
        "variants": [{"name": "v", "operations": [LOGIC[1] | {"text": "Be kind."}]}],
        "shares": {"control": 0.5, "v": 0.5},
        "status": "running",
        "steps": [began],
    }


def _firsts(wire: str, size: int, hit: bool) -> Iterator[bytes]:
    """Of a conversation each."""
    for number in count():
        yield _body(wire, [("user", _prompt(size, hit, number))])


def _later(wire: str, size: int, hit: bool) -> Iterator[bytes]:
    """Turns of one conversation, each of a few hundred bytes."""
    said = [("user", _prompt(300, hit, 0))]
    yield _body(wire, said)
    while sum(len(text) for _, text in said) < size:
        said += [("assistant", "Done so far. " * 40), ("user", "And then? " * 40)]
    body = _body(wire, said)
    while True:
        yield body


def _prompt(size: int, hit: bool, number: int) -> str:
    text = f"the printer of room {number} is never late. " * (size // 40)
    return f"{HIT if hit else 'Tell me about'} {text}"


def _body(wire: str, said: list[tuple[str, str]]) -> bytes:
    words = "You are the assistant of a shop. Be polite, and never promise a refund. " * 6
    claude = wire.startswith("anthropic")
    messages = [] if claude else [{"role": "system", "content": words}]
    messages += [{"role": role, "content": text} for role, text in said]
    request: dict[str, Any] = {"model": "gpt-5-mini", "max_tokens": 4096, "messages": messages}
    return json.dumps(request | ({"system": words} if claude else {})).encode()


def _cost(improving: Improving, wire: str, bodies: Iterator[bytes]) -> float:
    enhancer, found = Enhancer(None, time.time()), []
    _asked(enhancer, improving, wire, next(bodies))
    for _ in range(ROUNDS):
        calls = [next(bodies) for _ in range(CALLS)]
        begin = time.process_time_ns()
        for body in calls:
            _asked(enhancer, improving, wire, body)
        found.append((time.process_time_ns() - begin) / CALLS / 1000)
    return statistics.median(found)


def _asked(enhancer: Enhancer, improving: Improving, wire: str, body: bytes) -> None:
    about = ABOUT(wire=wire, body_bytes=len(body), model="gpt-5-mini")

    def tell(asked: Any) -> dict[str, Any]:
        facts = of_request(about, asked)
        return facts | {"request.tools": [], "request.max_tokens": 4096}

    call = Call(wire, "/v1", [("user-agent", "bench/1")], body, "default", "", tell)
    enhancer.request(improving, call, 100.0)


def _hooks() -> None:
    """Where no rule, experiment or pattern is handed over."""
    with tempfile.TemporaryDirectory() as folder, taddons.context() as context:
        home = Home(Path(folder))
        (home.path / "spool").mkdir()
        shared = interception.start(Config(), home)
        context.master.__dict__["llmproxy"] = shared
        enhance, flow = Enhance(), tflow.tflow(resp=True)
        exchange = Exchange(bridge.head(flow, "api", 443, Match("openai", "openai.chat")), 2**20)
        shared.exchanges[flow.id] = exchange
        flow.response = None
        hooks: dict[str, Callable[[], object]] = {
            "requestheaders": lambda: enhance.requestheaders(flow),
            "request": lambda: enhance.request(flow),
            "responseheaders": lambda: enhance.responseheaders(flow),
        }
        for name, hook in hooks.items():
            found = []
            for _ in range(ROUNDS):
                begin = time.process_time_ns()
                for _ in range(1000):
                    hook()
                found.append((time.process_time_ns() - begin) / 1e6)
            print(f"{name:16} {statistics.median(found):6.2f} µs where there is nothing to be done")


if __name__ == "__main__":
    main()
