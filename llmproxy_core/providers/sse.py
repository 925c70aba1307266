"""Server-sent events, as they come off the wire (WHATWG HTML, section 9.2)."""

from typing import NamedTuple

LIMIT = 32 * 2**20
BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """`name` is empty where the stream gave none; `data` joins its lines with newlines."""

    name: bytes
    data: bytes


class EventReader:
    """Bytes in any cuts -> events.

    Comments, `id` and `retry` are skipped, as are events without data. `LIMIT` bytes are held at
    most: an event above it is dropped and counted in `dropped`.
    """

    __slots__ = ("_after_cr", "_data", "_held", "_name", "_size", "_started", "_tail", "dropped")

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0
        self._held = 0
        self._after_cr = False
        self._started = False
        self.dropped = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if not chunk:
            return []
        if self._after_cr and chunk[0] == 10:
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return []
        if b"\n" not in chunk and b"\r" not in chunk:
            self._after_cr = False
            self._hold(chunk)
            return []
        if self._tail:
            self._tail.append(chunk)
            chunk = b"".join(self._tail)
            self._tail.clear()
        self._held = 0
        return self._lines(chunk)

    def finish(self) -> list[Event]:
        """The last event, if the stream ended without the blank line that should close it."""
        last = self._lines(b"".join(self._tail) + b"\n\n")
        self._tail.clear()
        return last

    def _hold(self, chunk: bytes) -> None:
        self._held += len(chunk)
        if self._held <= LIMIT:
            self._tail.append(chunk)
        elif self._tail:
            self._tail.clear()
            self._size = LIMIT + 1

    def _lines(self, text: bytes) -> list[Event]:
        lines = text.splitlines()
        last = text[-1]
        self._after_cr = last == 13
        if last not in (10, 13):
            tail = lines.pop()
            self._tail.append(tail)
            self._held = len(tail)
        if not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(BOM)
        events: list[Event] = []
        for line in lines:
            if not line:
                self._dispatch(events)
            elif line.startswith(b"data:"):
                self._add(line[6:] if line[5:6] == b" " else line[5:])
            else:
                self._field(line)
        return events

    def _add(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size <= LIMIT:
            self._data.append(value)
        else:
            self._data.clear()

    def _field(self, line: bytes) -> None:
        if line == b"data":
            self._add(b"")
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ")

    def _dispatch(self, events: list[Event]) -> None:
        if self._size > LIMIT:
            self.dropped += 1
        elif self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append(Event(self._name, data))
        if self._size or self._data:
            self._data.clear()
            self._size = 0
        self._name = b""
