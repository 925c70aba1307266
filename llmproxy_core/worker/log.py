"""The worker's log: short lines on standard error, which the proxy leads into `worker.log`."""

import logging
import os
import shutil
import sys
import time
from pathlib import Path

from llmproxy_core.home import Home

LOG_BYTES = 2 * 2**20
FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s worker[%(process)d] %(message)s"


def start() -> None:
    """Send the log of all of llmproxy to standard error. For a process of the worker's own."""
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger = logging.getLogger("llmproxy_core")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def keep_small(home: Home) -> None:
    """Where standard error is `worker.log`, keep LOG_BYTES of it and as much of the older."""
    file = home.worker_log
    try:
        here, there = os.fstat(2), file.stat()
        if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino) or here.st_size < LOG_BYTES:
            return
        shutil.copyfile(file, older := _older(file))
        older.chmod(0o600)
        os.ftruncate(2, 0)  # it was opened for appending: the next line is the first
    except OSError:
        return  # no room for a copy, or no log: nothing to be done about it here


def _older(file: Path) -> Path:
    return file.with_suffix(".log.1")
