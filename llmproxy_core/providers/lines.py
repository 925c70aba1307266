"""JSON texts, one a line (NDJSON): Ollama and Cohere's first version stream them."""

LIMIT = 32 * 2**20


class LineReader:
    """Bytes in any cuts -> lines, as soon as they are whole, blank ones too.

    A line ends with a newline; a carriage return before it stays. `LIMIT` bytes are held at most:
    of a line above it nothing is left, and it is counted in `dropped`.
    """

    __slots__ = ("_held", "_pieces", "dropped")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self.dropped = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes."""
        *ends, rest = chunk.split(b"\n")
        lines = []
        for end in ends:
            self._hold(end)
            lines.append(self.finish())
        self._hold(rest)
        return lines

    def finish(self) -> bytes:
        """The line that was begun, without its end."""
        line = b"".join(self._pieces)
        self.dropped += self._held > LIMIT
        self._pieces.clear()
        self._held = 0
        return line

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > LIMIT:
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)
