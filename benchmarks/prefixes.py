"""What a prefix costs: a request of 100 KB with 20 tools and 60 messages, and streamed events.

    python -m benchmarks.prefixes

Prints the CPU of a request's first turn (nothing of it seen before), of a later one (one new
message), and of the same without a prefix; then that of an event without and with a name on its
way back. The best of nine rounds, in process time.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from llmproxy_core.namespace.incoming import AnswerNames
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.request import Call, Prefixer
from llmproxy_core.namespace.rules import Namespace

ROUNDS = 9
TURNS = 200
EVENTS = 20_000
HEADERS = [("Content-Type", "application/json"), ("Authorization", "Bearer none")]
WORDS = 'the quick brown fox "jumps"\nover a lazy dog: def foo(bar): return baz '


def main() -> None:
    bodies = [_body(number) for number in range(TURNS)]
    size = len(bodies[0]) / 1000
    prefixed, plain = Namespace("payments", "pay__"), Namespace("default")
    print(f"a request of {size:.0f} KB, 20 tools, 60 messages")
    print(f"  first seen        {_first(bodies, prefixed):6.0f} µs")
    print(f"  a later turn      {_later(bodies, prefixed):6.0f} µs")
    print(f"  without a prefix  {_later(bodies, plain):6.0f} µs")
    print("an event of an answer")
    print(f"  without a name    {_event({'content': ' word'}):6.2f} µs")
    call = {"index": 0, "id": "call_1", "function": {"name": "pay__get_tool_1", "arguments": ""}}
    print(f"  with a name       {_event({'tool_calls': [call]}):6.2f} µs")


def _first(bodies: list[bytes], namespace: Namespace) -> float:
    """µs of a request of which this proxy has seen nothing."""

    def run() -> None:
        for body in bodies:
            Prefixer(None, 2**25).sent(_call(body), namespace)

    return _best(run) / TURNS


def _later(bodies: list[bytes], namespace: Namespace) -> float:
    """µs of a request whose last message is new."""
    prefixer = Prefixer(None, 2**25)

    def run() -> None:
        for body in bodies:
            prefixer.sent(_call(body), namespace)

    prefixer.sent(_call(_body(-1)), namespace)
    start = time.process_time()
    run()
    return (time.process_time() - start) / TURNS * 1e6


def _event(delta: dict[str, Any]) -> float:
    """µs of an event on its way back."""
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-5"}
    chunk = b"data: %b\n\n" % json.dumps({**event, "choices": [choice]}).encode()
    naming = Naming("pay__")
    naming.send(b"get_tool_1")

    def run() -> None:
        names = AnswerNames("openai.chat", naming)
        for _ in range(EVENTS):
            names.feed(chunk)

    return _best(run) / EVENTS


def _best(run: Callable[[], None]) -> float:
    """µs of CPU."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times) * 1e6


def _call(body: bytes) -> Call:
    return Call("openai", "openai.chat", "/v1/chat/completions", HEADERS, body)


def _body(turn: int) -> bytes:
    messages: list[dict[str, Any]] = [{"role": "system", "content": _text(6000)}]
    for number in range(20):
        function = {"name": f"get_tool_{number}", "arguments": json.dumps({"p": _text(200)})}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        messages += [
            {"role": "user", "content": _text(1500)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": _text(1700)},
        ]
    messages[-1] = {"role": "user", "content": f"turn {turn} " + _text(1600)}
    request = {"model": "gpt-5", "messages": messages, "tools": [_tool(n) for n in range(20)]}
    return json.dumps(request).encode()


def _tool(number: int) -> dict[str, Any]:
    fields = {f"p{n}": {"type": "string", "description": _text(60)} for n in range(5)}
    schema = {"type": "object", "properties": fields, "required": ["p1"]}
    function = {"name": f"get_tool_{number}", "description": _text(600), "parameters": schema}
    return {"type": "function", "function": function}


def _text(size: int) -> str:
    return (WORDS * (size // len(WORDS) + 1))[:size]


if __name__ == "__main__":
    main()
