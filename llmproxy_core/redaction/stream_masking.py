"""Masks a stream on its way to the disk, where a secret may come split over many events.

What is forwarded does not wait for it; what is written waits while the end of a text could be the
beginning of a secret (a word, as a rule), and never for more than `channel.LIMIT` characters of a
text and `HELD` bytes of a stream. Whoever feeds it says where in an event there is text, and to
which text it belongs; events come out whole, in order, as many as went in, and JSON stays JSON.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llmproxy_core.redaction.channel import Channel, Find, Known, Mask
from llmproxy_core.redaction.json_strings import spliced, unescaped
from llmproxy_core.redaction.masking import SHORT, Masker, Secret

SHORTEST = 8
"""Bytes of a whole text that can have a secret in it."""
HELD = 2**20
"""Bytes that wait to be written, over which texts count as ended."""
PATIENCE = 64
"""Events after which a text that has not gone on is taken for ended: nobody may say so."""


class Piece(NamedTuple):
    """The bytes `start:end` of an event: a JSON string without its quotes.

    `channel`: the text of which it is the next piece, as (choice, block). `last`: that text ends
    here, as it does where an event repeats the whole of a text.
    """

    start: int
    end: int
    channel: Hashable
    last: bool = False


@dataclass(slots=True)
class _Event:
    data: bytes
    pieces: list[tuple[Piece, Channel, int, int]] = field(default_factory=list)
    """With the text's channel, and which characters of it they are."""

    @property
    def settled(self) -> bool:
        return all(channel.settled >= end for _, channel, _, end in self.pieces)


class StreamMasker:
    """`find`: see `channel.Find`. `known`: secrets found before, as in the request."""

    def __init__(self, find: Find, masker: Masker, known: Sequence[Secret] = ()) -> None:
        self._find = find
        self._masker = masker
        self._known = Known(known)
        self._channels: dict[Hashable, Channel] = {}
        self._events: deque[_Event] = deque()
        self._held = 0
        self._count = 0

    def feed(self, data: bytes, pieces: Sequence[Piece] = ()) -> list[bytes]:
        """The events, masked, that may be written now. `pieces` in order."""
        if not pieces and not self._events:
            return [data]
        event = _Event(data)
        self._count += 1
        for piece in pieces:
            self._add(event, piece)
        self._events.append(event)
        self._held += len(data)
        written = self._written()
        if self._held > HELD:
            self._end_all(cut_off=True)
            written += self._written()
        elif len(self._events) > PATIENCE and self._end_idle():
            written += self._written()
        return written

    def finish(self, cut_off: bool = True) -> list[bytes]:
        """The rest: no more comes. `cut_off`: although it should; then what may be the beginning
        of a secret is masked, too."""
        self._end_all(cut_off)
        return self._written()

    def _add(self, event: _Event, piece: Piece) -> None:
        channel = self._channels.get(piece.channel)
        if channel is None and piece.last and piece.end - piece.start < SHORTEST:
            return
        if channel is None:
            channel = self._channels[piece.channel] = Channel(self._find, self._known)
        start, channel.fed = channel.end, self._count
        channel.add(unescaped(event.data[piece.start : piece.end]))
        event.pieces.append((piece, channel, start, channel.end))
        channel.settle(final=piece.last)
        self._learn(channel)
        if piece.last:
            del self._channels[piece.channel]

    def _learn(self, channel: Channel) -> None:
        """A secret that a text tells by what stands around it may come again without that."""
        for mask in channel.masks:
            if len(mask.value) >= SHORT:
                self._known.add(Secret(mask.label, mask.value))

    def _end_all(self, cut_off: bool) -> None:
        for channel in self._channels.values():
            channel.settle(final=True, cut_off=cut_off)

    def _end_idle(self) -> bool:
        """End the texts for which the first event waits, if they do not go on."""
        waited_for = [one for _, one, _, end in self._events[0].pieces if one.settled < end]
        idle = [one for one in waited_for if self._count - one.fed > PATIENCE]
        for channel in idle:
            channel.settle(final=True, cut_off=True)
        return bool(idle)

    def _written(self) -> list[bytes]:
        written = []
        while self._events and self._events[0].settled:
            event = self._events.popleft()
            self._held -= len(event.data)
            written.append(self._masked(event))
        return written

    def _masked(self, event: _Event) -> bytes:
        data, kept, at = event.data, list[bytes](), 0
        for piece, channel, start, end in event.pieces:
            cuts = [self._cut(mask, start, end) for mask in channel.masks if mask.start < end]
            cuts = [cut for cut in cuts if cut[1] > cut[0]]
            if cuts:
                kept += data[at : piece.start], spliced(data[piece.start : piece.end], cuts)
                at = piece.end
            while channel.masks and channel.masks[0].end <= end:
                channel.masks.pop(0)
        return b"".join([*kept, data[at:]]) if kept else data

    def _cut(self, mask: Mask, start: int, end: int) -> tuple[int, int, str]:
        """The part of a mask that is in a piece; the mark goes where it begins."""
        begins = mask.label and start <= mask.start < end
        mark = self._masker.mark(Secret(mask.label, mask.value)) if begins else ""
        return max(mask.start, start) - start, min(mask.end, end) - start, mark
