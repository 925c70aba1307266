"""All prompts of a file or a list at once: learn from all, then tell the pattern of each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from llmproxy_core.patterns.miner import WAITING, Miner
from llmproxy_core.patterns.pattern import Pattern
from llmproxy_core.patterns.shape import shape

ONCE = "once:"
"""Begins the id of a prompt that is of no pattern; prompts of one shape have the same."""
MORE = 2.0
"""Prompts after which patterns are consolidated again, as multiple of those seen before."""


@dataclass(frozen=True, slots=True)
class Mined:
    """Pattern ids in the order of the prompts, and the patterns."""

    assignments: list[str]
    patterns: dict[str, Pattern]


def mine(prompts: Iterable[str]) -> Mined:
    """The patterns of these prompts. One that is of none has an id of its own, see ONCE."""
    texts = list(prompts)
    miner = learned(texts)
    return Mined(list(assigned(miner, texts)), {one.id: one for one in miner.current()})


def learned(texts: Iterable[str], new_id: Callable[[], str] | None = None) -> Miner:
    """A miner that has seen these prompts. Memory does not grow with their number."""
    miner = Miner(new_id=new_id) if new_id else Miner()
    due = WAITING
    for seen, text in enumerate(texts, 1):
        miner.assign(text)
        if seen >= due and miner.fresh:
            miner.consolidate()
            due = int(seen * MORE)
    miner.consolidate()
    return miner


def assigned(miner: Miner, texts: Iterable[str]) -> Iterator[str]:
    """The pattern of each prompt."""
    for text in texts:
        yield miner.find(text) or once(text)


def once(text: str) -> str:
    """The id of a prompt that is of no pattern."""
    digest = blake2b(shape(text).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return ONCE + digest
