"""From the last byte of an answer to its row on screen, through everything.

    python -m benchmarks.screen [--rate 50] [--seconds 20]

A client in a process of its own makes streamed calls through a real mitmdump with all addons, its
worker and the embedded Postgres; the TUI runs headless at 140x40 in this process. A call counts as
seen when its line is drawn as complete. Prints JSON with milliseconds.
"""

import argparse
import asyncio
import itertools
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from benchmarks.proxy import provider
from benchmarks.tui_latency import report, watch_lines
from llmproxy_core.config import Config
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.migrate import open_store
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource
from llmproxy_core.tui.start import spare_pauses
from tests.mitm import Mitmdump

CONNECTIONS = 25
SIMULATE = "chunks=10,delay=20"


def call(port: int, ca: str, rate: float, seconds: float) -> None:
    """The client: prints `number state nanoseconds` when the last byte of an answer is there."""
    trust = ssl.create_default_context(cafile=ca)
    tickets, start = itertools.count(), time.monotonic()

    def work() -> None:
        link = HTTPSConnection("127.0.0.1", port, context=trust, timeout=30)
        link.set_tunnel("api.openai.com")
        while (number := next(tickets)) < rate * seconds:
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            messages = [{"role": "user", "content": f"call{number}"}]
            body = {"model": "gpt-5", "stream": True, "messages": messages}
            headers = {"content-type": "application/json", "x-simulate": SIMULATE}
            link.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            link.getresponse().read()
            print(f"call{number} complete {time.time_ns()}\n", end="", flush=True)  # in one piece
        link.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def measure(proxy: Mitmdump, rate: float, seconds: float) -> dict[str, Any]:
    spare_pauses()
    seen: dict[tuple[Any, str], int] = {}

    def preview(row: Flow) -> str:
        return row.preview

    watch_lines(seen, preview)
    app = LlmproxyApp(
        StoreSource(lambda: open_store(Config(), proxy.home, "bench"), proxy.home.path), proxy.home
    )
    command = [sys.executable, "-m", "benchmarks.screen", "--call", str(proxy.port), str(proxy.ca)]
    async with app.run_test(size=(140, 40)) as pilot:
        while app.hub.feed.link != "up":
            await pilot.pause(0.1)
        await pilot.pause(1)
        process = await asyncio.create_subprocess_exec(
            *command, "--rate", str(rate), "--seconds", str(seconds), stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
        await asyncio.sleep(1)
    app.hub.feed.join(5)
    return report(out.decode().splitlines(), seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=50, help="calls a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--call", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        port, ca = options.call
        call(int(port), ca, options.rate, options.seconds)
        return
    quiet = ["-q", "--set", "flow_detail=0"]
    with (
        tempfile.TemporaryDirectory(prefix="llmproxy-bench-") as folder,
        provider() as simulator,
        Mitmdump(Path(folder), *quiet, simulator=simulator, worker=True) as proxy,
    ):
        print(json.dumps(asyncio.run(measure(proxy, options.rate, options.seconds))))


if __name__ == "__main__":
    main()
