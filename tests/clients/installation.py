"""The agents of package.json from npm, installed once into a folder of the checkout."""

import shutil
import subprocess
from pathlib import Path

from tests.mitm import CHECKOUT

FOLDER = CHECKOUT / ".clients"
MANIFEST = Path(__file__).with_name("package.json")
OLDEST_NODE = 20
"""What gemini-cli needs; claude and codex are native programs that Node only starts."""
INSTALL = (
    "npm",
    "install",
    "--ignore-scripts",  # some compile optional parts, for minutes
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
)
PLACE_CLAUDE = ("node", "node_modules/@anthropic-ai/claude-code/install.cjs")
"""Of the scripts the one that matters: it puts the native program where `claude` points."""
SECONDS = 600


def missing() -> str | None:
    """What this machine lacks for the agents; None: nothing."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            return f"needs {program}, version {OLDEST_NODE} of Node or later"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.lstrip("v").split(".")[0]) < OLDEST_NODE:
        return f"needs Node {OLDEST_NODE} or later, this is {told.strip()}"
    return None


def install() -> Path:
    """The folder of the programs `claude`, `codex` and `gemini`."""
    wanted = MANIFEST.read_text()
    done = FOLDER / "installed.json"
    if not done.exists() or done.read_text() != wanted:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / "package.json").write_text(wanted)
        _call(*INSTALL)
        _call(*PLACE_CLAUDE)
        done.write_text(wanted)
    return FOLDER / "node_modules" / ".bin"


def _call(*command: str) -> None:
    done = subprocess.run(
        command,
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} in {FOLDER}: {done.stderr or done.stdout}"
