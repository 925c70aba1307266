import os
import socket

import pytest

from llmproxy_core.clients.authority import ensure_authority
from llmproxy_core.clients.endpoint import Endpoint
from llmproxy_core.clients.machine import (
    authority_check,
    disk_check,
    home_check,
    proxy_check,
    versions_check,
)
from llmproxy_core.home import Home


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def confdir(tmp_path_factory):
    confdir = tmp_path_factory.mktemp("confdir")
    ensure_authority(confdir)
    return confdir


def test_a_sound_machine_is_in_order(home):
    for check in (versions_check(), home_check(home), disk_check(home)):
        assert check.state == "ok", check


def test_a_home_that_others_can_enter_is_a_warning(home):
    home.path.chmod(0o755)
    found = home_check(home)
    assert (found.state, found.todo) == ("warn", f"chmod 700 {home.path}")


def test_the_ca_is_in_order(confdir):
    assert authority_check(Endpoint("127.0.0.1", 1, confdir)).state == "ok"


def test_a_ca_key_that_others_can_read_is_a_warning(confdir):
    key = confdir / "mitmproxy-ca.pem"
    key.chmod(0o644)
    found = authority_check(Endpoint("127.0.0.1", 1, confdir))
    key.chmod(0o600)
    assert (found.state, found.todo) == ("warn", f"chmod 600 {key}")


def test_a_ca_that_is_not_there_yet_is_a_warning(tmp_path):
    assert authority_check(Endpoint("127.0.0.1", 1, tmp_path)).state == "warn"


def test_a_damaged_ca_has_failed(tmp_path):
    (tmp_path / "mitmproxy-ca-cert.pem").write_text("nothing")
    assert authority_check(Endpoint("127.0.0.1", 1, tmp_path)).state == "fail"


def test_the_port_of_another_program_has_failed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert proxy_check(Endpoint("127.0.0.1", port, tmp_path)).state == "fail"
    found = proxy_check(Endpoint("127.0.0.1", port, tmp_path))
    assert (found.state, found.todo) == ("warn", "llmproxy proxy")


def test_a_proxy_that_hangs_has_failed(tmp_path):
    assert proxy_check(Endpoint("127.0.0.1", 9, tmp_path, os.getpid())).state == "fail"
