"""Events that wait to be written until the texts in them are settled, alone or as runs of like ones."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmproxy_core.masking.channel import Channel, Mask
from llmproxy_core.masking.json_strings import spliced, unescaped
from llmproxy_core.masking.logprobs import without_logprobs
from llmproxy_core.masking.masker import Masker, Secret

type Place = tuple[int, int, Channel, int, int]
"""The bytes `start:end` of an event, and which characters of which text they are."""


class Taken(NamedTuple):
    """Events that can be written. `size`: bytes that they had before, `masked`: marks in them."""

    events: list[bytes]
    size: int
    masked: int


NOTHING = Taken([], 0, 0)


class HeldEvent:
    """`touched`: something in it is masked already."""

    __slots__ = ("_data", "_places", "_touched")

    def __init__(self, data: bytes, places: Sequence[Place], *, touched: bool = False) -> None:
        self._data = data
        self._places = places
        self._touched = touched

    @property
    def waits_for(self) -> list[Channel]:
        return [channel for _, _, channel, _, end in self._places if channel.settled < end]

    def take(self, masker: Masker) -> Taken:
        if self.waits_for:
            return NOTHING
        data, masked = _masked(self._data, self._places, masker)
        data = without_logprobs(data) if self._touched else data
        return Taken([data], len(self._data), masked)


class Text(NamedTuple):
    """What a run says in one text: its characters `start:end`. `group`: where it is in a match."""

    group: int
    channel: Channel
    start: int
    end: int


class HeldRun:
    """Events of one shape, as its matches."""

    __slots__ = ("_run", "_texts")

    def __init__(self, run: list[re.Match[bytes]], texts: list[Text]) -> None:
        self._run = run
        self._texts = texts

    @property
    def waits_for(self) -> list[Channel]:
        return [text.channel for text in self._texts if text.channel.settled < text.end]

    @property
    def empty(self) -> bool:
        return not self._run

    def take(self, masker: Masker) -> Taken:
        count = len(self._run)
        for text in self._texts:
            count = self._settled(text, count)
        if not count:
            return NOTHING
        taken, self._run = self._run[:count], self._run[count:]
        before = self._texts
        self._texts = [self._rest(text) for text in before] if self._run else []
        events = [one.string for one in taken]
        size = sum(map(len, events))
        ends = [text.start for text in self._texts] or [text.end for text in before]
        if not any(_is_masked(text.channel, end) for text, end in zip(before, ends, strict=True)):
            return Taken(events, size, 0)
        written = [_masked(*one, masker) for one in _apart(taken, before)]
        return Taken([data for data, _ in written], size, sum(times for _, times in written))

    def _settled(self, text: Text, most: int) -> int:
        """How many of the first events have nothing of the text that is not settled."""
        over, count = text.end - text.channel.settled, len(self._run)
        while over > 0 and count > 0:
            count -= 1
            over -= len(unescaped(self._run[count][text.group]))
        return min(count, most)

    def _rest(self, text: Text) -> Text:
        size = sum(len(unescaped(one[text.group])) for one in self._run)
        return text._replace(start=text.end - size)


def _is_masked(channel: Channel, end: int) -> bool:
    return bool(channel.masks) and channel.masks[0].start < end


def _apart(
    run: list[re.Match[bytes]], texts: list[Text]
) -> Iterable[tuple[bytes, Sequence[Place]]]:
    """The events of a run one by one."""
    at = [text.start for text in texts]
    for one in run:
        places = list[Place]()
        for number, text in enumerate(texts):
            first, at[number] = at[number], at[number] + len(unescaped(one[text.group]))
            places.append((*one.span(text.group), text.channel, first, at[number]))
        yield one.string, places


def _masked(data: bytes, places: Sequence[Place], masker: Masker) -> tuple[bytes, int]:
    """An event with the masks of its texts, which are then done with; and how many begin in it."""
    kept, at, count = list[bytes](), 0, 0
    for start, end, channel, first, last in places:
        cuts = list[tuple[int, int, str]]()
        for mask in channel.masks:
            if mask.start < last and (cut := _cut(mask, first, last, masker))[1] > cut[0]:
                cuts.append(cut)
                count += bool(cut[2])
        if cuts:
            kept += data[at:start], spliced(data[start:end], cuts)
            at = end
        while channel.masks and channel.masks[0].end <= last:
            channel.masks.pop(0)
    return (without_logprobs(b"".join([*kept, data[at:]])) if kept else data), count


def _cut(mask: Mask, first: int, last: int, masker: Masker) -> tuple[int, int, str]:
    """The part of a mask that is in a piece; the mark goes where it begins."""
    begins = mask.label and first <= mask.start < last
    mark = masker.mark(Secret(mask.label, mask.value)) if begins else ""
    return max(mask.start, first) - first, min(mask.end, last) - first, mark
