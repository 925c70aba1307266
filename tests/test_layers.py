"""Each import contract of pyproject.toml has been seen to fail."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]

# contract: a file, and an import which that file must not have
BREACHES = {
    "The layers of the core, high to low": (
        "llmproxy_core/spool.py",
        "import llmproxy_core.store",
    ),
    "Addons are strangers to each other and share the bridge": (
        "addons/capture.py",
        "import addons.persist",
    ),
    "The core never sees mitmproxy": (
        "llmproxy_core/pipeline.py",
        "import mitmproxy.http",
    ),
    "The proxy process has no database, TUI or HTTP client, not even through others": (
        "llmproxy_core/interception.py",
        "import llmproxy_core.store",
    ),
    "Only the TUI imports textual": (
        "llmproxy_core/cli/app.py",
        "import textual",
    ),
    "Only the store imports the database": (
        "llmproxy_core/worker/__init__.py",
        "import psycopg",
    ),
    "Only pricing imports genai-prices": (
        "llmproxy_core/store/__init__.py",
        "import genai_prices",
    ),
}


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("addons", "llmproxy_core"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=ignored)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def test_each_contract_has_a_breach():
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]

    assert {contract["name"] for contract in settings["contracts"]} == BREACHES.keys()


@pytest.mark.parametrize("contract", list(BREACHES))
def test_a_breach_is_reported(contract, copy):
    name, line = BREACHES[contract]
    with (copy / name).open("a") as file:
        file.write(f"\n{line}\n")

    said = lint(copy).stdout

    assert f"{contract} BROKEN" in said


def test_a_module_that_no_layer_names_is_reported(copy):
    (copy / "llmproxy_core" / "helpers.py").write_text("")

    assert "The layers of the core, high to low BROKEN" in lint(copy).stdout
