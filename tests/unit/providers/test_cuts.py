"""Recorded answers in other cuts and codings are read as they are whole.

By default some of each format; with LLMPROXY_WHOLE_CORPUS=1 all of them (6 minutes).
"""

import gzip
import os
import random
import zlib
from collections import Counter
from collections.abc import Callable

import brotli
import zstandard

from tests.unit.providers.corpus import (
    Exchange,
    answer_of,
    body,
    joined,
    needs_corpus,
    readable,
    wire_of,
)

pytestmark = needs_corpus

WHOLE = bool(os.environ.get("LLMPROXY_WHOLE_CORPUS"))
SMALL = 6000
"""Bytes up to which an answer is cut at every one of them."""
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=2),
    "zstd": zstandard.ZstdCompressor().compress,
}


def some(per_wire: int, smallest: int, largest: int) -> list[Exchange]:
    """Up to `per_wire` answers of each format and way of sending, of a size in bytes."""
    taken: Counter[tuple[str, bool]] = Counter()
    found = []
    for exchange in random.Random(3).sample(readable(), len(readable())):
        key = (wire_of(exchange), exchange["streaming"])
        if smallest <= len(body(exchange, "response")) <= largest and taken[key] < per_wire:
            taken[key] += 1
            found.append(exchange)
    return found


def test_small_answers_cut_at_every_byte() -> None:
    for exchange in readable() if WHOLE else some(4, 1, 2000):
        whole = body(exchange, "response")
        expected = answer_of(exchange)
        for at in range(1, len(whole) if len(whole) <= SMALL else 0):
            response, deltas = answer_of(exchange, [whole[:at], whole[at:]])
            assert response == expected[0], (exchange["id"], at)
            assert joined(deltas) == joined(expected[1]), (exchange["id"], at)


def test_answers_fed_byte_by_byte() -> None:
    for exchange in readable() if WHOLE else some(60, 1, 6000):
        response, deltas = answer_of(exchange)
        data = body(exchange, "response")
        single, singles = answer_of(exchange, [data[i : i + 1] for i in range(len(data))])
        assert single == response, exchange["id"]
        assert joined(singles) == joined(deltas), exchange["id"]


def test_answers_cut_at_random_places() -> None:
    dice = random.Random(5)
    for exchange in readable():
        data = body(exchange, "response")
        if len(data) < 100_000 or exchange["streaming"] or WHOLE:
            response, deltas = answer_of(exchange)
            for _ in range(50 if WHOLE else 1):
                other, others = answer_of(exchange, _cut(data, dice))
                assert other == response, exchange["id"]
                assert joined(others) == joined(deltas), exchange["id"]


def test_answers_in_every_coding_cut_at_random_places() -> None:
    dice = random.Random(6)
    plain = [e for e in some(12, 1, 60_000) if not e["response_compressed"]]
    for exchange in plain:
        expected = answer_of(exchange)
        for coding, encode in ENCODERS.items():
            kept = [h for h in exchange["response_headers"] if h[0].lower() != "content-encoding"]
            encoded = exchange | {"response_headers": [*kept, ["Content-Encoding", coding]]}
            chunks = _cut(encode(body(exchange, "response")), dice)
            response, deltas = answer_of(encoded, chunks)
            assert response == expected[0], (exchange["id"], coding)
            assert joined(deltas) == joined(expected[1]), (exchange["id"], coding)


def test_streams_that_break_off_keep_what_came() -> None:
    dice = random.Random(8)
    for exchange in some(10, 1000, 60_000):
        if exchange["streaming"] and not exchange["response_compressed"]:
            data = body(exchange, "response")
            whole, _ = answer_of(exchange)
            part, deltas = answer_of(exchange, [data[: dice.randrange(len(data))]])
            assert whole.text.startswith(part.text), exchange["id"]
            assert whole.text.startswith(joined(deltas).get(("text", 0), "")), exchange["id"]


def _cut(data: bytes, dice: random.Random) -> list[bytes]:
    at = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(1, 12)))
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]
