"""How mitmdump starts, refuses to start, and stops."""

import errno
import json
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.mitm import BIN, CHECKOUT, Mitmdump, free_port, listens, wait_for

pytestmark = pytest.mark.system


def run_and_fail(proxy: Mitmdump) -> str:
    """Start a mitmdump that refuses; what it says."""
    done = subprocess.run(
        proxy.command,
        cwd=CHECKOUT,
        env=proxy.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("program", ["mitmdump", "mitmweb"])
def test_it_listens_on_loopback_only(tmp_path, program):
    web = ["--no-web-open-browser", "--set", "web_port=0"] if program == "mitmweb" else []
    with Mitmdump(tmp_path, *web, program=program) as proxy:
        state = json.loads(proxy.home.proxy_state.read_bytes())
        other = next(
            (
                str(info[4][0])
                for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
                if not str(info[4][0]).startswith("127.")
            ),
            None,
        )
        assert state["host"] == "127.0.0.1"
        assert state["confdir"] == str(proxy.confdir)
        assert state["pid"] == proxy.process.pid
        if other:
            with pytest.raises(OSError, match="refused") as raised:
                socket.create_connection((other, proxy.port), timeout=2)
            assert raised.value.errno == errno.ECONNREFUSED


def test_it_does_not_say_that_it_runs_once_it_has_stopped(tmp_path):
    with Mitmdump(tmp_path) as proxy:
        pass

    assert not proxy.home.proxy_state.exists()
    assert [event.kind for event in proxy.events()] == ["proxy_started", "proxy_stopped"]


def test_it_listens_within_three_seconds(tmp_path):
    """The target, on an idle machine: make bench. Or, where all is slow, in four times of what
    mitmdump needs without addons."""
    for number in range(5):
        port = free_port()
        with Mitmdump(tmp_path / str(number), "-p", str(port)) as proxy:
            assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 502
        if proxy.started_in < 6 or proxy.started_in < 4 * _bare(tmp_path / f"bare-{number}"):
            return
    raise AssertionError(f"it listens after {proxy.started_in:.1f} s")


def _bare(folder: Path) -> float:
    """Seconds until a mitmdump listens that has no addons."""
    port = free_port()
    options = ["-q", "-p", str(port), "--listen-host", "127.0.0.1", "--set", f"confdir={folder}"]
    began = time.monotonic()
    with subprocess.Popen([str(BIN / "mitmdump"), *options], stdin=subprocess.DEVNULL) as bare:
        wait_for(lambda: listens(port), 120)
        took = time.monotonic() - began
        bare.terminate()
    return took


@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        (["--listen-host", "0.0.0.0"], ""),
        ([], '[proxy]\nhost = "0.0.0.0"\n'),
        (["--mode", "regular@0.0.0.0:0"], ""),
        (["--listen-host", "::"], ""),
    ],
)
def test_it_refuses_to_serve_strangers(tmp_path, arguments, config):
    said = run_and_fail(Mitmdump(tmp_path, *arguments, config=config))

    assert "refusing to listen on" in said
    assert "proxy.auth" in said
    assert "proxy.open = true" in said


@pytest.mark.parametrize(
    "config",
    ['[proxy]\nhost = "0.0.0.0"\nopen = true\n', '[proxy]\nhost = "0.0.0.0"\nauth = "u:hunter2"\n'],
)
def test_it_serves_others_when_told_to(tmp_path, config):
    with Mitmdump(tmp_path, config=config) as proxy:
        assert json.loads(proxy.home.proxy_state.read_bytes())["host"] == "0.0.0.0"


def test_the_proxy_password_is_asked_for_and_not_written(tmp_path, simulator):
    config = '[proxy]\nauth = "alice:hunter2-hunter2"\n'
    url = "https://api.openai.com/v1/chat/completions"
    body = {"model": "gpt-5", "messages": []}
    with Mitmdump(tmp_path, config=config, simulator=simulator) as proxy:
        stranger = httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60)
        with stranger, pytest.raises(httpx.ProxyError, match="407"):
            stranger.post(url, json=body)
        address = f"http://alice:hunter2-hunter2@127.0.0.1:{proxy.port}"
        with httpx.Client(proxy=address, verify=proxy.trust(), timeout=60) as friend:
            assert friend.post(url, json=body).status_code == 200
        call = proxy.closed(1)[0]

    assert call.opened.proxy_user == "alice"
    for file in [*proxy.home.path.rglob("*"), proxy.log]:
        if file.is_file():
            assert b"hunter2" not in file.read_bytes(), file


def test_a_wrong_setting_is_one_clear_line(tmp_path):
    said = run_and_fail(Mitmdump(tmp_path, config='[proxy]\nport = "many"\n'))

    assert f"{tmp_path}/mitm.toml: `proxy.port` = 'many': allowed is a valid integer" in said


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run_and_fail(Mitmdump(tmp_path, "-p", str(port)))

    assert str(port) in said
    assert "in use" in said


def test_a_home_that_cannot_be_used_is_named(tmp_path):
    proxy = Mitmdump(tmp_path, environment={"LLMPROXY_HOME": "/proc/llmproxy"})

    said = run_and_fail(proxy)

    assert "/proc/llmproxy" in said
    assert "LLMPROXY_HOME" in said


def test_two_proxies_share_a_home(tmp_path, simulator):
    url = "https://api.openai.com/v1/chat/completions"
    first = Mitmdump(tmp_path, simulator=simulator)
    second = Mitmdump(tmp_path, simulator=simulator)
    with first, second:
        assert first.port != second.port
        for proxy in (first, second):
            with httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60) as http:
                http.post(url, json={"model": "gpt-5", "messages": []})
        assert len(first.closed(2)) == 2


def test_the_addons_can_be_asked_for_their_options(tmp_path):
    proxy = Mitmdump(tmp_path)
    done = subprocess.run(
        [str(BIN / "mitmdump"), "-s", "addons/", "--options"],
        cwd=CHECKOUT,
        env=proxy.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0
    assert "listen_host:" in done.stdout
    assert not done.stderr


def test_a_flow_under_way_when_it_stops_is_sealed(tmp_path, simulator):
    url = "https://api.openai.com/v1/chat/completions"
    body = {"model": "gpt-5", "stream": True, "messages": []}
    with Mitmdump(tmp_path, simulator=simulator) as proxy:
        http = httpx.Client(proxy=proxy.url, verify=proxy.trust(), timeout=60)
        headers = {"x-simulate": "delay=100"}
        with http, http.stream("POST", url, json=body, headers=headers) as answer:
            next(answer.iter_raw())
            proxy.stop()
        call = wait_for(lambda: proxy.calls()[0])

    assert call.closed
    assert call.closed.ending != "complete"
    assert call.response.startswith(b"data:")
