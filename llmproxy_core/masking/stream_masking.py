"""Masks a stream on its way to the disk, where a secret may come split over many events.

What is forwarded does not wait for it; what is written waits while the end of a text could be the
beginning of a secret (a word, as a rule), and never for more than `channel.LIMIT` characters of a
text and `HELD` bytes of a stream. Events come out whole, in order, as many as went in, and JSON
stays JSON.

Events come in batches, and mostly one is like the one before: then its texts are taken by the shape
that both have, and each text is looked at once a batch.
"""

import re
from collections import deque
from collections.abc import Hashable, Sequence

from llmproxy_core.masking.channel import Channel, Find, Known
from llmproxy_core.masking.held import HeldEvent, HeldRun, Place, Text
from llmproxy_core.masking.json_strings import unescaped
from llmproxy_core.masking.masker import SHORT, Masker, Secret
from llmproxy_core.masking.pieces import Piece, pieces
from llmproxy_core.masking.raw_secrets import RawSecrets
from llmproxy_core.masking.shapes import Shape, Shapes, alike

SHORTEST = 8
"""Bytes of a whole text that can have a secret in it."""
HELD = 2**20
"""Bytes that wait to be written, over which texts count as ended."""
PATIENCE = 64
"""Events after which a text that has not gone on is taken for ended: nobody may say so."""
LARGE = 2**18
"""Bytes of an event over which its texts are not followed into the next."""
BINARY = 1024
"""Bytes of base64 in one event that are no text."""
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]++={0,2}")
CLEAN = 4096
"""Whole strings that are known to have no secret."""


class StreamMasker:
    """`find`: see `channel.Find`. `known`: secrets found before, as in the request. `raw` and
    `shapes`: for `feed_all`. `masked`: marks that were put in so far."""

    def __init__(
        self,
        find: Find,
        masker: Masker,
        known: Sequence[Secret] = (),
        raw: RawSecrets | None = None,
        shapes: Shapes | None = None,
    ) -> None:
        self._find = find
        self._masker = masker
        self._raw = raw
        self._shapes = shapes or Shapes()
        self._known = Known(known)
        self._clean: set[bytes] = set()
        self._channels: dict[Hashable, Channel] = {}
        self._fresh: dict[Channel, None] = {}
        self._events: deque[HeldEvent | HeldRun] = deque()
        self._held = 0
        self._waiting = 0
        self._count = 0
        self.masked = 0

    def feed_all(self, events: Sequence[bytes], side: Hashable = None) -> list[bytes]:
        """The events, masked, that may be written now; where their texts are is found here.
        `side`: who says them, where there are several."""
        at = 0
        while at < len(events):
            at += self._add_run(events, at, side) or self._add_event(events[at], side)
        return self._settled()

    def feed(self, data: bytes, pieces: Sequence[Piece] = ()) -> list[bytes]:
        """An event whose texts are known: `pieces`, in order."""
        if not pieces and not self._events:
            return [data]
        self._hold(data, pieces, None)
        return self._settled()

    def finish(self, cut_off: bool = True) -> list[bytes]:
        """The rest: no more comes. `cut_off`: although it should; then what may be the beginning
        of a secret is masked, too."""
        self._end_all(cut_off)
        return self._written()

    def _add_run(self, events: Sequence[bytes], at: int, side: Hashable) -> int:
        """How many events, from this one on, have one shape and are taken by it."""
        known = self._shapes.find(events[at])
        if known is None:
            return 0
        shape, first = known
        if any(_is_binary(first[one.group]) for one in shape.going):
            return 0
        run = alike(shape, first, events, at)
        if shape.whole and not self._harmless(shape, run):
            return 0
        texts = [self._add_text(one.group, (side, one.channel(first)), run) for one in shape.going]
        self._count += len(run)
        self._waiting += len(run)
        self._held += sum(len(one.string) for one in run)
        self._events.append(HeldRun(run, texts))
        return len(run)

    def _add_text(self, group: int, name: Hashable, run: list[re.Match[bytes]]) -> Text:
        channel = self._channel(name)
        start, channel.fed = channel.end, self._count + len(run)
        raws = [one[group] for one in run]
        joined = b"".join(raws)
        if joined.isascii() and b"\\u" not in joined:
            channel.add(unescaped(joined))
        else:  # halves of a character in two events
            channel.add("".join(map(unescaped, raws)))
        return Text(group, channel, start, channel.end)

    def _harmless(self, shape: Shape, run: list[re.Match[bytes]]) -> bool:
        """Is there no secret in the strings that do not go on?"""
        columns = list(zip(*[one.groups() for one in run], strict=True))
        said = {name + value for group, name in shape.whole for value in set(columns[group - 1])}
        said -= self._clean
        if not said:
            return True
        together = b"\n".join(said)
        if self._secrets_in(together) or self._masker.counted(together, self._known.secrets)[1]:
            return False
        if len(self._clean) > CLEAN:
            self._clean.clear()
        self._clean |= said
        return True

    def _add_event(self, event: bytes, side: Hashable) -> int:
        """One that is like none before, or has a secret in a string that does not go on."""
        found = self._secrets_in(event)
        going = [
            one
            for one in (pieces(event) if len(event) <= LARGE else ())
            if not (one.last or _is_binary(event[one.start : one.end]))
        ]
        if found:
            for secret in found:
                self._learn(secret)
        data, going = self._masked_around(event, going, found)
        if data is event and not found:
            self._shapes.learn(event)
        self._hold(data, going, side, touched=data is not event)
        return 1

    def _secrets_in(self, data: bytes) -> list[Secret]:
        return self._raw.find(data) if self._raw else []

    def _masked_around(
        self, event: bytes, going: list[Piece], found: list[Secret]
    ) -> tuple[bytes, list[Piece]]:
        """All but the texts that go on, masked; and where these are then."""
        secrets = [*found, *self._known.secrets]
        if not secrets:
            return event, going
        kept, at, moved, count = list[bytes](), 0, 0, 0
        where = list[Piece]()
        for piece in (*going, Piece(len(event), len(event), None)):
            around, times = self._masker.counted(event[at : piece.start], secrets)
            moved += len(around) - (piece.start - at)
            count += times
            kept += around, event[piece.start : piece.end]
            at = piece.end
            where.append(piece._replace(start=piece.start + moved, end=piece.end + moved))
        self.masked += count
        return (b"".join(kept), where[:-1]) if count else (event, going)

    def _hold(
        self, data: bytes, pieces: Sequence[Piece], side: Hashable, *, touched: bool = False
    ) -> None:
        self._count += 1
        places = [one for piece in pieces if (one := self._place(data, piece, side))]
        self._events.append(HeldEvent(data, places, touched=touched))
        self._held += len(data)
        self._waiting += 1

    def _place(self, data: bytes, piece: Piece, side: Hashable) -> Place | None:
        name = side, piece.channel
        if piece.last and piece.end - piece.start < SHORTEST and name not in self._channels:
            return None
        channel = self._channel(name)
        start, channel.fed = channel.end, self._count
        channel.add(unescaped(data[piece.start : piece.end]))
        if piece.last:
            self._settle(channel, final=True)
            del self._channels[name], self._fresh[channel]
        return piece.start, piece.end, channel, start, channel.end

    def _channel(self, name: Hashable) -> Channel:
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(self._find, self._known)
        self._fresh[channel] = None
        return channel

    def _settled(self) -> list[bytes]:
        """Look at what is new, and give what can be written."""
        for channel in self._fresh:
            self._settle(channel)
        self._fresh.clear()
        written = self._written()
        if self._held > HELD:
            self._end_all(cut_off=True)
            written += self._written()
        elif self._waiting > PATIENCE and self._end_idle():
            written += self._written()
        return written

    def _settle(self, channel: Channel, final: bool = False, cut_off: bool = False) -> None:
        channel.settle(final, cut_off)
        for mask in channel.masks:
            self._learn(Secret(mask.label, mask.value))

    def _learn(self, secret: Secret) -> None:
        """What a text tells by what stands around it may come again without that."""
        if len(secret.value) >= SHORT and self._known.add(secret):
            self._clean.clear()

    def _end_all(self, cut_off: bool) -> None:
        for channel in self._channels.values():
            self._settle(channel, final=True, cut_off=cut_off)

    def _end_idle(self) -> bool:
        """End the texts for which the first event waits, if they do not go on."""
        idle = [one for one in self._events[0].waits_for if self._count - one.fed > PATIENCE]
        for channel in idle:
            self._settle(channel, final=True, cut_off=True)
        return bool(idle)

    def _written(self) -> list[bytes]:
        written: list[bytes] = []
        while self._events:
            first = self._events[0]
            taken = first.take(self._masker)
            if not taken.events:
                break
            written += taken.events
            self.masked += taken.masked
            self._held -= taken.size
            self._waiting -= len(taken.events)
            if isinstance(first, HeldEvent) or first.empty:
                self._events.popleft()
        return written


def _is_binary(text: bytes) -> bool:
    """Is it sound or a picture, in base64? What is cut of a secret is shorter."""
    return len(text) >= BINARY and BASE64.fullmatch(text) is not None
