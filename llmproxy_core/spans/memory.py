"""The manifests of late: what the next documents are edits of."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from llmproxy_core.spans.cutter import Chunk
from llmproxy_core.spans.items import Item
from llmproxy_core.spans.lexicons import Lexicons

STRIDE = 32
"""Every so many steps a manifest is an edit of the one so many steps before: a chain of n edits is
read in n / STRIDE + STRIDE steps, and no manifest is ever written whole again."""
DEEPEST = 64 * STRIDE
SERVED = 64
"""Documents for which one is the model before there is another."""
RECENT = 8
OUTLINES = 64
SAMPLE = 16
LIMIT = 32 * 2**20
"""Bytes that all manifests may take, about."""
LARGE = 8192
"""Bytes of items from which a manifest is no model: a session may be remembered for long."""
SHARED = 8
"""Of so many bytes of short pieces in a manifest, one is its own; the rest is also in others."""
SESSIONS = 4096
SPEAKERS = 12
"""Sessions that have lexicons: up to 3 MB each."""


@dataclass(slots=True, eq=False)
class Manifest:
    """`depth`: how many edits lead to it. `anchor`: the last one before it at a whole STRIDE."""

    id: UUID
    session_id: UUID
    items: Sequence[Item]
    apart: bool = True
    """Are its long pieces kept apart?"""
    kept: frozenset[Item] = frozenset()
    """Long items that are in no piece."""
    depth: int = 0
    anchor: "Manifest | None" = None
    served: int = 0
    outline: Sequence[Chunk] = ()
    """What the body was cut into; forgotten early."""
    steps: bytes = b""
    """Those of its own edit; kept where it is an anchor, or may be a model."""

    @property
    def weight(self) -> int:
        """Bytes of its items."""
        return sum(map(len, self.items))

    def follow(self, previous: "Manifest | None") -> "Manifest | None":
        """Continue a chain. Gives what this manifest is to be an edit of; None: write it whole."""
        if previous is None or previous.depth + 1 >= DEEPEST:
            return None
        anchor = previous.anchor or previous
        self.depth = previous.depth + 1
        if self.depth % STRIDE == 0:
            return anchor
        self.anchor = anchor
        return previous


@dataclass(slots=True)
class Thread:
    """A session's manifests: the latest of its requests, and models for what stands alone."""

    latest: deque[Manifest] = field(default_factory=lambda: deque(maxlen=RECENT))
    models: dict[str, Manifest] = field(default_factory=dict)

    def outline(self, parent: Manifest | None) -> Sequence[Chunk]:
        """Of the parent's body, or of the last one."""
        if parent is None and self.latest:
            parent = self.latest[-1]
        return parent.outline if parent else ()

    def model(self, side: str, made: Manifest) -> Manifest | None:
        """Of what a document that continues no other is an edit: of the first one, and then of the
        first edit, since edits are like each other."""
        found = self.models.get(side)
        if found is None or found.served >= SERVED:
            if made.weight < LARGE:
                self.models[side] = made
            return None
        if found.depth == 0 and made.weight < LARGE:
            self.models[side] = made
        found.served += 1
        return found

    def most_like(self, items: Sequence[Item]) -> Manifest | None:
        """The one of the latest that has most in common with the items; the last of equals."""
        if len(self.latest) < 2:
            return self.latest[0] if self.latest else None
        known = frozenset(items)
        return max(
            reversed(self.latest),
            key=lambda one: sum(item in known for item in one.items[-SAMPLE:]),
        )


class Memory:
    """Of one namespace and week. Not thread-safe."""

    def __init__(self) -> None:
        self._manifests: OrderedDict[UUID, Manifest] = OrderedDict()
        self._threads: OrderedDict[UUID, Thread] = OrderedDict()
        self._lexicons: OrderedDict[UUID, Lexicons] = OrderedDict()
        self._outlined: deque[Manifest] = deque()
        self._size = 0

    def manifest(self, id: UUID) -> Manifest | None:
        return self._manifests.get(id)

    def thread(self, session: UUID) -> Thread:
        found = self._threads.get(session)
        if found is None:
            found = self._threads[session] = Thread()
            if len(self._threads) > SESSIONS:
                self._threads.popitem(last=False)
        else:
            self._threads.move_to_end(session)
        return found

    def lexicons(self, session: UUID) -> Lexicons:
        found = self._lexicons.pop(session, None) or Lexicons()
        self._lexicons[session] = found
        if len(self._lexicons) > SPEAKERS:
            self._lexicons.popitem(last=False)
        return found

    def add(self, manifest: Manifest) -> None:
        self._manifests[manifest.id] = manifest
        if manifest.outline:
            self._outlined.append(manifest)
            if len(self._outlined) > OUTLINES:
                self._outlined.popleft().outline = ()
        self._size += _size(manifest)
        while self._size > LIMIT:
            self._forget(self._manifests.popitem(last=False)[1])

    def _forget(self, manifest: Manifest) -> None:
        self._size -= _size(manifest)
        thread = self._threads.get(manifest.session_id)
        if thread and manifest in thread.latest:
            thread.latest.remove(manifest)


def _size(manifest: Manifest) -> int:
    """Most items are shared with others, but where all of a body is in them."""
    weight = manifest.weight
    return 400 + 16 * len(manifest.items) + (weight // SHARED if manifest.apart else weight)
