"""What content codings and eventstreams cost an answer whose names are put back.

    python -m benchmarks.codings [--events 5000]

Prints for each content coding the CPU of a streamed event: decoded, coded again, and both with
names looked for; then the CPU of a message of Bedrock's eventstreams; then that of a request of
100 KB, decoded and coded again. The best of five rounds.
"""

import argparse
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterable

from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.names import Naming
from llmproxy_core.providers.encoding import Decoder
from llmproxy_core.providers.eventstream import TYPE, encode_message
from llmproxy_core.providers.recoding import Encoder, decode_whole, encode_whole

CODINGS = ("", "gzip", "deflate", "br", "zstd", "gzip, br")
ROUNDS = 5
HEADERS = {
    ":event-type": "contentBlockDelta",
    ":content-type": "application/json",
    ":message-type": "event",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=5000)
    count = parser.parse_args().events
    events = [_chat_event(number) for number in range(count)]
    for coding in CODINGS:
        _stream(coding, events)
    converse = [{"delta": {"text": f" word{n}"}, "contentBlockIndex": 0} for n in range(count)]
    claude = [{"type": "content_block_delta", "delta": {"text": f" word{n}"}} for n in range(count)]
    _messages("bedrock.converse-stream", map(_compact, converse))
    _messages("bedrock.invoke-with-response-stream", map(_chunk, map(_compact, claude)))
    for coding in CODINGS[1:]:
        _request(coding)


def _chat_event(number: int) -> bytes:
    choice = {"index": 0, "delta": {"content": f" word{number}"}, "finish_reason": None}
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-5"}
    return b"data: %b\n\n" % _compact({**event, "choices": [choice]})


def _stream(coding: str, events: list[bytes]) -> None:
    headers = [("Content-Encoding", coding), ("Content-Type", "text/event-stream")]
    encoder = _encoder(coding)
    chunks = [encoder.encode(event) for event in events]
    size = sum(map(len, chunks)) / len(chunks)
    decoded = _best(lambda: _drained(Decoder(headers), chunks)) / len(chunks)
    coded = _best(lambda: list(map(_encoder(coding).encode, events))) / len(chunks)
    both = _best(lambda: _fed("openai.chat", headers, chunks)) / len(chunks)
    print(
        f"{coding or 'plain':9} {size:4.0f} bytes an event: {decoded:5.2f} µs decoded,"
        f" {coded:5.2f} µs coded, {both:5.2f} µs both, with names",
        flush=True,
    )


def _messages(wire: str, payloads: Iterable[bytes]) -> None:
    frames = [encode_message(HEADERS, payload) for payload in payloads]
    headers = [("Content-Type", f"application/{TYPE}")]
    cost = _best(lambda: _fed(wire, headers, frames)) / len(frames)
    print(f"{wire:36} {cost:5.2f} µs a message", flush=True)


def _request(coding: str) -> None:
    body = _compact(
        [{"role": "user", "content": f"{n * 7919 % 104729} words"} for n in range(2400)]
    )
    headers = [("Content-Encoding", coding)]
    encoder = _encoder(coding)
    came = encoder.encode(body) + encoder.finish()
    decoded = _best(lambda: decode_whole(headers, came)) / 1000
    coded = _best(lambda: encode_whole(headers, body, came)) / 1000
    print(
        f"{coding:9} request of {len(body):,} bytes: {decoded:5.2f} ms decoded,"
        f" {coded:5.2f} ms coded",
        flush=True,
    )


def _encoder(coding: str) -> Encoder:
    return Encoder(coding.split(", ") if coding else [])


def _drained(decoder: Decoder, chunks: list[bytes]) -> None:
    for chunk in chunks:
        for _ in decoder.feed(chunk):
            pass


def _fed(wire: str, headers: list[tuple[str, str]], chunks: list[bytes]) -> None:
    answer = restoring(wire, Naming("pay__"), headers)
    for chunk in chunks:
        answer.feed(chunk)


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _chunk(event: bytes) -> bytes:
    return b'{"bytes":"%b","p":"abcdefghijklmnop"}' % b64encode(event)


def _best(work: Callable[[], object]) -> float:
    """CPU µs of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) * 1e6


if __name__ == "__main__":
    main()
