"""Prefix hashes over the messages of a conversation: c_i = H(c_(i-1), h_i).

System messages and tools are left out, as they change from turn to turn in many programs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import xxhash

from llmproxy_core.conversations import slices
from llmproxy_core.conversations.messages import NOTHING, hash_of
from llmproxy_core.hashing import Hash, content_hash
from llmproxy_core.model import Message

SEED: Hash = content_hash(b"llmproxy conversation 1")
REMEMBERED = 20_000
"""Messages in each of the two halves of the memory: about 8 MB together."""


@dataclass(slots=True)
class Chain:
    """`hashes` of the messages that count, and the prefix hash after each of them.

    `prefixes` begin earlier where the provider itself keeps what was said before. `opening`: how
    many messages come before the first that is an answer.
    """

    hashes: list[Hash]
    prefixes: list[Hash]
    opening: int

    @property
    def head(self) -> Hash:
        return self.prefixes[-1]

    @property
    def spoken(self) -> bool:
        """Is one of the messages an answer?"""
        return self.opening < len(self.hashes)


def extended(base: Hash, hashes: list[Hash]) -> list[Hash]:
    """The prefix hashes after each of `hashes`, where `base` is the one before them."""
    digest = content_hash
    found = []
    for one in hashes:
        base = digest(base + one)
        found.append(base)
    return found


@dataclass(slots=True)
class Chains:
    """Makes chains; a message that was seen before costs a look-up."""

    _young: dict[Hash, Hash] = field(default_factory=dict)
    _old: dict[Hash, Hash] = field(default_factory=dict)

    def of(
        self, wire: str, messages: list[Message], body: bytes, before: Sequence[Hash] = ()
    ) -> Chain | None:
        """The chain of a request, whose `body` is decoded; None: there is nothing in it.

        `before`: the last prefix hashes of what the provider itself keeps of the conversation.
        """
        hashes = self._hashes(wire, messages, slices.messages(body, len(messages)))
        found = [hash for hash in hashes if hash]
        if not found and not before:  # nothing but instructions: they are what is asked
            found = [h for m in messages if (h := hash_of(m, system=True)) != NOTHING]
        prefixes = [*before, *extended(before[-1] if before else SEED, found)]
        return Chain(found, prefixes, _opening(messages, hashes)) if prefixes else None

    def _hashes(self, wire: str, messages: list[Message], raws: slices.Slices | None) -> list[Hash]:
        if raws is None:
            return [hash_of(message) for message in messages]
        seed = xxhash.xxh32_intdigest(wire.encode())
        digest, young = xxhash.xxh3_128_digest, self._young
        found = []
        for message, raw in zip(messages, raws, strict=True):
            view = memoryview(raw)
            key = digest(view, seed)
            hash = young.get(key)
            found.append(self._learn(key, message, view) if hash is None else hash)
        return found

    def _learn(self, key: Hash, message: Message, raw: memoryview) -> Hash:
        hash = self._old.get(key)
        if hash is None:
            hash = hash_of(message, raw.tobytes())
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[key] = hash
        return hash


def _opening(messages: list[Message], hashes: list[Hash]) -> int:
    count = 0
    for message, hash in zip(messages, hashes, strict=True):
        if hash:
            if message.role == "assistant":
                break
            count += 1
    return count
