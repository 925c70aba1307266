"""From the commit of a row to that row on screen: llmproxy's TUI on a real Postgres, under load.

    python -m benchmarks.tui_latency [--rate 50] [--seconds 20] [--kept 2000]

A second process writes flows through `store.writer.Writer`: each begins, and ends 200 ms later, in
a transaction of its own with its NOTIFY. The app runs headless at 140x40; a row counts as seen
when its line is drawn in the state that was committed. Prints JSON with milliseconds.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import uuid_utils.compat
from rich.style import Style
from textual.strip import Strip

from llmproxy_core.config import Config
from llmproxy_core.home import Home, private_folder
from llmproxy_core.store.batch import Batch
from llmproxy_core.store.call_rows import RequestRow, ResponseRow, SessionDelta
from llmproxy_core.store.flows import Flow
from llmproxy_core.store.migrate import open_store
from llmproxy_core.store.writer import Writer
from llmproxy_core.tui.app import LlmproxyApp
from llmproxy_core.tui.source import StoreSource
from llmproxy_core.tui.start import spare_pauses
from llmproxy_core.tui.widgets.painter import RowPainter

HOLD = 0.2
HASH = b"\1" * 16
SESSION = uuid_utils.compat.uuid7()


def a_request() -> RequestRow:
    return RequestRow(
        ns_id=1, id=uuid_utils.compat.uuid7(), session_id=SESSION, started_at=datetime.now(UTC),
        client="127.0.0.1:50000", user_agent="claude-cli/2.1.4", proxy_user=None, credential=None,
        provider="anthropic", wire="anthropic.messages", scheme="https", host="api.anthropic.com",
        port=443, method="POST", path="/v1/messages", http_version="HTTP/2.0",
        headers=[("content-type", "application/json")], model="claude-opus-4-5", stream=True,
        n_messages=3, tool_names=[], parameters={}, preview="Now run the tests again",
        body=b'{"model": "claude-opus-4-5"}' * 40, body_bytes=1120, body_kept="full",
        hash_in=HASH, hash_out=HASH,
    )  # fmt: skip


def a_response(request: RequestRow) -> ResponseRow:
    return ResponseRow(
        ns_id=1, id=request.id, state="complete", ended_at=datetime.now(UTC), status=200,
        first_byte_ms=90.0, first_token_ms=120.0, duration_ms=HOLD * 1000, model=request.model,
        text="All of them pass now. " * 20, input_tokens=1200, output_tokens=90, cached_tokens=1000,
        cost_usd=Decimal("0.0021"), body=b"data: {}\n\n" * 50, body_bytes=500,
    )  # fmt: skip


def a_session(at: datetime) -> SessionDelta:
    return SessionDelta(
        1, SESSION, "bench", "x-session-id", "127.0.0.1", None, "anthropic", None, "Bench", at, 1, 1
    )


def fill(writer: Writer, count: int) -> None:
    """History, so that the table is as long as it gets."""
    for _ in range(0, count, 500):
        requests = [a_request() for _ in range(500)]
        writer.write(Batch(requests=requests, responses=[a_response(r) for r in requests]))


def write(home: Home, rate: float, seconds: float) -> None:
    """The second process: prints `id state nanoseconds` for every commit."""
    with open_store(Config(), home, "bench") as database:
        writer = Writer(database)
        running: list[tuple[float, RequestRow]] = []
        begin = next_start = time.monotonic()
        while (now := time.monotonic()) < begin + seconds or running:
            if running and running[0][0] <= now:
                request = running.pop(0)[1]
                writer.write(
                    Batch(responses=[a_response(request)], sessions=[a_session(datetime.now(UTC))])
                )
                print(request.id, "complete", time.time_ns(), flush=True)
            elif next_start <= now and now < begin + seconds:
                request = a_request()
                writer.write(Batch(requests=[request]))
                print(request.id, "open", time.time_ns(), flush=True)
                running.append((time.monotonic() + HOLD, request))
                next_start += 1 / rate
            else:
                time.sleep(0.001)


def watch_lines(
    seen: dict[tuple[Any, str], int], key: Callable[[Flow], Any] = lambda row: row.id
) -> None:
    """Note when a row, known by its `key`, is drawn for the first time in each state."""
    draw: Any = RowPainter.paint_over

    def noting(self: RowPainter[Any], row: Any, over: Style) -> Strip:
        strip: Strip = draw(self, row, over)
        if isinstance(row, Flow):
            seen.setdefault((key(row), row.state), time.time_ns())
        return strip

    RowPainter.paint_over = noting  # type: ignore[method-assign]


async def measure(home: Home, rate: float, seconds: float) -> dict[str, Any]:
    spare_pauses()
    seen: dict[tuple[Any, str], int] = {}
    watch_lines(seen)
    app = LlmproxyApp(StoreSource(lambda: open_store(Config(), home, "bench"), home.path), home)
    command = [sys.executable, "-m", "benchmarks.tui_latency", "--write", str(home.path)]
    async with app.run_test(size=(140, 40)) as pilot:
        while app.hub.feed.link != "up":
            await pilot.pause(0.1)
        await pilot.pause(1)
        cpu, wall = time.process_time(), time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, "--rate", str(rate), "--seconds", str(seconds), stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
        await asyncio.sleep(1)
        load = (time.process_time() - cpu) / (time.monotonic() - wall)
    app.hub.feed.join(5)
    return report(out.decode().splitlines(), seen) | {"tui_cpu": round(load, 3)}


def report(commits: list[str], seen: dict[tuple[Any, str], int]) -> dict[str, Any]:
    waits: list[float] = []
    missed = 0
    for line in commits:
        id, state, at = line.split()
        shown = seen.get((UUID(id) if "-" in id else id, state))
        if shown is None:
            missed += 1
        else:
            waits.append((shown - int(at)) / 1e6)
    waits.sort()
    quantile = lambda q: round(waits[min(len(waits) - 1, int(q * len(waits)))], 1)  # noqa: E731
    return {
        "commits": len(commits),
        "never_drawn": missed,
        "p50_ms": quantile(0.5),
        "p90_ms": quantile(0.9),
        "p99_ms": quantile(0.99),
        "max_ms": round(waits[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=50, help="flows a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kept", type=int, default=2000, help="rows that are there before")
    parser.add_argument("--write", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(Home(Path(options.write)), options.rate, options.seconds)
        return
    with tempfile.TemporaryDirectory(prefix="llmproxy-bench-") as folder:
        home = Home(Path(folder))
        private_folder(home.spool)
        with open_store(Config(), home, "bench") as database:
            fill(Writer(database), options.kept)
            found = asyncio.run(measure(home, options.rate, options.seconds))
    print(json.dumps({"rate": options.rate, "kept": options.kept} | found))


if __name__ == "__main__":
    main()
