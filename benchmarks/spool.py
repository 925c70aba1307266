"""What the journal costs the proxy: CPU and time a record, for each way of flushing.

    python -m benchmarks.spool [--records 5000] [--folder FOLDER]

Prints for bodies of 2 KB and 100 KB: CPU µs and wall µs a record of a request, with limits in
force; then the same with an fdatasync after each, as `spool.fsync = "always"` does.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from llmproxy_core.spool import Limits, SpoolWriter
from tests.worker.traffic import Call

LIMITS = Limits(20 * 2**30, 2**30)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    for fsync in ("interval", "always"):
        for size in (2_000, 100_000):
            count = options.records // (1 if size < 10_000 else 5)
            count //= 10 if fsync == "always" else 1
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                _measure(Path(folder), fsync, size, count)


def _measure(folder: Path, fsync: str, size: int, count: int) -> None:
    journal = SpoolWriter(folder, limits=LIMITS)
    record, _ = Call(1).opened()
    body = [os.urandom(size)]

    def append() -> None:
        journal.append(record, body)
        if fsync == "always":
            journal.sync()

    append()
    rounds = [_timed(append, count // 10) for _ in range(10)]
    cpu, wall = (statistics.median(values) for values in zip(*rounds, strict=True))
    journal.close()
    print(f"{fsync:8} {size:>7,} bytes: {cpu:7.1f} µs CPU, {wall:7.1f} µs a record", flush=True)


def _timed(work: Callable[[], None], count: int) -> tuple[float, float]:
    """CPU and wall µs each."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(count):
        work()
    return (
        (time.process_time() - cpu) / count * 1e6,
        (time.perf_counter() - wall) / count * 1e6,
    )


if __name__ == "__main__":
    main()
