"""Which prefix a conversation began with: it keeps it, so that the provider's cache stays good.

Kept in memory and in `prefixes` in the home, a line for each conversation with tools:
`KEY DAY PREFIX NAMES`, where NAMES are the shortened ones as JSON, mostly none, and PREFIX is
followed by `+` if texts have it, too. A line is appended when a conversation begins; what is older
than `DAYS` is dropped when a proxy starts.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from llmproxy_core.appended import Appended
from llmproxy_core.hashing import content_hash
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.opening import Opening

MOST = 200_000
"""Conversations that are remembered, the latest."""
IN_TEXTS = "+"
"""After a prefix, which has no such character: names within texts have it, too."""
DAYS = 30
DAY = 86_400

_names = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Begun:
    """How a conversation began; `shortened` as in `Naming`, for what is answered later."""

    prefix: str
    shortened: dict[str, str] = field(default_factory=dict)

    @property
    def naming(self) -> Naming:
        """For what is answered later."""
        return Naming(self.prefix.removesuffix(IN_TEXTS), shortened=self.shortened)


class Sticky:
    """Of one proxy. Fails open: what cannot be written is only remembered as long as it runs."""

    def __init__(self, file: Path | None) -> None:
        """`file`: None: nothing is kept beyond this process."""
        self._file = file
        self._known: OrderedDict[bytes, Begun] = OrderedDict()
        self._kept = Appended(file)
        self._load(int(time.time() // DAY))

    def known(self, opening: Opening, now: str) -> str | None:
        """The prefix of a conversation that has begun; `now`: of its namespace."""
        found = (self._begun(key, now) for key in opening.keys)
        return next((begun.prefix for begun in found if begun is not None), None)

    def prefix(self, opening: Opening, now: str, signed: Callable[[], bool]) -> str:
        """The prefix for a request; `now`: of its namespace. `signed`: has it a provider's
        signatures, which were made over the names that it saw?"""
        if opening.begins:
            self._begin(opening.keys[0], Begun(now))
            return now
        for key in opening.keys:
            if (begun := self._begun(key, now)) is not None:
                if key != opening.keys[0]:
                    self.put(opening.keys[0], begun)
                return begun.prefix
        began = "" if opening.elsewhere or signed() else now
        if not opening.elsewhere:
            self.put(opening.keys[0], Begun(began))
        return began

    def get(self, key: bytes) -> Begun | None:
        begun = self._known.get(key)
        if begun is not None:
            self._known.move_to_end(key)
        return begun

    def put(self, key: bytes, begun: Begun) -> None:
        if self._known.get(key) == begun:
            self._known.move_to_end(key)
            return
        self._remember(key, begun)
        self._kept.append(_line(key, int(time.time() // DAY), begun))

    def close(self) -> None:
        self._kept.close()

    def _begin(self, key: bytes, begun: Begun) -> None:
        """Conversations of several namespaces may begin with the same words: each is kept then."""
        other = self.get(key)
        if other is not None and other.prefix != begun.prefix:
            self.put(_under(key, other.prefix), other)
            self.put(_under(key, begun.prefix), begun)
        self.put(key, begun)

    def _begun(self, key: bytes, now: str) -> Begun | None:
        """Of those that began alike, the one in this namespace, else the latest."""
        begun = self.get(key)
        if begun is None or begun.prefix == now:
            return begun
        return self.get(_under(key, now)) or begun

    def _remember(self, key: bytes, begun: Begun) -> None:
        self._known[key] = begun
        self._known.move_to_end(key)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _load(self, today: int) -> None:
        lines, old = self._kept.lines(), 0
        for line in lines:
            read = _read(line)
            if read is not None and read[1] > today - DAYS:
                self._remember(read[0], read[2])
            elif line:
                old += 1
        if self._file is not None and old + len(lines) > 2 * len(self._known) + 1000:
            self._rewrite(self._file, today)

    def _rewrite(self, file: Path, today: int) -> None:
        """Fails open: the file stays as long as it is."""
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        lines = [_line(key, today, begun) for key, begun in self._known.items()]
        with suppress(OSError):
            fresh.touch(0o600)
            fresh.write_bytes(b"".join(lines))
            fresh.replace(file)


def _under(key: bytes, prefix: str) -> bytes:
    return content_hash(key + prefix.encode())


def _line(key: bytes, day: int, begun: Begun) -> bytes:
    names = msgspec.json.encode(begun.shortened).decode() if begun.shortened else ""
    return f"{key.hex()} {day} {begun.prefix} {names}\n".encode()


def _read(line: bytes) -> tuple[bytes, int, Begun] | None:
    """None: it is damaged, as the last line may be after a crash."""
    parts = line.split(b" ", 3)
    try:
        key, day, prefix, names = bytes.fromhex(parts[0].decode()), *parts[1:]
        return key, int(day), Begun(prefix.decode(), _names.decode(names) if names else {})
    except (ValueError, msgspec.MsgspecError, TypeError):
        return None
