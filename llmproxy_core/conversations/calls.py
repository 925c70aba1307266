"""Tool calls of late, by the strings in their arguments: a sub-agent begins with one of them."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from llmproxy_core.conversations.node import Client, Node
from llmproxy_core.conversations.words import key, normal, strings
from llmproxy_core.hashing import Hash
from llmproxy_core.model import ToolCall

REMEMBERED = 8_000_000
"""Characters of strings that are remembered."""
EACH = 256
"""Strings that are remembered of one machine for a search within texts."""
SEARCHED = 200_000
"""Characters of a text in which prompts are looked for."""
SURE = 60
"""Characters that mean a prompt wherever they stand; of a shorter one, a text must have a good
part."""
SHARE = 4


@dataclass(slots=True, eq=False)
class Offer:
    """A string argument of a tool call: perhaps the prompt of a sub-agent."""

    node: Node
    call_id: str
    text: str
    """With single spaces."""
    digest: Hash
    machine: Client

    @property
    def taken(self) -> bool:
        """Is there a sub-agent that carries out the call already?"""
        return self.call_id in self.node.called


class Calls:
    def __init__(self) -> None:
        self._offers: OrderedDict[int, Offer] = OrderedDict()
        self._by_key: dict[tuple[Client, Hash], list[Offer]] = {}
        self._by_machine: OrderedDict[Client, deque[Offer]] = OrderedDict()
        self._characters = 0
        self._number = 0

    def add(self, node: Node, machine: Client, calls: Sequence[ToolCall]) -> None:
        for ordinal, call in enumerate(calls):
            for text in strings(call.arguments):
                self._add(Offer(node, call.id or f"#{ordinal}", normal(text), key(text), machine))

    def exact(self, machine: Client, openings: Sequence[str]) -> Offer | None:
        """A call one of whose strings an opening is. Those that are not taken come first."""
        found = [offer for text in openings for offer in self._equal(machine, text)]
        return next((offer for offer in found if not offer.taken), found[0] if found else None)

    def within(self, machine: Client, openings: Sequence[str]) -> Offer | None:
        """A call one of whose strings stands in an opening: the longest of the free ones."""
        offers = self._by_machine.get(machine)
        if not offers or not openings:
            return None
        text = normal(openings[0][:SEARCHED])
        least = len(text) // SHARE
        found = [
            offer
            for offer in offers
            if (len(offer.text) >= SURE or len(offer.text) >= least)
            and not offer.taken
            and offer.text in text
        ]
        return max(found, key=lambda offer: len(offer.text), default=None)

    def _equal(self, machine: Client, text: str) -> list[Offer]:
        return self._by_key.get((machine, key(text)), []) if self._by_key else []

    def _add(self, offer: Offer) -> None:
        self._number += 1
        self._offers[self._number] = offer
        self._by_key.setdefault((offer.machine, offer.digest), []).append(offer)
        self._by_machine.setdefault(offer.machine, deque(maxlen=EACH)).append(offer)
        self._characters += len(offer.text)
        while self._characters > REMEMBERED:
            self._forget()

    def _forget(self) -> None:
        _, offer = self._offers.popitem(last=False)
        self._characters -= len(offer.text)
        place = (offer.machine, offer.digest)
        self._by_key[place].remove(offer)
        if not self._by_key[place]:
            del self._by_key[place]
        offers = self._by_machine[offer.machine]
        if offers and offers[0] is offer:
            offers.popleft()
        if not offers:
            del self._by_machine[offer.machine]
