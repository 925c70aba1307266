"""What transformations cost a request, in CPU.

    python -m benchmarks.transformations [--rules 100] [--patterns 1000]

Prints for bodies of several sizes the median of a request that no rule applies to, and of one that
three apply to (they clamp a parameter, add to the system prompt and set a header, of 100 active
ones); then the cost of single operations.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from llmproxy_core.sections.operations import read_operations
from llmproxy_core.sections.transformations import TransformationConfig
from llmproxy_core.transformations.actions.registry import action
from llmproxy_core.transformations.applying import do
from llmproxy_core.transformations.rules import Rules

ROUNDS, CALLS = 9, 200
SIZES = (2_000, 20_000, 100_000)
WIRES = ("openai.chat", "anthropic.messages")
CONDITIONS = (
    'pattern.id == "pattern-{n}" and model.startsWith("gpt-")',
    'namespace == "team-{n}"',
    'model in ["gpt-{n}", "claude-{n}"] and request.max_tokens > 100',
    'pattern.name == "pattern {n}" or session.id == "s{n}"',
    'client.name.startsWith("agent-{n}") and not (operation == "embeddings")',
    'request.path.endsWith("/v{n}/chat") and time.hour < 30',
)
FACTS: dict[str, Any] = {
    "namespace": "shop",
    "client.name": "claude-cli",
    "session.id": "3c8c8f21-d754-401a-9908-6b0583efaecb",
    "provider.name": "openai",
    "operation": "chat",
    "model": "gpt-5-mini",
    "request.path": "/v1/chat/completions",
    "request.bytes": 2000,
    "time.hour": 12,
    "pattern.id": "pattern-none",
    "pattern.name": "none",
    "pattern.type": "chat",
}
LOGIC: tuple[dict[str, Any], ...] = (
    {"op": "clamp", "parameter": "max_tokens", "max": 500},
    {"op": "append_system", "text": "Answer in one sentence."},
    {"op": "add_header", "name": "x-team", "value": "shop"},
)
SINGLE: dict[str, dict[str, Any]] = {
    "set": {"op": "set", "parameter": "temperature", "value": 0.2},
    "append_system": LOGIC[1],
    "replace_text, literal": {
        "op": "replace_text",
        "role": "user",
        "find": "lorem",
        "replacement": "L",
    },
    "replace_text, pattern": {
        "op": "replace_text",
        "role": "user",
        "pattern": r"\b(d)olor\b",
        "replacement": r"\1",
    },
    "add_messages": {
        "op": "add_messages",
        "messages": [{"role": "user", "text": "1+1"}, {"role": "assistant", "text": "2"}],
    },
    "drop_tools": {"op": "drop_tools", "names": ["get_*"]},
    "cache_breakpoint": {"op": "cache_breakpoint", "at": -1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", type=int, default=100)
    wanted = parser.parse_args().rules
    rules = Rules.of(_rules(wanted))
    print(f"{wanted} active rules; CPU in µs a request, median of {ROUNDS} rounds of {CALLS}")
    for wire in WIRES:
        for size in SIZES:
            body = _body(wire, size)
            for title, pattern in (("none applies", "none"), ("three apply", "hit")):
                facts = FACTS | {"pattern.name": pattern}
                cost = _cost(partial(rules.apply, wire, "/v1", [], body, facts))
                print(f"{wire:20} {len(body):7} B  {title:14} {cost:8.1f}")
    for title, one in SINGLE.items():
        ready = [action(operation) for operation in read_operations([one])]
        body = _body("anthropic.messages", 20_000)
        cost = _cost(partial(do, "anthropic.messages", "/v1", [], body, ready))
        print(f"{title:28} {len(body):7} B  {cost:8.1f}")


def _rules(wanted: int) -> list[TransformationConfig]:
    found = [_rule(f"hit-{n}", 'pattern.name == "hit"', [one]) for n, one in enumerate(LOGIC)]
    return found + [
        _rule(f"rule-{n}", CONDITIONS[n % len(CONDITIONS)].format(n=n), [*LOGIC])
        for n in range(wanted - len(found))
    ]


def _rule(name: str, when: str, logic: list[dict[str, Any]]) -> TransformationConfig:
    table = {"name": name, "when": when, "logic": logic}
    return TransformationConfig.model_validate(table)


def _body(wire: str, size: int) -> bytes:
    words = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 8
    system = {"system": words} if wire.startswith("anthropic") else {}
    messages = [] if system else [{"role": "system", "content": words}]
    while len(json.dumps(messages)) < size - 800:
        for role in ("user", "assistant"):
            messages.append({"role": role, "content": words})
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
    tool = {"name": "get_weather", "input_schema": {"type": "object"}} if system else tool
    request = {"model": "gpt-5-mini", "max_tokens": 4096, **system, "messages": messages}
    return json.dumps({**request, "tools": [tool]}).encode()


def _cost(call: Callable[[], object]) -> float:
    call()
    found = []
    for _ in range(ROUNDS):
        begin = time.process_time_ns()
        for _ in range(CALLS):
            call()
        found.append((time.process_time_ns() - begin) / CALLS / 1000)
    return statistics.median(found)


if __name__ == "__main__":
    main()
