"""The FIFO by which a proxy wakes the worker."""

import os
from pathlib import Path


def open_wake(path: Path) -> int:
    """The FIFO, opened for both directions so that neither end waits for the other; -1: none."""
    try:
        if not path.exists():
            os.mkfifo(path, 0o600)
    except FileExistsError:
        pass
    except OSError:
        return -1  # a file system without FIFOs: the worker looks by itself, four times a second
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


class Wake:
    """The worker's end of the FIFO."""

    def __init__(self, spool: Path) -> None:
        self.descriptor = open_wake(spool / "wake")

    def drain(self) -> None:
        if self.descriptor >= 0:
            try:
                while len(os.read(self.descriptor, 65536)) == 65536:
                    pass
            except BlockingIOError:
                pass

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
