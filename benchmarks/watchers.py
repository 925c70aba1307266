"""From a commit to a hundred watchers: each has the row of every call, in the state committed.

    python -m benchmarks.watchers [--watchers 100] [--processes 4] [--rate 50] [--seconds 10]

Each watcher is what stands behind a screen: a source and a feed of the TUI, without the drawing
(`benchmarks.tui_latency` measures that). One of them listens for all. A process of its own writes
calls as in `benchmarks.tui_latency`. Prints JSON with milliseconds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from llmproxy_core.config import Config
from llmproxy_core.home import Home, private_folder
from llmproxy_core.store.migrate import open_store
from llmproxy_core.tui.feed import Feed
from llmproxy_core.tui.source import StoreSource

PROGRAM = [sys.executable, "-m", "benchmarks.watchers"]


def watch(home: Home, watchers: int) -> None:
    """Until stdin closes: prints how late each state came to each watcher, by (id, state)."""
    seen: list[dict[tuple[UUID, str], int]] = [{} for _ in range(watchers)]
    feeds: list[Feed] = []

    def waker(number: int):
        def wake() -> None:
            now = time.time_ns()
            for flow in feeds[number].take().flows:
                seen[number].setdefault((flow.id, flow.state), now)

        return wake

    for number in range(watchers):
        source = StoreSource(lambda: open_store(Config(), home, "bench"), home.path)
        feeds.append(Feed(source, waker(number)))
    for feed in feeds:
        feed.start()
    while not all(feed.link == "up" for feed in feeds):
        time.sleep(0.1)
    print("ready", flush=True)
    sys.stdin.read()
    for known in seen:
        print(json.dumps({f"{id} {state}": at for (id, state), at in known.items()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--home", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.home:
        watch(Home(Path(options.home)), options.watchers)
        return
    with tempfile.TemporaryDirectory(prefix="llmproxy-bench-") as folder:
        home = Home(Path(folder))
        private_folder(home.spool)
        with open_store(Config(), home, "bench"):
            print(json.dumps(_measure(home, options)))


def _measure(home: Home, options: argparse.Namespace) -> dict[str, float]:
    share = options.watchers // options.processes
    command = [*PROGRAM, "--home", str(home.path), "--watchers", str(share)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(options.processes)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    load = [sys.executable, "-m", "benchmarks.tui_latency", "--write", str(home.path)]
    load += ["--rate", str(options.rate), "--seconds", str(options.seconds)]
    written = subprocess.run(load, stdout=subprocess.PIPE, text=True, check=True).stdout
    time.sleep(1)
    commits = {" ".join(line.split()[:2]): int(line.split()[2]) for line in written.splitlines()}
    late: list[float] = []
    missed = 0
    for process in processes:
        out, _ = process.communicate()
        for line in out.splitlines():
            seen = json.loads(line)
            late += [(seen[key] - at) / 1e6 for key, at in commits.items() if key in seen]
            missed += sum(key not in seen for key in commits)
    late.sort()
    quantile = lambda q: round(late[min(len(late) - 1, int(q * len(late)))], 1)  # noqa: E731
    return {
        "watchers": share * options.processes,
        "processes": options.processes,
        "commits": len(commits),
        "never_seen": missed,
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
        "max_ms": quantile(1),
    }


if __name__ == "__main__":
    main()
