"""Server-sent events as text of the same length in which only their data are not blank.

So a walker reads the JSON of an event where it stands, be it on several lines.
"""

from typing import NamedTuple

FIELD = b"data:"


class Segment(NamedTuple):
    """`ends`: the event, or the line of NDJSON, is over after this."""

    text: bytes
    ends: bool


class Blanker:
    """Bytes in any cuts -> segments; up to four bytes wait until their field is known.

    With `lines` every line is data, and an event of its own.
    """

    __slots__ = ("_after_cr", "_data", "_lines", "_start")

    def __init__(self, lines: bool) -> None:
        self._lines = lines
        self._data: bool | None = None
        """Is the line that has begun data? None: at the start of a line."""
        self._start = b""
        self._after_cr = False

    def feed(self, data: bytes) -> list[Segment]:
        segments: list[Segment] = []
        text: list[bytes] = []
        data, self._start = self._start + data, b""
        for line in data.splitlines(keepends=True):
            ended = line[-1:] in b"\r\n"
            if self._data is None and not ended and self._waits(line):
                self._start = line
                break
            blank = self._blank(line)
            text.append(self._visible(line))
            self._data = None if ended else self._data
            self._after_cr = line[-1:] == b"\r"
            if blank or (self._lines and ended):
                segments.append(Segment(b"".join(text), ends=True))
                text = []
        if text:
            segments.append(Segment(b"".join(text), ends=False))
        return segments

    @property
    def waits(self) -> bool:
        """Has a line begun whose field is not known?"""
        return bool(self._start)

    def _waits(self, line: bytes) -> bool:
        return not self._lines and len(line) < len(FIELD) and FIELD.startswith(line)

    def _blank(self, line: bytes) -> bool:
        """Does the line end an event? The newline after a carriage return is none of its own."""
        if self._data is not None or (self._after_cr and line == b"\n"):
            return False
        return line in (b"\n", b"\r", b"\r\n")

    def _visible(self, line: bytes) -> bytes:
        if self._lines:
            self._data = True
        elif self._data is None:
            self._data = line.startswith(FIELD)
            if self._data:
                return b" " * len(FIELD) + line[len(FIELD) :]
        return line if self._data else b" " * len(line)
