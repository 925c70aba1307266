"""Cached tokens as real providers count them, four characters a token.

- Anthropic, Bedrock: what stands before a mark is written, if it is long enough, and read by requests
  that begin with it and have a mark there or up to 20 blocks later. It lives for 5 minutes (or an
  hour) from its last use.
- OpenAI, Gemini: each request is written; the longest beginning that was seen before is read, in
  steps of 128 tokens, from 1,024 on (Gemini Pro 4,096).

A cache is of one key and one model. Sources: see `prompts`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from llmproxy_core.hashing import content_hash
from llmproxy_core.simulator.prompts import Block, Prompt

CHARACTERS = 4
"""A token."""
STEP = 128
LEAST = 1024
LEASTS = (
    ("haiku-4", 4096),
    ("opus-4-5", 4096),
    ("opus-4-6", 4096),
    ("haiku", 2048),
    ("sonnet-4-6", 2048),
    ("gemini-2.5-pro", 4096),
    ("gemini-3-pro", 4096),
)
"""By a word of the model's name, where it is not LEAST."""
LOOK_BACK = 20
ITSELF = 600.0
"""Seconds that what is cached without a mark lives."""
MOST = 200_000
"""Beginnings that are remembered."""
CHAINS = 500


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens; `total` holds the others."""

    total: int
    read: int = 0
    written: int = 0


@dataclass(slots=True)
class _Entry:
    until: float
    life: float


class PromptCache:
    """`clock`: seconds. Not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._chains: OrderedDict[str, list[Block]] = OrderedDict()

    def count(self, prompt: Prompt, model: str, key: str) -> Counted:
        """Of a request that is answered now; what it leaves in the cache can be read at once."""
        blocks = [*prompt.head, *self._chains.get(prompt.after, ()), *prompt.said]
        scope = content_hash(f"{key}\0{model}\0{prompt.scope}".encode("utf-8", "replace"))
        least = next((number for word, number in LEASTS if word in model), LEAST)
        if prompt.kind == "marked":
            return self._marked(blocks, scope, least)
        if prompt.kind == "steps":
            return self._steps(blocks, scope, least)
        return Counted(_tokens(sum(len(block.text) for block in blocks)))

    def answered(self, prompt: Prompt, answer: str, text: str) -> None:
        """An answer that later requests may go on from, by its id."""
        before = self._chains.get(prompt.after, [])
        self._chains[answer] = [*before, *prompt.said, Block(text)]
        if len(self._chains) > CHAINS:
            self._chains.popitem(last=False)

    def _marked(self, blocks: list[Block], scope: bytes, least: int) -> Counted:
        hashes = [*_chain((block.text for block in blocks), scope)]
        ends = [_tokens(size) for size in accumulate(len(block.text) for block in blocks)]
        total = ends[-1] if ends else 1
        marks = [at for at, block in enumerate(blocks) if block.mark]
        found = self._found(hashes, marks)
        read = ends[found] if found is not None else 0
        written = 0
        for at in marks:
            if ends[at] >= least and (found is None or at > found):
                self._write(hashes[at], blocks[at].mark)
                written = ends[at] - read
        return Counted(total, read, written)

    def _found(self, hashes: list[bytes], marks: list[int]) -> int | None:
        for mark in reversed(marks):
            for at in range(mark, max(-1, mark - LOOK_BACK - 1), -1):
                if self._alive(hashes[at]):
                    return at
        return None

    def _steps(self, blocks: list[Block], scope: bytes, least: int) -> Counted:
        text = "".join(block.text for block in blocks)
        size = STEP * CHARACTERS
        whole = range(0, len(text) // size * size, size)
        read = 0
        reading = True
        for number, key in enumerate(_chain((text[at : at + size] for at in whole), scope), 1):
            reading = reading and self._alive(key)
            read = number if reading else read
            self._write(key, ITSELF)
        tokens = read * STEP
        return Counted(_tokens(len(text)), tokens if tokens >= least else 0)

    def _alive(self, key: bytes) -> bool:
        """It lives on from this use."""
        entry = self._entries.get(key)
        now = self._clock()
        if entry is None or entry.until < now:
            return False
        entry.until = now + entry.life
        return True

    def _write(self, key: bytes, life: float) -> None:
        self._entries[key] = _Entry(self._clock() + life, life)
        self._entries.move_to_end(key)
        if len(self._entries) > MOST:
            self._entries.popitem(last=False)


def _chain(pieces: Iterator[str], scope: bytes) -> Iterator[bytes]:
    """The hash of each beginning."""
    before = scope
    for piece in pieces:
        before = content_hash(before + piece.encode("utf-8", "replace"))
        yield before


def _tokens(characters: int) -> int:
    return max(1, characters // CHARACTERS)
