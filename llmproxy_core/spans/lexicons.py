"""When a session gets which lexicon: the first one early, another one when much more was said."""

from collections import deque

from llmproxy_core.hashing import content_hash
from llmproxy_core.spans.packing import SHORT, Lexicon

FIRST = 96 * 1024
LATER = 384 * 1024
"""Bytes of new pieces after which there is another one."""
SIZE = 512 * 1024
DEEPEST = 4
"""Lexicons that one after the other need the one before: that many more must be read for a piece."""


class Lexicons:
    """Those of one session. Not thread-safe."""

    def __init__(self) -> None:
        self.current: Lexicon | None = None
        self._recent: deque[tuple[bytes, bytes]] = deque()
        self._size = 0
        self._since = 0
        self._depth = 0

    def add(self, digest: bytes, data: bytes) -> Lexicon | None:
        """A piece was stored. The lexicon from now on, if it is another one: store it, too."""
        if len(data) > SHORT:
            return None
        self._recent.append((digest, data))
        self._size += len(data)
        self._since += len(data)
        while self._size > SIZE:
            self._size -= len(self._recent.popleft()[1])
        if self._since < (LATER if self.current else FIRST):
            return None
        return self._renew()

    def _renew(self) -> Lexicon | None:
        self._since = 0
        if self._depth == DEEPEST:
            self._depth, self.current = 0, None
            self._recent.clear()
            self._size = 0
            return None
        self._depth += 1
        listing = b"".join([digest for digest, _ in self._recent])
        self.current = Lexicon(content_hash(listing), listing, [data for _, data in self._recent])
        return self.current
