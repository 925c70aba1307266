"""A tool's name as the client knows it, and as it is sent to the provider.

Sent is the prefix and the name. What is then too long for the provider keeps its head and gets a
hash of all of it: the same on every turn and every machine, as it depends on nothing else.
"""

import re
from base64 import b32encode
from bisect import bisect_left
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Literal

type OnTooLong = Literal["shorten", "skip", "refuse"]

PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
"""What every provider takes at the beginning of a name."""
NAME = re.compile(rb"[A-Za-z0-9_.:/-]{1,1024}")
"""Names of tools. Others are not sent on by any provider, and are left as they are."""
HASH = 12
"""Characters of base32: 60 bits, so that two names of a request hardly ever meet."""


class Naming:
    """The names of one request. Names are bytes as they stand in JSON, without quotes.

    `longest`: characters that the provider takes. `shortened`: what taking off the prefix does not
    undo, from the sent name to the client's. `plain_text`: names within texts are changed, too.
    """

    __slots__ = ("_back", "_in_order", "_prefix", "_sent", "clients", "left_in_texts", "longest",
                 "on_too_long", "owned", "plain_text", "shortened")  # fmt: skip

    def __init__(
        self,
        prefix: str,
        longest: int = 64,
        on_too_long: OnTooLong = "shorten",
        shortened: Mapping[str, str] | None = None,
        plain_text: bool = False,
    ) -> None:
        self._prefix = prefix.encode()
        self.longest = longest
        self.on_too_long = on_too_long
        self.shortened = dict(shortened or {})
        self.clients: frozenset[bytes] = frozenset()
        """Names of tools that the client offers, in this or an earlier frame of a session."""
        self.owned: frozenset[bytes] = frozenset()
        """Names of tools of the provider's own."""
        self.plain_text = plain_text
        self.left_in_texts: frozenset[bytes] = frozenset()
        """Clients' names that texts keep as they are, see `plain_text`."""
        self._sent: dict[bytes, bytes] = {}
        self._in_order: list[bytes] = []
        """The names of `shortened`."""
        self._back = {sent.encode(): name.encode() for sent, name in self.shortened.items()}

    @property
    def prefix(self) -> bytes:
        return self._prefix

    def declare(self, clients: AbstractSet[bytes], owned: AbstractSet[bytes]) -> None:
        """Whose tools there are; of a name that both have, the client's counts."""
        self.clients |= clients
        self.owned = (self.owned | owned) - self.clients

    def send(self, name: bytes) -> bytes | None:
        """The name for the provider; None if another of this request has got it already."""
        sent = self._sent.get(name)
        if sent is None:
            sent = self._prefixed(name)
            if self._back.setdefault(sent, name) != name:
                return None
            self._sent[name] = sent
            stripped = sent.removeprefix(self._prefix)
            if stripped != name:
                self.shortened[sent.decode()] = name.decode()
        return sent

    def restore(self, name: bytes) -> bytes:
        """The client's name, of what the provider says.

        A name that was not sent loses one prefix, if there is more to it; one of the client's own,
        which a model has called without it, stays.
        """
        if (known := self._back.get(name)) is not None:
            return known
        if name in self._sent or name in self.owned or not name.startswith(self._prefix):
            return name
        return name[len(self._prefix) :] or name

    @property
    def names(self) -> int:
        """How many names of the client's tools the request has."""
        return len(self._sent)

    def pairs(self) -> list[tuple[str, str]]:
        """The client's names, each with the one that is sent."""
        return [(name.decode(), sent.decode()) for name, sent in self._sent.items()]

    @property
    def changed(self) -> dict[bytes, bytes]:
        """Of the client's names that are sent as others, which."""
        return {name: sent for name, sent in self._sent.items() if sent != name}

    def knows(self, name: bytes) -> bool:
        """Is it a name of this request, on either side?"""
        return name in self._back or name in self._sent or name in self.owned

    def may_begin(self, start: bytes) -> bool:
        """May it be the start of a name that only its end will tell?"""
        if self._prefix.startswith(start):
            return bool(start)
        if not start.startswith(self._prefix):
            return False
        if len(self._in_order) != len(self.shortened):
            self._in_order = sorted(name.encode() for name in self.shortened)
        at = bisect_left(self._in_order, start)
        return at < len(self._in_order) and self._in_order[at].startswith(start)

    def fits(self, name: bytes) -> bool:
        """Is there room for the prefix?"""
        return len(self._prefix) + len(name) <= self.longest

    def _prefixed(self, name: bytes) -> bytes:
        if self.fits(name):
            return self._prefix + name
        if self.on_too_long == "skip":
            return name
        digest = b32encode(sha256(name).digest())[:HASH].lower()
        head = name[: self.longest - len(self._prefix) - len(digest) - 1]
        return self._prefix + head + b"_" + digest


def client_name(name: str, prefix: str, shortened: Mapping[str, str]) -> str:
    """The client's name of a stored one: see `Naming.restore`."""
    return shortened.get(name) or name.removeprefix(prefix) or name
