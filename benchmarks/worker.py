"""How fast the worker drains a spool, what a call costs it and Postgres, how late a row is.

    python -m benchmarks.worker [--calls 2000] [--seconds 10] [--learning]

Prints for each kind of call: records/s, CPU ms a call in the worker and in Postgres; the same for
calls that come in as they happen, while somebody watches and while nobody does; then, at 50 calls a
second, the time from the append of a call's end to the notification of its row (ms). `--learning`:
instead, what known calls cost with `learning.patterns` off and on, in turns.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from llmproxy_core.config import Config
from llmproxy_core.home import Home, private_folder
from llmproxy_core.spool import SpoolWriter
from llmproxy_core.store.database import Database, open_database
from llmproxy_core.store.migrate import upgrade
from llmproxy_core.store.notify import Change, Listener
from tests.worker.processes import Worker, wait_for
from tests.worker.traffic import NOON, SECOND, Call, append, chat, chat_chunk

NUMBERS = itertools.count(int(time.time()) % 10**6 * 1000, 10**6)
"""Where the numbers of the calls of a run begin: no call may come twice."""
TICKS = os.sysconf("SC_CLK_TCK")


def small(n: int) -> Call:
    """2 KB asked, 1 KB answered."""
    messages = [{"role": "user", "content": f"{n} " + "word " * 380}]
    return Call(
        n, NOON + n * SECOND, hints={"messages": messages}, answer=chat(f"{n} " + "word " * 180)
    )


def known(n: int) -> Call:
    """2 KB asked, 1 KB answered, all of it in texts that were judged before."""
    messages = [{"role": "user", "content": "Go on: " + "word " * 380}]
    answer = chat("It is done: " + "word " * 180)
    hints = {"messages": messages, "seed": n}
    return Call(n, NOON + n * SECOND, hints=hints, answer=answer)


def agent(n: int) -> Call:
    """100 KB asked, 3 KB answered."""
    messages = [
        {"role": ("user", "assistant")[k % 2], "content": f"{n} {k} " + "word " * 330}
        for k in range(60)
    ]
    return Call(
        n, NOON + n * SECOND, hints={"messages": messages}, answer=chat(f"{n} " + "word " * 550)
    )


def streamed(n: int) -> Call:
    """300 events in 30 pieces."""
    pieces = [
        b"".join(chat_chunk(f"{n} word {piece} {k} ") for k in range(10)) for piece in range(30)
    ]
    pieces.append(chat_chunk(None, "stop") + b"data: [DONE]\n\n")
    return Call(n, NOON + n * SECOND, pieces=pieces)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--learning", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        private_folder(home.spool)
        with open_database(Config(), home) as database:
            upgrade(database)
            if options.learning:
                _learning(home, options.calls)
                return
            for kind, share in ((known, 1.0), (small, 1.0), (agent, 0.25), (streamed, 0.25)):
                _drain(home, kind, int(options.calls * share))
            for kind in (small, streamed):
                for watched in (True, False):
                    _as_it_happens(home, database, kind, options.seconds, watched=watched)
            _latency(home, database, options.seconds)


def _learning(home: Home, calls: int) -> None:
    for on in (True, False, True, True, False):
        (home.path / "mitm.toml").write_text(f"[learning]\npatterns = {str(on).lower()}\n")
        print("learning" if on else "not learning", end=": ")
        _drain(home, known, calls)


def _as_it_happens(
    home: Home,
    database: Database,
    kind: Callable[[int], Call],
    seconds: float,
    *,
    watched: bool,
) -> None:
    """50 records a second, each of which wakes the worker, as a proxy does."""
    begun = home.worker_log.read_text().count("storing into") if home.worker_log.exists() else 0
    journal, worker = SpoolWriter(home.spool), Worker(home, None)
    wait_for(lambda: worker.log.count("storing into") > begun, "the worker does not start")
    listener = Listener(database, lambda change: None) if watched else None
    time.sleep(2.0)
    offset = int(time.time() * 1000) % 10**9
    used, calls = (_cpu(worker.process.pid), _postgres_cpu(home)), 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        calls += 1
        for record in kind(offset + calls).records():
            append(journal, [record])
            journal.wake()
            time.sleep(0.02)
    time.sleep(0.5)
    spent = (_cpu(worker.process.pid) - used[0], _postgres_cpu(home) - used[1])
    if listener:
        listener.close()
    journal.close()
    worker.end()
    print(
        f"{kind.__name__:9} {'watched' if watched else 'unseen':7} worker "
        f"{1000 * spent[0] / calls:.2f} ms/call, Postgres {1000 * spent[1] / calls:.2f} ms/call",
        flush=True,
    )


def _drain(home: Home, kind: Callable[[int], Call], calls: int) -> None:
    journal = SpoolWriter(home.spool)
    offset = next(NUMBERS)
    records = 0
    for n in range(calls):
        made = kind(offset + n).records()
        records += len(made)
        append(journal, made)
    journal.close()
    before = _postgres_cpu(home)
    worker = Worker(home, None, program=TIMED)
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    _, status, usage = os.wait4(worker.process.pid, 0)
    assert status == 0, worker.log
    wall, idle_cpu = (float(word) for word in worker.log.split("TIMED ")[-1].split()[:2])
    cpu = usage.ru_utime + usage.ru_stime - idle_cpu
    postgres = _postgres_cpu(home) - before
    print(
        f"{kind.__name__:9} {calls} calls, {records} records: {records / wall:,.0f} records/s, "
        f"worker {1000 * cpu / calls:.3f} ms/call, Postgres {1000 * postgres / calls:.3f} ms/call, "
        f"peak {usage.ru_maxrss / 1024:.0f} MiB",
        flush=True,
    )


TIMED = """
import os, sys, time
from llmproxy_core.worker import main, __main__
first = main._Shift._connect
began = []
def connect(self):
    first(self)
    if not began:
        began.extend((time.monotonic(), sum(os.times()[:2])))
main._Shift._connect = connect
status = __main__.main()
print(f"TIMED {time.monotonic() - began[0]} {began[1]}", file=sys.stderr)
sys.exit(status)
"""


def _latency(home: Home, database: Database, seconds: float) -> None:
    journal = SpoolWriter(home.spool)
    sent: dict[UUID, float] = {}
    late: list[float] = []
    begun = home.worker_log.read_text().count("storing into")
    worker = Worker(home, None)
    wait_for(lambda: worker.log.count("storing into") > begun, "the worker does not start")

    def heard(change: Change) -> None:
        late.extend((time.monotonic() - sent[id]) * 1000 for id in change.ended)

    listener = Listener(database, heard)
    time.sleep(2.0)  # the worker asks once a second whether anybody watches
    calls = int(seconds * 50)
    began, used = time.monotonic(), (_cpu(worker.process.pid), _postgres_cpu(home))
    for n in range(calls):
        call = agent(n) if n % 5 == 0 else small(n)
        opened, closed = call.records()
        append(journal, [opened])
        journal.wake()
        time.sleep(0.005)
        sent[UUID(bytes=call.id)] = time.monotonic()
        append(journal, [closed])
        journal.wake()
        time.sleep(max(0.0, began + (n + 1) / 50 - time.monotonic()))
    wait_for(lambda: len(late) >= calls, "rows are missing")
    spent = (_cpu(worker.process.pid) - used[0], _postgres_cpu(home) - used[1])
    listener.close()
    worker.end()
    journal.close()
    cuts = statistics.quantiles(late, n=100)
    print(
        f"at 50 calls/s: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, max {max(late):.1f} ms; "
        f"worker {1000 * spent[0] / calls:.2f} ms/call, Postgres {1000 * spent[1] / calls:.2f} ms/call"
    )


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _postgres_cpu(home: Home) -> float:
    """Seconds of all processes of the server; what ended backends used, their parent counts."""
    total = 0
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.readlink(f"/proc/{name}/cwd") == str(home.postgres):
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                total += sum(int(field) for field in fields[11:15])
        except OSError:
            continue
    return total / TICKS


if __name__ == "__main__":
    main()
