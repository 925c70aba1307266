"""Which conversations began in which experiments, and by which keys they are known.

What a conversation is about is decided at its first request: its later ones may look like another
pattern, and still get the same change. In memory, and in a file of the home, a line for each key of
those that are in an experiment: `KEY ROOT SECONDS IDS`, the first two in hex. After `LINES` of them
the file becomes `.old`, in the place of the one before, so that it does not grow for ever; what is
older than `DAYS` is not read again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmproxy_core.appended import Appended
from llmproxy_core.experiments.roots import Root
from llmproxy_core.hashing import Hash
from llmproxy_core.namespace.opening import answer_key
from llmproxy_core.spans.recent import Recent

MOST = 50_000
"""Keys that are remembered, at least: about 28 MB for twice as many."""
LINES = 2 * MOST
"""Of a file: about 10 MB."""
DAYS = 30
DAY = 86_400
AGAIN = 60
"""Seconds after which the same opening is another conversation that begins."""
HASH = 16
UNKNOWN = 0.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """`root`: what arms are drawn from. `begun`: seconds since 1970; 0: its beginning was not seen.
    `experiments`: ids of those that it matched when it began."""

    root: Hash
    begun: float
    experiments: tuple[str, ...] = ()


class Begun:
    """Of one proxy. Fails open: what cannot be written is only remembered as long as it runs."""

    def __init__(self, file: Path | None, now: float) -> None:
        """`file`: None: nothing is kept beyond this process."""
        self._file = file
        self._known: Recent[Hash, Conversation] = Recent(MOST)
        self._kept = Appended(file)
        self._lines = 0
        if file is not None:
            self._load(Appended(_old(file)), now)
            self._load(self._kept, now)

    def find(
        self, known: Root, now: float, matching: Callable[[], tuple[str, ...]]
    ) -> Conversation | None:
        """The conversation of a request. None: it goes on from an answer that is not known.

        `matching`: the ids of the experiments that the request matches; asked where it begins.
        """
        key = known.keys[0]
        found = next((one for name in known.keys if (one := self._known.get(name))), None)
        if known.begins and (found is None or (not known.lasting and found.begun < now - AGAIN)):
            before, found = found, Conversation(known.unit, round(now, 3), matching())
            self._put(key, found, anew=bool(before and before.experiments))
        elif found is None:
            return None if known.elsewhere else Conversation(known.unit, UNKNOWN)
        elif self._known.get(key) is None:
            self._put(key, found)
        return found

    def answered(self, id: str, conversation: Conversation) -> None:
        """An answer was given under an id that later requests may name."""
        key = answer_key(id)
        if conversation.begun != UNKNOWN and self._known.get(key) != conversation:
            self._put(key, conversation)

    def close(self) -> None:
        self._kept.close()
        self._lines = 0

    def _put(self, key: Hash, conversation: Conversation, *, anew: bool = False) -> None:
        """`anew`: the file tells something else of the key."""
        self._known[key] = conversation
        if conversation.experiments or anew:
            self._append(_line(key, conversation))

    def _append(self, line: bytes) -> None:
        if self._file is not None and self._lines >= LINES:
            self._kept.move(_old(self._file))
            self._lines = 0
        self._kept.append(line)
        self._lines += 1

    def _load(self, kept: Appended, now: float) -> None:
        lines = kept.lines()
        self._lines = len(lines)
        for line in lines:
            read = _read(line)
            if read is not None and read[1].begun > now - DAYS * DAY:
                self._known[read[0]] = read[1]


def _old(file: Path) -> Path:
    return file.with_name(f"{file.name}.old")


def _line(key: Hash, one: Conversation) -> bytes:
    ids = ",".join(one.experiments)
    return f"{key.hex()} {one.root.hex()} {one.begun:.3f} {ids}\n".encode()


def _read(line: bytes) -> tuple[Hash, Conversation] | None:
    """None: it is damaged, as the last line may be after a crash."""
    try:
        key, root, begun, ids = line.decode().split(" ")
        experiments = tuple(ids.split(",")) if ids else ()
        found = bytes.fromhex(key), Conversation(bytes.fromhex(root), float(begun), experiments)
    except ValueError:
        return None
    sound = len(found[0]) == len(found[1].root) == HASH and found[1].begun > UNKNOWN
    return found if sound else None
