import json
import os
import socket

import pytest

from llmproxy_core.clients.endpoint import Endpoint, endpoint, running_endpoint
from llmproxy_core.config import Config, ProxyConfig
from llmproxy_core.errors import ClientError, ProxyDown
from llmproxy_core.home import Home


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("LLMPROXY_LOGIN", raising=False)
    return Home(tmp_path)


def write_state(home, **changes):
    state = {"pid": os.getpid(), "host": "127.0.0.1", "port": 4711, "confdir": "/somewhere"}
    home.proxy_state.write_text(json.dumps(state | changes))


def test_the_running_proxy_says_where_it_listens(home, tmp_path):
    write_state(home)
    found = endpoint(Config(), home)
    assert (found.url, found.pid) == ("http://127.0.0.1:4711", os.getpid())
    assert str(found.ca_file) == "/somewhere/mitmproxy-ca-cert.pem"


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:4711"), ("::", "http://[::1]:4711")]
)
def test_programs_on_this_machine_use_loopback(home, host, url):
    write_state(home, host=host)
    assert endpoint(Config(), home).url == url


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 999999999}'])
def test_what_a_killed_proxy_left_behind_is_not_believed(home, text):
    home.proxy_state.write_text(text)
    assert endpoint(Config(), home) == Endpoint("127.0.0.1", 8080, ProxyConfig().confdir)


def test_a_password_is_quoted_into_the_url(home):
    config = Config(proxy=ProxyConfig(auth="me:p@ss/word"))
    assert endpoint(config, home).url == "http://me:p%40ss%2Fword@127.0.0.1:8080"


def test_a_file_of_passwords_cannot_be_told(home):
    config = Config(proxy=ProxyConfig(auth="@/etc/htpasswd"))
    assert endpoint(config, home).url == "http://127.0.0.1:8080"


@pytest.mark.parametrize("auth", ["@/etc/htpasswd", "me:secret", ""])
def test_the_environment_may_tell_another_login(home, monkeypatch, auth):
    monkeypatch.setenv("LLMPROXY_LOGIN", "anna:a:b")
    config = Config(proxy=ProxyConfig(auth=auth))
    assert endpoint(config, home).url == "http://anna:a%3Ab@127.0.0.1:8080"


def test_a_login_without_a_password_is_refused_and_not_repeated(home, monkeypatch):
    monkeypatch.setenv("LLMPROXY_LOGIN", "hunter2")
    with pytest.raises(ClientError, match="LLMPROXY_LOGIN: allowed is user:password") as raised:
        endpoint(Config(), home)
    assert "hunter2" not in str(raised.value)


def test_without_a_proxy_the_command_to_start_one_is_named(home):
    with pytest.raises(ProxyDown, match="llmproxy proxy"):
        running_endpoint(Config(), home)


def test_a_proxy_that_does_not_answer_is_down(home):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        write_state(home, port=port)
        assert running_endpoint(Config(), home).port == port
    with pytest.raises(ProxyDown, match="does not answer"):
        running_endpoint(Config(), home)
