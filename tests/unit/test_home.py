import os
import pwd
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmproxy_core.errors import HomeError
from llmproxy_core.home import Home, open_home, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMPROXY_HOME", str(tmp_path / "a" / "b"))

    home = open_home()

    assert home.path == tmp_path / "a" / "b"
    assert mode(home.path) == mode(home.spool) == 0o700


def test_without_a_name_it_is_the_platforms_data_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LLMPROXY_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert tmp_path in open_home().path.parents


def test_the_key_is_made_once_and_is_private(tmp_path):
    home = Home(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: home.fingerprint_key(), range(32)))

    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert mode(tmp_path / "keys" / "fingerprint.key") == 0o600
    assert mode(tmp_path / "keys") == 0o700
    assert os.listdir(tmp_path / "keys") == ["fingerprint.key"]


def test_a_damaged_key_is_not_used(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "fingerprint.key").write_bytes(b"short")

    with pytest.raises(HomeError, match=r"fingerprint\.key: not a key of 32 bytes"):
        Home(tmp_path).fingerprint_key()


def test_a_private_file_is_replaced_at_once(tmp_path):
    file = tmp_path / "x"
    write_private(file, b"one")
    write_private(file, b"two")

    assert file.read_bytes() == b"two"
    assert mode(file) == 0o600
    assert os.listdir(tmp_path) == ["x"]


def test_a_home_that_is_a_file_is_named_in_the_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMPROXY_HOME", str(tmp_path / "file"))

    with pytest.raises(HomeError, match=r"/file.*LLMPROXY_HOME"):
        open_home()


@pytest.fixture
def nobody():
    """Permissions mean nothing to root: such a test runs as somebody else."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_parents(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    return tmp_path


@pytest.mark.parametrize("folder", ["locked", "locked/home"])
def test_a_home_without_permission_is_named_in_the_error(open_parents, nobody, monkeypatch, folder):
    monkeypatch.setenv("LLMPROXY_HOME", str(open_parents / folder))

    with pytest.raises(HomeError) as raised:
        open_home()

    assert f"{open_parents}/{folder}" in str(raised.value)
    assert "Permission denied" in str(raised.value)
    assert "LLMPROXY_HOME" in str(raised.value)


def test_a_trap_in_the_place_of_a_temporary_file_is_not_followed(tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    for name in (f".x.{os.getpid()}", ".x"):
        (tmp_path / name).symlink_to(other)

    write_private(tmp_path / "x", b"one")

    assert other.read_bytes() == b"precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_the_home_of_somebody_else_is_refused(tmp_path, monkeypatch):
    """Who owns the folder could read all of it later, and change it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    os.chown(home, 12345, 12345)
    monkeypatch.setenv("LLMPROXY_HOME", str(home))
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(HomeError, match="another user"):
        open_home()


def test_a_home_of_a_user_who_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setenv("LLMPROXY_HOME", "~no-such-user/x")

    with pytest.raises(HomeError, match="the user after ~ is not known"):
        open_home()
