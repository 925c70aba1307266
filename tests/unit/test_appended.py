from pathlib import Path

import pytest

from llmproxy_core.appended import Appended


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def test_lines_of_several_stand_one_after_the_other(file):
    one, other = Appended(file), Appended(file)
    one.append(b"1\n")
    other.append(b"2\n")
    one.append(b"3\n")
    assert Appended(file).lines() == [b"1", b"2", b"3"]
    assert file.stat().st_mode & 0o777 == 0o600
    one.close()
    other.close()


def test_a_line_that_was_cut_off_takes_no_other_with_it(file):
    file.write_bytes(b"1\n2")
    one = Appended(file)
    assert one.lines() == [b"1", b"2"]
    one.close()
    one.append(b"3\n")
    assert file.read_bytes() == b"1\n2\n3\n"
    one.close()


def test_after_a_move_by_anyone_lines_go_into_a_new_file(file, tmp_path):
    one, other = Appended(file), Appended(file)
    one.append(b"1\n")
    other.append(b"2\n")
    one.move(tmp_path / "old")
    one.append(b"3\n")
    (tmp_path / "old").unlink()
    other.append(b"4\n")
    assert Appended(file).lines() == [b"3", b"4"]
    one.close()
    other.close()


def test_where_nothing_can_be_written_nothing_is(tmp_path):
    for place in (None, tmp_path / "missing" / "lines", tmp_path):
        one = Appended(place)
        one.append(b"1\n")
        assert one.lines() == []
