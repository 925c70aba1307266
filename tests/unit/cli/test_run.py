"""Programs of several languages, run through a real proxy by `llmproxy run`."""

import shutil
import sys

import pytest

from llmproxy_core.simulator import Simulator
from tests.mitm import Mitmdump
from tests.unit.cli.command import Command

pytestmark = pytest.mark.system

BODY = '{"model": "gpt-5", "messages": [{"role": "user", "content": "Why?"}]}'
URL = "https://api.openai.com/v1/chat/completions"
PYTHON = (
    "import openai; c = openai.OpenAI(api_key='x'); print(c.chat.completions.create("
    "model='gpt-5', messages=[{'role': 'user', 'content': 'Why?'}]).object)"
)


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def llmproxy(simulator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with Mitmdump(folder, simulator=simulator) as proxy:
        yield Command(folder, {"LLMPROXY_HOME": str(proxy.home.path)})


def test_an_sdk_reaches_its_provider_through_the_proxy(llmproxy, simulator):
    done = llmproxy("run", "--", sys.executable, "-c", PYTHON)
    assert done.stdout == "chat.completion\n", done.stderr
    assert simulator.seen[-1].host == "api.openai.com"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_reaches_it_too(llmproxy, simulator):
    done = llmproxy("run", "--", "curl", "-sS", "--json", BODY, URL)
    assert '"chat.completion"' in done.stdout, done.stderr


def test_a_shell_that_has_evaluated_env_needs_no_run(llmproxy):
    command = f'eval "$({sys.executable} -m llmproxy_core.cli env)"; exec {sys.executable} -c "$0"'
    done = llmproxy("run", "--", "sh", "-c", command, PYTHON)
    assert done.stdout == "chat.completion\n", done.stderr


def test_the_exit_code_is_that_of_the_program(llmproxy):
    assert llmproxy("run", "--", "sh", "-c", "exit 7").returncode == 7


def test_options_after_the_program_are_its_own(llmproxy):
    assert llmproxy("run", "echo", "--help", "-x").stdout == "--help -x\n"


def test_a_missing_program_is_127_and_one_that_cannot_run_126(llmproxy):
    assert llmproxy("run", "--", "no-such-program").returncode == 127
    (llmproxy.home / "plain").write_text("")
    assert llmproxy("run", "--", str(llmproxy.home / "plain")).returncode == 126


def test_doctor_finds_the_proxy_and_tries_the_runtimes(llmproxy):
    shown = llmproxy("doctor").stdout
    assert "✓ proxy" in shown
    assert "✓ this Python (ssl)" in shown


def test_what_was_called_is_stored_by_a_worker_run_by_hand(llmproxy):
    llmproxy("run", "--", sys.executable, "-c", PYTHON)
    try:
        assert llmproxy("worker", "--once").returncode == 0
        listed = llmproxy("flows", "--filter", "provider:openai state:complete")
        assert "gpt-5" in listed.stdout, listed.stderr
    finally:
        llmproxy("db", "stop")
