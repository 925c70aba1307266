"""The doctor's probes, through a real mitmdump, with every runtime found on this machine."""

import shutil
from pathlib import Path

import pytest

from llmproxy_core.clients.authority import ensure_authority
from llmproxy_core.clients.endpoint import Endpoint
from llmproxy_core.clients.probes import no_proxy_check, probe_runtimes
from llmproxy_core.home import Home
from llmproxy_core.simulator import Simulator
from tests.mitm import Mitmdump

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    with (
        Simulator() as simulator,
        Mitmdump(tmp_path_factory.mktemp("mitm"), simulator=simulator) as proxy,
    ):
        yield proxy


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def test_runtimes_trust_the_ca_and_use_the_proxy(proxy, home):
    found = list(probe_runtimes(Endpoint("127.0.0.1", proxy.port, proxy.confdir), home))
    states = {check.name: check.state for check in found}
    fetch = states.pop("node (fetch)", "ok")
    assert fetch in ("ok", "warn")
    assert set(states.values()) == {"ok"}
    assert {"this Python (ssl)", "this Python (httpx)"} <= states.keys()
    assert ("curl" in states) == bool(shutil.which("curl"))


def test_runtimes_with_another_ca_are_told_not_to_trust_ours(proxy, home, tmp_path):
    ensure_authority(tmp_path / "another")
    found = list(probe_runtimes(Endpoint("127.0.0.1", proxy.port, tmp_path / "another"), home))
    judged = {check.name: check for check in found if check.name != "node (fetch)"}
    for check in judged.values():
        assert check.state == "fail", check
        assert "does not trust the CA" in check.what


def test_no_internet_is_not_taken_for_distrust(tmp_path, home):
    hole = {"LLMPROXY_SIMULATOR_PORT": "9"}
    redirect = Path(__file__).parents[3] / "llmproxy_core" / "simulator" / "redirect.py"
    with Mitmdump(tmp_path / "mitm", environment=hole, scripts=(str(redirect),)) as proxy:
        found = list(probe_runtimes(Endpoint("127.0.0.1", proxy.port, proxy.confdir), home))
    curl = next(check for check in found if check.name == "this Python (ssl)")
    assert curl.state == "warn"
    assert "cannot reach" in curl.what


@pytest.mark.parametrize("value", ["*", ".openai.com", "localhost, api.anthropic.com", "*.com"])
def test_a_no_proxy_that_hides_providers_is_a_warning(value):
    assert no_proxy_check({"NO_PROXY": value}).state == "warn"


@pytest.mark.parametrize("value", ["", "localhost,127.0.0.1", "openai.company.example"])
def test_other_no_proxies_are_fine(value):
    assert no_proxy_check({"no_proxy": value}).state == "ok"
