"""The wheel has all that llmproxy needs: nothing is looked for in a checkout."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.environments import CHECKOUT, Environment, Mitmproxy, run

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """This checkout with all its dependencies, by `uv pip install .`."""
    environment = Environment(tmp_path_factory.mktemp("whole") / "venv")
    environment.uv_install(CHECKOUT)
    return environment


@pytest.fixture
def home() -> Iterator[Path]:
    """Directly under the temporary folder: the account of an embedded Postgres must get at it."""
    with tempfile.TemporaryDirectory(prefix="llmproxy-test-") as folder:
        (Path(folder) / "mitm.toml").write_text("[worker]\nchild = false\n")
        yield Path(folder)


def listening(home):
    state = home / "proxy.json"
    return state.exists() and json.loads(state.read_text())["port"] > 0


def test_the_database_can_be_made_without_a_checkout(whole, home, tmp_path):
    llmproxy = whole.bin / "llmproxy"
    try:
        run(llmproxy, "db", "upgrade", cwd=tmp_path, LLMPROXY_HOME=str(home))
        status = run(llmproxy, "db", "status", cwd=tmp_path, LLMPROXY_HOME=str(home))
    finally:
        run(llmproxy, "db", "stop", cwd=tmp_path, LLMPROXY_HOME=str(home))

    assert "schema" in status


def test_the_proxy_runs_from_any_folder(whole, home, tmp_path, confdir):
    command = [str(whole.bin / "llmproxy"), "proxy", "-p", "0", "--set", f"confdir={confdir}"]

    with Mitmproxy(command, tmp_path, LLMPROXY_HOME=str(home)) as process:
        process.wait(lambda: listening(home))
        process.wait_says("proxy listening at 127.0.0.1:")


def test_our_own_folder_runs_in_order(whole, home, tmp_path, confdir):
    shutil.copytree(CHECKOUT / "addons", tmp_path / "addons")
    command = whole.stock("mitmdump", confdir, "-s", "addons/")

    with Mitmproxy(command, tmp_path, LLMPROXY_HOME=str(home)) as process:
        process.wait(lambda: listening(home))
        (tmp_path / "addons" / "capture.py").write_text("oh = = no")
        process.wait_says("the old code stays in force) addons/: SyntaxError")
        shutil.copy(CHECKOUT / "addons" / "capture.py", tmp_path / "addons")
        process.wait_says("Reloaded folder addons/")

    assert "Traceback" not in process.output.split("Reloaded folder")[1]
    assert not (home / "proxy.json").exists()
