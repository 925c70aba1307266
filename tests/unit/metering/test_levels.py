"""How far limits are used up, as one proxy tells it and a command reads it."""

import os

from llmproxy_core.home import Home
from llmproxy_core.limits import Level
from llmproxy_core.metering import levels
from llmproxy_core.metering.levels import Levels

FULL = Level("day", "usd", "namespace a", 9.0, 10.0)
HALF = Level("fair", "requests", "namespace b", 5.0, 10.0)
BUSY = Level("narrow", "concurrent", "all its calls together", 1.0, 4.0)


def told(home, *some):
    mine = Levels(home)
    assert mine.changed(some)
    mine.write()
    return mine


def test_the_fullest_come_first_and_each_once(tmp_path):
    told(Home(tmp_path), HALF, FULL, HALF)
    assert levels.read(Home(tmp_path)) == [FULL, HALF]


def test_only_what_is_new_is_written(tmp_path):
    mine = told(Home(tmp_path), HALF)
    assert not mine.changed([HALF])
    assert mine.changed([FULL])


def test_without_a_proxy_nothing_is_told(tmp_path):
    assert levels.read(Home(tmp_path)) is None
    told(Home(tmp_path)).remove()
    assert levels.read(Home(tmp_path)) is None


def test_what_a_killed_proxy_has_left_is_no_longer_told(tmp_path):
    home = Home(tmp_path)
    told(home, HALF)
    ours = next(tmp_path.iterdir())
    gone = ours.with_suffix(".4194304")  # more than any process id of Linux
    ours.rename(gone)
    assert levels.read(home) is None
    Levels(home).sweep()
    assert not gone.exists()


def test_calls_under_way_of_several_proxies_are_added_up(tmp_path):
    home = Home(tmp_path)
    told(home, BUSY, HALF)
    ours = next(tmp_path.iterdir())
    ours.with_suffix(f".{os.getppid()}").write_bytes(ours.read_bytes())
    merged = {level.limit: level.used for level in levels.read(home) or []}
    assert merged == {"narrow": 2.0, "fair": 5.0}


def test_a_broken_file_tells_nothing(tmp_path):
    home = Home(tmp_path)
    told(home, HALF)
    next(tmp_path.iterdir()).write_bytes(b"{")
    assert levels.read(home) is None
