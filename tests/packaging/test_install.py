"""`mitmdump -s addons/` with stock mitmproxy, however we were installed."""

import pytest

from tests.packaging.environments import CHECKOUT, Environment, Mitmproxy

pytestmark = pytest.mark.system

IN_ORDER = ("load second old", "load first old", "running second old", "running first old")


def install_with_pip(environment, *what):
    environment.uv_install("editables", "hatchling", "mitmproxy")
    environment.pip_install("--no-build-isolation", *what)


def install_with_uv(environment, *what):
    environment.uv_install("mitmproxy")
    environment.uv_install("--no-deps", *what)


def run_in_order(environment, program, tmp_path, confdir):
    with Mitmproxy(environment.stock(program, confdir, "-s", "addons/"), tmp_path) as process:
        process.wait_events(*IN_ORDER)


@pytest.mark.parametrize("what", [["."], ["-e", "."]], ids=["plain", "editable"])
@pytest.mark.parametrize("install", [install_with_pip, install_with_uv])
def test_a_folder_runs_after_each_way_to_install(install, what, tmp_path, addons, confdir):
    environment = Environment(tmp_path / "venv", seed=install is install_with_pip)

    install(environment, *what)

    run_in_order(environment, "mitmdump", tmp_path, confdir)


def test_a_folder_runs_after_mitmproxy_was_reinstalled(tmp_path, addons, confdir):
    environment = Environment(tmp_path / "venv", seed=True)
    install_with_pip(environment, ".")

    environment.pip_install("--force-reinstall", "-c", CHECKOUT / "constraints.txt", "mitmproxy")

    run_in_order(environment, "mitmdump", tmp_path, confdir)


@pytest.mark.parametrize("program", ["mitmdump", "mitmweb", "mitmproxy"])
def test_a_folder_runs_in_each_of_the_programs(program, installed, tmp_path, addons, confdir):
    run_in_order(installed, program, tmp_path, confdir)


def test_uninstalling_leaves_a_stock_mitmproxy(tmp_path, addons, confdir):
    environment = Environment(tmp_path / "venv", seed=True)
    install_with_pip(environment, ".")

    environment.pip("uninstall", "--yes", "llmproxy")

    assert not list((tmp_path / "venv").rglob("*llmproxy*"))
    with Mitmproxy(environment.stock("mitmdump", confdir, "-s", "addons/"), tmp_path) as process:
        process.wait(lambda: process.process.poll() == 1)
    assert "No such script: addons/" in process.output
