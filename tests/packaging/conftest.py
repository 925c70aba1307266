from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.environments import CHECKOUT, Addons, Environment, Mitmproxy


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """mitmproxy and, by `uv pip install .`, this checkout; without our other dependencies."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "venv")
    environment.uv_install("mitmproxy")
    environment.uv_install("--no-deps", CHECKOUT)
    return environment


@pytest.fixture(scope="session")
def confdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One CA for all: making one takes a while."""
    return tmp_path_factory.mktemp("confdir")


@pytest.fixture
def addons(tmp_path: Path) -> Addons:
    """An `addons` folder in the working directory of `mitmdump`."""
    return Addons(tmp_path / "addons")


@pytest.fixture
def mitmdump(installed: Environment, tmp_path: Path, confdir: Path) -> Callable[..., Mitmproxy]:
    """mitmdump of the throw-away environment, to be started in `tmp_path`."""

    def start(*arguments: str) -> Mitmproxy:
        return Mitmproxy(installed.stock("mitmdump", confdir, *arguments), tmp_path)

    return start
