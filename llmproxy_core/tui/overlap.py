"""Where a page of the newest lines of the store meets the lines that are here already."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class Line(Protocol):
    """Lists have the highest id, a uuidv7, first."""

    @property
    def id(self) -> UUID: ...


def below[Row: Line](page: Sequence[Row], lines: Sequence[Row]) -> list[Row]:
    """The lines that go on where the page ends. None if it ends above all of them: there may be
    others in between."""
    if not page or not lines or page[-1].id > lines[0].id:
        return []
    return [line for line in lines if line.id < page[-1].id]
