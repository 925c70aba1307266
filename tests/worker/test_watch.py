"""What wakes the worker, what ends it, who may work, and how long its log gets."""

import os
import signal
import subprocess
import sys
import threading
import time

from llmproxy_core.spool import SpoolWriter
from llmproxy_core.worker.lock import only_worker
from llmproxy_core.worker.watch import LOOK_SECONDS, Watch
from tests.worker.processes import CHECKOUT


def test_a_record_wakes_at_once(home, journal):
    with Watch(home.spool) as watch:
        journal.wake()
        began = time.monotonic()
        watch.wait(120)
        assert time.monotonic() - began < 60


def test_without_being_woken_it_looks_now_and_then(home):
    with Watch(home.spool) as watch:
        began = time.monotonic()
        watch.wait()
        assert LOOK_SECONDS * 0.9 < time.monotonic() - began < 60


def test_the_end_of_standard_input_is_noticed_once(home):
    reading, writing = os.pipe()
    with Watch(home.spool, reading) as watch:
        os.write(writing, b"ignored")
        watch.wait(0)
        assert not watch.ending
        os.close(writing)
        watch.wait(10)
        assert watch.ended_at is not None
        watch.wait(0)
    os.close(reading)


def test_a_signal_cuts_a_pause_short_and_the_old_handler_comes_back(home):
    before = signal.getsignal(signal.SIGTERM)
    with Watch(home.spool) as watch:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        watch.pause(120)
        assert time.monotonic() - began < 60
        assert watch.stopped
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_pause_is_not_cut_short_by_records(home, journal):
    with Watch(home.spool) as watch:
        journal.wake()
        began = time.monotonic()
        watch.pause(0.1)
        assert time.monotonic() - began > 0.09


def test_outside_of_the_main_thread_signals_are_left_alone(home):
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work() -> None:
        with Watch(home.spool) as watch:
            watch.wait(0)
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_no_descriptor_is_left_open(home):
    before = os.listdir("/proc/self/fd")
    with Watch(home.spool) as watch, only_worker(home, watch):
        pass
    assert os.listdir("/proc/self/fd") == before


def test_one_worker_at_a_time(home):
    with Watch(home.spool) as watch, only_worker(home, watch) as held:
        assert held
        with Watch(home.spool) as other:
            other.stopped = True
            with only_worker(home, other) as also:
                assert not also


def test_other_programs_do_not_read_the_wake_ups(home):
    writer = SpoolWriter(home.spool)
    with Watch(home.spool) as watch, only_worker(home, watch):
        writer.wake()
        with Watch(home.spool) as waiting:
            waiting.pause(0.01)
        began = time.monotonic()
        watch.wait(120)
        assert time.monotonic() - began < 60
    writer.close()


CHATTY = """
import logging, os, sys
from pathlib import Path
from llmproxy_core.home import Home
from llmproxy_core.worker import log
log.LOG_BYTES = 2000
log.start()
for number in range(200):
    logging.getLogger("llmproxy_core.worker").info("line %d", number)
    log.keep_small(Home(Path(sys.argv[1])))
"""


def test_the_log_stays_small_and_loses_no_line_at_the_turn(home):
    with home.worker_log.open("ab") as log:
        subprocess.run(
            [sys.executable, "-c", CHATTY, str(home.path)],
            stderr=log,
            check=True,
            cwd=CHECKOUT,
            timeout=120,
        )
    older = home.path / "worker.log.1"
    assert home.worker_log.stat().st_size <= 2100
    assert older.stat().st_size <= 2100
    assert older.stat().st_mode & 0o777 == 0o600
    lines = (older.read_text() + home.worker_log.read_text()).splitlines()
    numbers = [int(line.split()[-1]) for line in lines]
    assert numbers == list(range(numbers[0], 200))


def test_a_log_elsewhere_is_left_alone(home, tmp_path):
    (other := tmp_path / "other.log").touch()
    home.worker_log.write_text("x" * 5000)
    with other.open("ab") as log:
        subprocess.run(
            [sys.executable, "-c", CHATTY, str(home.path)],
            stderr=log,
            check=True,
            cwd=CHECKOUT,
            timeout=120,
        )
    assert home.worker_log.stat().st_size == 5000
