"""Answers of late, by what they say: a compacted conversation begins with a summary, or goes on
from an answer without what was before it."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from operator import itemgetter

from llmproxy_core.conversations.node import Client, Node
from llmproxy_core.conversations.words import sentences
from llmproxy_core.hashing import Hash
from llmproxy_core.model import Response

COMPACTION = "compaction"
"""How parts begin that stand for what was left out."""
REMEMBERED = 20_000
"""Sentences, and answers."""
UNREAD = 64
"""Answers of a machine, the latest, in which summaries are looked for."""
MACHINES = 256
SUMMARY = 120
"""Characters of an answer that may be a summary."""
LONGEST = 200_000
"""Characters of it that are remembered."""
TELLING = 40
"""Characters of an answer that is no other's."""
ENOUGH = 100
"""Characters of an answer that must stand in a text."""
SEARCHED = 400
"""Sentences of a text that are looked at."""


class Sayings:
    def __init__(self) -> None:
        self._sentences: OrderedDict[tuple[Client, Hash], Node] = OrderedDict()
        self._unread: OrderedDict[Client, deque[tuple[Node, str]]] = OrderedDict()
        self._answers: OrderedDict[tuple[Client, Hash], Node] = OrderedDict()
        self._items: OrderedDict[tuple[Client, str], Node] = OrderedDict()

    def add(self, node: Node, machine: Client, response: Response) -> None:
        """An answer of which `node.answer` is known."""
        text = response.text
        if node.answer and (response.tool_calls or len(text) >= TELLING):
            _remember(self._answers, (machine, node.answer[-1]), node)
        if len(text) >= SUMMARY and node.spoken:
            self._unread.setdefault(machine, deque(maxlen=UNREAD)).append((node, text[:LONGEST]))
            if len(self._unread) > MACHINES:
                self._unread.popitem(last=False)
        for part in response.parts:
            if part.kind == "other" and part.text.startswith(COMPACTION) and part.id:
                _remember(self._items, (machine, part.id), node)

    def answered(self, machine: Client, hashes: Sequence[Hash]) -> Node | None:
        """The request to which one of these messages was the answer: the latest."""
        for hash in reversed(hashes):
            if node := self._answers.get((machine, hash)):
                return node
        return None

    def summarised(self, machine: Client, texts: Sequence[str]) -> Node | None:
        """The request whose answer stands in these texts, in more than a sentence or two."""
        if sum(map(len, texts)) < ENOUGH:
            return None
        self._read(machine)
        if not self._sentences:
            return None
        found: dict[int, tuple[int, Node]] = {}
        for text in texts:
            for sentence, length in sentences(text, SEARCHED):
                if node := self._sentences.get((machine, sentence)):
                    found[id(node)] = found.get(id(node), (0, node))[0] + length, node
        length, best = max(found.values(), key=itemgetter(0), default=(0, None))
        return best if length >= ENOUGH else None

    def _read(self, machine: Client) -> None:
        """Only where somebody asks: few answers are summaries."""
        for node, text in self._unread.pop(machine, ()):
            for sentence, _ in sentences(text):
                _remember(self._sentences, (machine, sentence), node)

    def item(self, machine: Client, ids: Sequence[str]) -> Node | None:
        """The request whose answer held a `compaction` item with one of these ids."""
        found = (self._items.get((machine, id)) for id in ids)
        return next((node for node in found if node is not None), None)


def _remember[K](table: OrderedDict[K, Node], key: K, node: Node) -> None:
    table[key] = node
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
