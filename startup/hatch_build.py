"""Puts the startup hook at the top of site-packages, in ordinary and in editable wheels alike."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "_llmproxy_startup"
# Python reads the .pth up to 3.17 and the .start (PEP 829) from 3.15 on, where it wins.
LINES = ("llmproxy_startup.pth", "llmproxy_startup.start")


class StartupHook(BuildHookInterface[Any]):
    """Hatch calls `initialize` once for each wheel it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is "editable" for `pip install -e`, which has a list of its own."""
        startup = Path(self.root) / "startup"
        names = [*LINES, *(f"{PACKAGE}/{path.name}" for path in (startup / PACKAGE).glob("*.py"))]
        key = "force_include_editable" if version == "editable" else "force_include"
        build_data[key].update({str(startup / name): name for name in names})
