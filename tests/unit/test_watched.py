import os
import time
from pathlib import Path

import pytest

from llmproxy_core import watched as watched_module
from llmproxy_core.errors import ConfigError
from llmproxy_core.watched import Watched

PAST = 1_600_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def said() -> list[str]:
    return []


def read(path: Path) -> str:
    try:
        text = path.read_text()
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror}") from None
    if text == "broken":
        raise ConfigError(f"{path}: broken")
    return text


def write(file: Path, text: str, at: float = PAST) -> None:
    file.write_text(text)
    os.utime(file, (at, at))


def test_what_is_new_in_a_file_is_told_once(file, said):
    watched = Watched(file, read, "")
    write(file, "one")

    assert [watched.refresh(said.append), watched.refresh(said.append)] == [True, False]
    assert watched.value == "one"


def test_a_file_that_says_the_same_in_a_new_way_says_nothing_new(file, said):
    watched = Watched(file, read, "one")
    write(file, "one", PAST + 1)

    assert not watched.refresh(said.append)


def test_a_file_that_takes_the_place_of_another_is_seen(file, said):
    """As an editor does it, or a mounted ConfigMap."""
    watched = Watched(file, read, "")
    write(file, "one")
    watched.refresh(said.append)
    write(file.with_name("new"), "two")
    file.with_name("new").rename(file)

    assert watched.refresh(said.append)
    assert watched.value == "two"


def test_what_is_being_written_is_left_for_the_next_time(file, said, monkeypatch):
    monkeypatch.setattr(watched_module, "SETTLED_NS", 60 * 10**9)
    watched = Watched(file, read, "")
    write(file, "half", time.time())

    assert not watched.refresh(said.append)
    write(file, "whole")
    assert watched.refresh(said.append)


def test_a_clock_that_was_set_back_delays_nothing(file, said):
    watched = Watched(file, read, "")
    write(file, "one", time.time() + 3600)

    assert watched.refresh(said.append)


@pytest.mark.parametrize("text", ["broken", None])
def test_an_unreadable_file_keeps_what_it_said_and_is_told_once(file, said, text):
    watched = Watched(file, read, "")
    write(file, "one")
    watched.refresh(said.append)
    write(file, text, PAST + 1) if text else file.unlink()

    assert [watched.refresh(said.append), watched.refresh(said.append)] == [False, False]
    assert watched.value == "one"
    assert [one.endswith("What it said before stays in force") for one in said] == [True]
    write(file, "mended", PAST + 2)
    assert watched.refresh(said.append)


def test_a_line_that_marks_what_is_wrong_stays_one(file, said):
    def refuse(path):
        raise ConfigError("when: what is that?\n  a ~ b\n    ^")

    write(file, "one")
    Watched(file, refuse, "").refresh(said.append)
    assert said[0].endswith("\n    ^\nWhat it said before stays in force")


def test_without_a_file_nothing_changes(said):
    assert not Watched(None, read, "").refresh(said.append)
