"""The redirect script in a real mitmdump: real TLS to the simulated provider."""

import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from llmproxy_core.simulator import Simulator, redirect

REPORT = """
def request(flow):
    print("seen", flow.request.pretty_host, flow.request.host, flow.request.port, flush=True)
"""


@pytest.fixture(scope="module", params=["eager", "lazy"])
def proxy(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mitm")
    (folder / "report.py").write_text(REPORT)
    with Simulator() as provider, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        probe.close()
        sets = {
            "confdir": folder,
            "connection_strategy": request.param,
            "ssl_verify_upstream_trusted_ca": provider.ca_file,
        }
        command = [Path(sys.executable).with_name("mitmdump"), "-q"]
        command += ["--listen-host", "127.0.0.1", "-p", str(port)]
        command += ["-s", redirect.__file__, "-s", folder / "report.py"]
        for name, value in sets.items():
            command += ["--set", f"{name}={value}"]
        ports = {
            "LLMPROXY_SIMULATOR_PORT": str(provider.https_port),
            "LLMPROXY_SIMULATOR_HTTP_PORT": str(provider.http_port),
        }
        with (
            (folder / "out").open("wb") as out,
            subprocess.Popen(
                [str(part) for part in command],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **ports},
            ) as process,
        ):
            try:
                _wait_for(port, folder / "mitmproxy-ca-cert.pem")
                yield provider, f"http://127.0.0.1:{port}", folder
            finally:
                process.terminate()


def _wait_for(port: int, ca: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and ca.exists():
                return
        time.sleep(0.05)
    raise TimeoutError("mitmdump does not listen")


def test_provider_hosts_reach_the_simulator_over_tls(proxy):
    provider, url, folder = proxy
    context = ssl.create_default_context(cafile=str(folder / "mitmproxy-ca-cert.pem"))
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "Why?"}]}
    with httpx.Client(proxy=url, verify=context, trust_env=False, timeout=60) as client:
        for _ in range(2):
            answer = client.post("https://api.openai.com/v1/chat/completions", json=body)
            assert answer.status_code == 200
    assert provider.seen[-1].host == "api.openai.com"


def test_addons_see_the_host_that_was_asked_for(proxy):
    _, url, folder = proxy
    context = ssl.create_default_context(cafile=str(folder / "mitmproxy-ca-cert.pem"))
    with httpx.Client(proxy=url, verify=context, trust_env=False, timeout=60) as client:
        client.get("https://api.anthropic.com/v1/models")
        client.get("https://api.anthropic.com/v1/models")
    lines = (folder / "out").read_text().splitlines()
    assert lines.count("seen api.anthropic.com api.anthropic.com 443") == 2


def test_plain_http_reaches_it_too(proxy):
    _, url, _ = proxy
    with httpx.Client(proxy=url, trust_env=False, timeout=60) as client:
        assert client.get("http://gpu.example.com/v1/models").status_code == 200
