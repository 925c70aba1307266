"""A file of lines that several processes append to. Fails open: what cannot be written is not."""

import os
from contextlib import suppress
from pathlib import Path

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Appended:
    """`file`: None: nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._fd: int | None = None
        self._torn = False
        """Does it end within a line, as after a crash or on a full disk?"""

    def lines(self) -> list[bytes]:
        """All that there are; the last one may be cut off. None where it cannot be read."""
        if self._file is None:
            return []
        try:
            found = self._file.read_bytes().split(b"\n")
        except OSError:
            return []
        self._torn = bool(found[-1])
        return found if self._torn else found[:-1]

    def append(self, line: bytes) -> None:
        """`line`: with its end."""
        if self._file is None:
            return
        with suppress(OSError):
            if self._fd is not None and not os.fstat(self._fd).st_nlink:
                self._anew()  # another process has put a new file in its place
            if self._fd is None:
                self._fd = os.open(self._file, FLAGS, 0o600)
            line = b"\n" + line if self._torn else line
            self._torn = os.write(self._fd, line) < len(line)

    def move(self, to: Path) -> None:
        """A new file begins with the next line."""
        with suppress(OSError):
            if self._file is not None:
                self._file.replace(to)
                self._anew()

    def _anew(self) -> None:
        self.close()
        self._torn = False

    def close(self) -> None:
        """The next line opens it again."""
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
