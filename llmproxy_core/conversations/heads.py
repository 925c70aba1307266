"""The heads of earlier requests: in memory the latest, in the store all of them."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from llmproxy_core.conversations.node import Node
from llmproxy_core.conversations.recall import Recall
from llmproxy_core.hashing import Hash

REMEMBERED = 20_000
"""Heads in memory: about 15 MB."""
LAST = 16
"""Prefixes that are asked for first: a turn adds an answer and the results of its tool calls."""
MOST = 512
MAX_KNOWN = 300_000
SHIFT = 25
BITS = 1 << SHIFT
"""Of the filter: 4 MB, one wrong guess in 3,000 for as many heads."""
MASK = BITS - 1


SAME = 16
"""Requests with one head that are remembered: the latest, and the first of them."""


class Filter:
    """Which heads may be in the store: never leaves out one that is (a Bloom filter)."""

    def __init__(self, heads: Iterable[Hash] = ()) -> None:
        self._bits = bytearray(BITS // 8)
        for head in heads:
            self.add(head)

    def add(self, head: Hash) -> None:
        bits, number = self._bits, int.from_bytes(head[:8])
        for place in (number & MASK, number >> SHIFT & MASK):
            bits[place >> 3] |= 1 << (place & 7)

    def among(self, heads: Sequence[Hash]) -> list[Hash]:
        """Those of `heads` that may be there; a third of a microsecond each."""
        bits, read = self._bits, int.from_bytes
        found = []
        for head in heads:
            number = read(head[:8])
            place = number & MASK
            if bits[place >> 3] >> (place & 7) & 1:
                place = number >> SHIFT & MASK
                if bits[place >> 3] >> (place & 7) & 1:
                    found.append(head)
        return found


class Heads:
    """Finds the requests whose head is a prefix hash. Raises DatabaseUnavailable."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._nodes: OrderedDict[tuple[int, Hash], list[Node]] = OrderedDict()
        self._filters: dict[int, Filter | None] = {}

    def at(self, ns_id: int, head: Hash) -> list[Node]:
        """The requests with this head, in memory."""
        return self._nodes.get((ns_id, head), [])

    def longest(self, ns_id: int, prefixes: Sequence[Hash]) -> list[Node]:
        """The requests whose head is the longest of `prefixes` that any has; all have one head."""
        nodes = self._nodes
        for prefix in reversed(prefixes):
            if found := nodes.get((ns_id, prefix)):
                return found
        last, before = prefixes[-LAST:], prefixes[-MOST:-LAST]
        return self.stored(ns_id, last) or self.stored(ns_id, before)

    def stored(self, ns_id: int, prefixes: Sequence[Hash]) -> list[Node]:
        """As `longest`, of what is in the store; asked only where there may be something."""
        if not prefixes:
            return []
        known = self._filter(ns_id)
        asked = prefixes if known is None else known.among(prefixes)
        if not asked:
            return []
        heads = set()
        for node in self._recall.nodes_by_heads(ns_id, asked):
            heads.add(self.add(node).head)
        longest = next((prefix for prefix in reversed(asked) if prefix in heads), b"")
        return self.at(ns_id, longest)

    def add(self, node: Node) -> Node:
        """Remember a request; returns the one that is remembered already, if it is."""
        key = (node.ns_id, node.head)
        nodes = self._nodes.get(key)
        if nodes is None:
            self._nodes[key] = [node]
            if len(self._nodes) > REMEMBERED:
                self._nodes.popitem(last=False)
        else:
            for known in nodes:
                if known.id == node.id:
                    return known
            nodes.append(node)
            del nodes[1 : 1 - SAME]
            self._nodes.move_to_end(key)
        if (heads := self._filters.get(node.ns_id)) is not None:
            heads.add(node.head)
        return node

    def _filter(self, ns_id: int) -> Filter | None:
        """None: there are too many heads to know them."""
        if ns_id not in self._filters:
            heads = self._recall.known_heads(ns_id, MAX_KNOWN)
            if heads is None:
                self._filters[ns_id] = None
            else:
                remembered = [head for ns, head in self._nodes if ns == ns_id]
                self._filters[ns_id] = Filter([*heads, *remembered])
        return self._filters[ns_id]
