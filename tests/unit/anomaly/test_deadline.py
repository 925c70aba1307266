import signal
import threading
import time
from contextlib import suppress

import pytest

from llmproxy_core.anomaly.deadline import Bell, Deadline, TookTooLong


def spin(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_what_takes_too_long_is_interrupted():
    begun = time.process_time()
    with pytest.raises(TookTooLong), Bell() as bell, Deadline(0.05, bell):
        spin(10)
    assert time.process_time() - begun < 1


def test_what_is_in_time_is_let_be_and_nothing_rings_later():
    before = signal.getsignal(signal.SIGVTALRM)
    with Bell() as bell, Deadline(0.05, bell):
        pass
    spin(0.2)
    assert signal.getsignal(signal.SIGVTALRM) == before


def test_waiting_is_not_taken_for_working():
    with Bell() as bell, Deadline(0.05, bell):
        time.sleep(0.2)


def test_an_interruption_that_is_swallowed_comes_again():
    def swallow_once() -> None:
        with suppress(TookTooLong):
            spin(10)
        spin(10)

    with pytest.raises(TookTooLong), Bell() as bell, Deadline(0.02, bell):
        swallow_once()


def test_another_thread_is_not_interrupted():
    done = []

    def work() -> None:
        with Bell() as bell, Deadline(0.01, bell):
            spin(0.1)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
