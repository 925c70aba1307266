"""The ids of answers that later requests name, and of those that are fetched later by them."""

import re

NAMED_LATER = {"resp": "openai.responses", "msgbatch": "anthropic.batches"}
"""How such ids begin, and the format in which their answers are fetched."""
ID = re.compile(rb'"id"\s*+:\s*+"((?:resp|msgbatch)_[\w-]{1,256})"')
IN_PATH = re.compile(r"/((resp|msgbatch)_[\w-]{1,256})(?=[/?]|$)")
HEAD = 4096
LATER = frozenset({*NAMED_LATER.values(), "openai.responses.compact"})


class AnswerId:
    """Looks for the id near the beginning of an answer. `looking`: may it still come?"""

    __slots__ = ("_head", "looking", "value")

    def __init__(self, wire: str) -> None:
        self.looking = wire in LATER
        self.value = ""
        self._head = b""

    def look(self, data: bytes) -> None:
        if not self.looking:
            return
        self._head = (self._head + data[:HEAD])[:HEAD]
        if found := ID.search(self._head):
            self.value = found[1].decode()
        self.looking = not found and len(self._head) < HEAD


def fetched(path: str) -> tuple[str, str] | None:
    """The id of the answer that is fetched by a path, and its format."""
    found = IN_PATH.search(path)
    return (found[1], NAMED_LATER[found[2]]) if found else None
