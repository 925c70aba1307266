"""What a table shows: columns with a rank, so that a narrow terminal keeps those that matter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, NamedTuple
from uuid import UUID

from rich.cells import cell_len, set_cell_size

type Tone = Literal[
    "text", "dim", "faint", "strong", "good", "warn", "bad", "busy", "accent", "second", "header"
]


class Cell(NamedTuple):
    """One cell: text already made safe (`plain.line`), and the tone it is painted in."""

    text: str
    tone: Tone = "text"


BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Glance:
    """What cells may need beside their row: the time, the spinner, what has streamed so far."""

    now: datetime = BEGINNING
    frame: int = 0
    zone: tzinfo | None = None
    streamed: Mapping[UUID, int] = field(default_factory=dict)
    """Characters of answers that are still being written, by flow id."""
    found: Mapping[UUID, str] = field(default_factory=dict)
    """The worst of what was found, by flow id."""


@dataclass(frozen=True, slots=True)
class Column[Row]:
    """`width` is the least width in cells; `grow` the share of spare room, up to `most`.

    Columns of the lowest `rank` stay longest when there is not room for all. `order`: by what rows
    are sorted by it, the highest first unless `rising`; what is None comes last.
    """

    title: str
    width: int
    rank: int
    cell: Callable[[Row, Glance], Cell]
    right: bool = False
    grow: int = 0
    most: int = 0
    order: Callable[[Row], Any] | None = None
    rising: bool = False


@dataclass(frozen=True, slots=True)
class Sorting[Row]:
    """`by` None: as the rows come. `falling`: the highest first."""

    by: Column[Row] | None = None
    falling: bool = False

    def sort(self, rows: Sequence[Row]) -> Sequence[Row]:
        if self.by is None or self.by.order is None:
            return rows
        order = self.by.order
        known = [row for row in rows if order(row) is not None]
        unknown = [row for row in rows if order(row) is None]
        return sorted(known, key=order, reverse=self.falling) + unknown

    def turned(self, columns: Sequence[Column[Row]], step: int) -> "Sorting[Row]":
        """By the next of the columns that can be sorted by, or one before; behind the last one comes
        the order of the rows."""
        choices = [None, *(column for column in columns if column.order is not None)]
        at = choices.index(self.by) if self.by in choices else 0
        by = choices[(at + step) % len(choices)]
        return Sorting(by, by is not None and not by.rising)

    def inverted(self) -> "Sorting[Row]":
        return Sorting(self.by, not self.falling)

    @property
    def said(self) -> str:
        if self.by is None:
            return "Not sorted"
        return f"Sorted by {self.by.title}, {'falling' if self.falling else 'rising'}"


type Layout[Row] = list[tuple[Column[Row], int]]


def fit[Row](columns: Sequence[Column[Row]], width: int, gap: int = 1) -> Layout[Row]:
    """The columns that have room in `width` cells, each with its width; order is kept."""
    chosen: set[int] = set()
    used = 0
    for index in sorted(range(len(columns)), key=lambda index: columns[index].rank):
        need = columns[index].width + (gap if chosen else 0)
        if used + need > width and chosen:
            break
        chosen.add(index)
        used += need
    widths = {index: columns[index].width for index in chosen}
    _grow(columns, widths, width - used)
    return [(columns[index], widths[index]) for index in sorted(chosen)]


def _grow[Row](columns: Sequence[Column[Row]], widths: dict[int, int], spare: int) -> None:
    """Hand out spare cells by `grow`; where a column reaches its most, the others get its share."""
    while spare > 0:
        growing = [
            i
            for i in widths
            if columns[i].grow and (not columns[i].most or widths[i] < columns[i].most)
        ]
        shares = sum(columns[i].grow for i in growing)
        if not shares:
            return
        before = spare
        for i in growing:
            share = min(spare, max(1, before * columns[i].grow // shares))
            if columns[i].most:
                share = min(share, columns[i].most - widths[i])
            widths[i] += share
            spare -= share


def padded(text: str, width: int, right: bool = False) -> str:
    """`text` in exactly `width` cells, cut with an ellipsis where it is too long."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else "…"[:width]
    return " " * (width - length) + text if right else text + " " * (width - length)
