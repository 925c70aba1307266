"""What the gate for calls of tools costs an answer.

    python -m benchmarks.toolgate [--events 5000]

Prints for each wire format the CPU of a streamed event of text, of a piece of a call that may go
on, and of one that is denied, as they come one by one; then that of a whole answer. The best of
five rounds; the judge is free.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from llmproxy_core.toolgate import Call, ToolGate

ROUNDS = 5
EVENTS = [("Content-Type", "text/event-stream")]
PIECE = '{"path": "some/where"}'


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5000)
    count = parser.parse_args().events
    for wire, stream in STREAMS.items():
        texts, pieces = stream(count)
        told = ((texts, ""), (pieces, ""), (pieces, "no"))
        cost = [_best(partial(_fed, wire, *one)) for one in told]
        text, held, denied = (one / count for one in cost)
        print(f"{wire:20} text {text:5.2f} µs  held {held:5.2f} µs  denied {denied:5.2f} µs")
    for size in (2_000, 100_000):
        whole, called = _whole(size, []), _whole(size, [CALL])
        idle, judged = (_best(partial(_once, body)) for body in (whole, called))
        print(f"a whole chat of {size} bytes: {idle:.1f} µs, with a call {judged:.1f} µs")


def _chat(count: int) -> tuple[list[bytes], list[bytes]]:
    def event(delta: Any, end: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-5"}
        return b"data: %b\n\n" % json.dumps({**told, "choices": [choice]}).encode()

    def piece(**function: str) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, "function": function}]}

    end = event({}, "tool_calls")
    held = [event(piece(name="write", arguments="")), *[event(piece(arguments=PIECE))] * count, end]
    return [event({"content": " word"})] * count, held


def _messages(count: int) -> tuple[list[bytes], list[bytes]]:
    def event(kind: str, **fields: Any) -> bytes:
        told = json.dumps({"type": kind, "index": 1, **fields}).encode()
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), told)

    block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": PIECE}
    text = {"type": "text_delta", "text": " word"}
    held = [event("content_block_start", content_block=block)]
    held += [event("content_block_delta", delta=delta)] * count
    held.append(event("content_block_stop"))
    return [event("content_block_delta", delta=text)] * count, held


def _responses(count: int) -> tuple[list[bytes], list[bytes]]:
    def event(kind: str, **fields: Any) -> bytes:
        told = json.dumps({"type": f"response.{kind}", "output_index": 0, **fields}).encode()
        return b"event: response.%b\ndata: %b\n\n" % (kind.encode(), told)

    item = {"type": "function_call", "id": "fc_1", "name": "write", "arguments": ""}
    held = [event("output_item.added", item=item)]
    held += [event("function_call_arguments.delta", item_id="fc_1", delta=PIECE)] * count
    held.append(event("output_item.done", item={**item, "arguments": "{}"}))
    return [event("output_text.delta", item_id="msg_1", delta=" word")] * count, held


STREAMS: dict[str, Callable[[int], tuple[list[bytes], list[bytes]]]] = {
    "openai.chat": _chat,
    "anthropic.messages": _messages,
    "openai.responses": _responses,
}
CALL = {"id": "1", "type": "function", "function": {"name": "write", "arguments": PIECE}}


def _whole(size: int, calls: list[Any]) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": "word " * (size // 5)}
    message |= {"tool_calls": calls} if calls else {}
    return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


def _fed(wire: str, events: list[bytes], says: str) -> None:
    gate = ToolGate(wire, EVENTS, _judge(says))
    for event in events:
        gate.feed(event)
    gate.finish()


def _once(body: bytes) -> None:
    gate = ToolGate("openai.chat", [], _judge(""))
    if not gate.idle(body):
        gate.feed(body)
        gate.finish()


def _judge(says: str) -> Callable[[Call], str]:
    return lambda _: says


def _best(work: Callable[[], object]) -> float:
    """CPU µs of the fastest round."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - start)
    return min(taken) / 1000


if __name__ == "__main__":
    main()
