"""One worker a home: the others wait for their turn."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from llmproxy_core.home import Home
from llmproxy_core.worker.watch import Watch

logger = logging.getLogger(__name__)


@contextmanager
def only_worker(home: Home, watch: Watch) -> Iterator[bool]:
    """Waits until this is the only worker of the home; False if it was told to end before.

    Raises OSError. The lock goes with the process, however it ends.
    """
    descriptor = os.open(home.worker_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        told = False
        while not (held := _try(descriptor)) and not watch.ending:
            if not told:
                logger.info(f"another worker stores what is in {home.path}; waiting for its end")
                told = True
            watch.pause(0.1)
        yield held
    finally:
        os.close(descriptor)


def worker_runs(home: Home) -> bool:
    """Does one of this home hold its lock?"""
    try:
        descriptor = os.open(home.worker_lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
