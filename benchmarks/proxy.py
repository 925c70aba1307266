"""What our addons cost the proxy: CPU against a pass-through that streams, start, memory.

    python -m benchmarks.proxy [--rounds 5] [--flows 20000]

The baseline is a mitmdump whose only addon sets `flow.response.stream = True`. Both run side by
side against the simulated provider, round by round in alternating order; CPU is user + system of
the mitmdump process alone, from /proc. A ratio is taken inside one round.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from benchmarks import load
from tests.mitm import BIN, Mitmdump, free_port, wait_for

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
BASELINE = "def responseheaders(flow): flow.response.stream = True\n"

PROFILES: dict[str, tuple[str, int, int, str]] = {
    "chat": ("chat", 800, 8, ""),
    "agent": ("agent", 400, 8, ""),
    "sse": ("stream", 24, 4, "chunks=300,delay=5"),
}
"""name -> (kind of body, requests a round, connections, x-simulate)"""


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / TICK


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


@contextmanager
def provider() -> Iterator[Any]:
    """The simulated provider in a process of its own; looks like `Simulator` to `Mitmdump`."""
    command = [sys.executable, "-m", "llmproxy_core.simulator"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        yield SimpleNamespace(
            http_port=urlsplit(told["http"]).port,
            https_port=urlsplit(told["https"]).port,
            ca_file=Path(told["ca_file"]),
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Baseline(Mitmdump):
    """mitmdump without our addons."""

    def __init__(self, folder: Path, *arguments: str, simulator: Any) -> None:
        super().__init__(folder, *arguments, simulator=simulator)
        script = folder / "stream.py"
        script.write_text(BASELINE)
        self.port = free_port()
        rest = self.command[3:]
        rest[rest.index("-p") + 1] = str(self.port)
        self.command = [str(BIN / "mitmdump"), "-s", str(script), *rest]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log
            )
        wait_for(lambda: listens(self.port))


def compare_cpu(ours: Mitmdump, baseline: Mitmdump, rounds: int) -> None:
    print("\nCPU of the proxy process, ms a request, and time to first byte")
    print("profile  baseline    ours  ratio (min-max)    first byte later by  errors")
    for name, (kind, requests, connections, simulate) in PROFILES.items():
        rows = []
        for number in range(rounds + 1):
            pair = [baseline, ours]
            row = {}
            for proxy in pair if number % 2 else reversed(pair):
                before = cpu_seconds(proxy.process.pid)
                count = requests if number else connections
                result = load.run(proxy.port, proxy.trust(), kind, count, connections, simulate)
                spent = cpu_seconds(proxy.process.pid) - before
                row[proxy] = (spent * 1000 / count, result)
            if number:
                rows.append((row[baseline], row[ours]))
        ratios = [b[0] / a[0] for a, b in rows]
        later = statistics.median(b[1].first_byte_p50 - a[1].first_byte_p50 for a, b in rows)
        base, own = (statistics.median(row[i][0] for row in rows) for i in (0, 1))
        errors = sum(a[1].errors + b[1].errors for a, b in rows)
        print(
            f"{name:7}  {base:8.2f}  {own:6.2f}  {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f}-{max(ratios):.2f})  {later:16.2f} ms  {errors:6}"
        )


def measure_memory(ours: Mitmdump, flows: int) -> None:
    load.run(ours.port, ours.trust(), "chat", 1000, 8)
    before = resident_mib(ours.process.pid)
    result = load.run(ours.port, ours.trust(), "chat", flows, 8)
    after = resident_mib(ours.process.pid)
    print(
        f"\nMemory of the proxy over {flows} flows: {before:.1f} -> {after:.1f} MiB "
        f"({after - before:+.1f}), {result.errors} errors"
    )


def measure_start(folder: Path, times: int) -> None:
    """From exec to listening, with a database that exists; and to the first call forwarded."""
    seconds = []
    for _ in range(times):
        port = free_port()
        proxy = Mitmdump(folder, "-p", str(port), worker=True)
        started = time.perf_counter()
        with proxy.log.open("ab") as log:
            proxy.process = subprocess.Popen(
                proxy.command, env=proxy.environment, stdout=log, stderr=log
            )
        wait_for(lambda port=port: listens(port))  # type: ignore[misc]
        seconds.append(time.perf_counter() - started)
        proxy.stop()
    print(
        f"\nStart until listening: median {statistics.median(seconds):.2f} s, {max(seconds):.2f} s at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flows", type=int, default=20_000)
    options = parser.parse_args()
    quiet = ["-q", "--set", "flow_detail=0"]
    with tempfile.TemporaryDirectory(prefix="llmproxy-bench-") as name:
        folder = Path(name)
        with (
            provider() as simulator,
            Mitmdump(folder / "ours", *quiet, simulator=simulator, worker=True) as ours,
            Baseline(folder / "baseline", *quiet, simulator=simulator) as baseline,
        ):
            compare_cpu(ours, baseline, options.rounds)
            measure_memory(ours, options.flows)
        measure_start(folder / "ours", 5)


if __name__ == "__main__":
    main()
